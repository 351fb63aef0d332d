"""What a log call costs, and what is lost, beside other ways to log: `python -m tests.benchmarks.callers`."""
