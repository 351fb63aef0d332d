"""Collects a scenario file as a test of the user's own pytest."""

import subprocess
import sys
from pathlib import Path

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
