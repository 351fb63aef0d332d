"""`python -m tests.benchmarks.callers`."""

from tests.benchmarks.callers.compare import main

main()
