"""Benchmarks take a quiet machine and prove no behaviour, so only `make bench` collects them."""

import os

collect_ignore_glob = [] if os.environ.get("LOGQUAKE_BENCH") == "1" else ["test_*.py"]
