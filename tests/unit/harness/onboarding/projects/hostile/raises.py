"""Whoever imports this is seen."""

from pathlib import Path

Path("imported").touch()
raise SystemExit("imported")
