"""Collects a scenario file as a test of the user's own pytest."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("pytest") is None:
    sys.exit("pytest is not installed; pip install 'logquake[pytest]'")  # nothing of ours runs without it
Path("scenarios").mkdir(exist_ok=True)
Path("scenarios/calm.yaml").write_text(
    "version: 1\nname: calm\ntitle: Calm\nhypothesis: Nothing is lost.\n"
    "schedule: {kind: steady, rate_per_second: 20}\nsending_seconds: 3\n"
)
done = subprocess.run(
    [sys.executable, "-m", "pytest", "--logquake-stack", "reference", "--collect-only", "-q", "scenarios"],
    capture_output=True,
    text=True,
)
assert "calm" in done.stdout, done.stdout + done.stderr
