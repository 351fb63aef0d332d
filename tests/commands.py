"""Commands that fetch what only tests need."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.model.errors import UnavailableError

_REASON_CHARACTERS = 300


def run_or_unavailable(command: Sequence[str], folder: Path, seconds_max: float) -> None:
    """Run a command that installs something.

    Raises:
        UnavailableError: it cannot be started, takes longer or fails; with what it says first.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds_max,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        # Go tells what it fetches before what is wrong.
        told = [line for line in lines if not line.startswith("go: downloading")]
        said = "\n".join(told)[:_REASON_CHARACTERS] or "it wrote nothing"
        raise UnavailableError(f"{Path(command[0]).name} failed: {said}")
