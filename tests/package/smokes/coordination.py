"""Answers from a cache what is asked again and again beside the engine of coordination."""

import runpy
from pathlib import Path

from logging_system import AICoordinationEngine, start_watch

assert AICoordinationEngine.__doc__
assert callable(start_watch)
runpy.run_path(str(Path(__file__).with_name("analytics.py")))
