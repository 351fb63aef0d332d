"""Runs of the installed `logquake` to their result, for proofs and for tests of what pages say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOGQUAKE = str(Path(sys.executable).with_name("logquake"))
JUDGED = (0, 1, 6)
"""Exit codes of runs that were judged: passed, failed, inconclusive."""
_SAID_CHARACTERS = 2_000


class NotJudgedError(Exception):
    """A run that ended without a judgement; says its exit code and what it wrote last."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that was judged.

    Attributes:
        exit_code: one of `JUDGED`.
        scenarios: those of its `result.json`.
        path: of that file.
        output: what it printed.
    """

    exit_code: int
    scenarios: list[dict[str, Any]]
    path: Path
    output: str


def run_judged(arguments: Sequence[str], seconds_max: float, folder: Path | None = None) -> Ran:
    """Run `logquake`, and return what it judged.

    Args:
        arguments: those of the command.
        seconds_max: how long it may take.
        folder: where it runs; None = here.

    Raises:
        NotJudgedError: it ended by an error, or was interrupted.
    """
    done = subprocess.run(
        [LOGQUAKE, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = next((line for line in done.stdout.splitlines() if line.startswith("result:")), "")
    if done.returncode not in JUDGED or not said:
        end = (done.stderr or done.stdout)[-_SAID_CHARACTERS:]
        raise NotJudgedError(f"exit code {done.returncode}: {end}")
    path = Path(said.removeprefix("result:").strip())
    scenarios = json.loads(path.read_text())["scenarios"]
    return Ran(done.returncode, scenarios, path, done.stdout)
