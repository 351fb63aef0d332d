"""Runs the command line: `python -m logging_system --help`."""

from __future__ import annotations

import sys

from logging_system.cli import main
from logging_system.keys.core_dumps import forbid_core_dumps

if __name__ == "__main__":
    forbid_core_dumps()  # of records and keys
    sys.exit(main())
