"""Runs the command line: `python -m logging_system --help`."""

from __future__ import annotations

import sys

from logging_system.cli import main

if __name__ == "__main__":
    sys.exit(main())
