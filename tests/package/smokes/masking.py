"""Masks a line."""

import subprocess
import sys
from pathlib import Path

Path("app.log").write_text('{"password": "hunter2-hunter2"}\n')
done = subprocess.run(
    [sys.executable, "-m", "logging_system", "mask", "app.log"], capture_output=True, text=True
)
if done.returncode != 0:
    sys.exit(done.stderr)
assert "hunter2" not in done.stdout, done.stdout
