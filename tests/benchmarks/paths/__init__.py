"""How fast the whole paths are, beside the machine's own limits: `python -m tests.benchmarks.paths`."""
