"""Plans a scenario that Locust drives, and runs it for a few seconds."""

import subprocess
import sys
from pathlib import Path

Path("short.yaml").write_text(
    """version: 1
name: short
title: A few seconds
hypothesis: Nothing is lost.
schedule: {kind: steady, rate_per_second: 20}
producers: 2
sending_seconds: 4
checks: [acknowledged_lost, duplicated, corrupted]
"""
)
logquake = Path(sys.executable).with_name("logquake")
done = subprocess.run(
    [logquake, "run", "short.yaml", "--stack", "gateway", "--load", "locust"], capture_output=True, text=True
)
if done.returncode != 0:
    sys.exit(done.stderr + done.stdout)
