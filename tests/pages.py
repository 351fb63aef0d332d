"""What stands between fences on a page of the documentation, for tests that do what the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

RUN_SECONDS_MAX = 120


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block that names its language, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def blocks_of(page: str, language: str) -> list[str]:
    """Return the text of each block in one language, in order."""
    return [text for named, text in blocks(page) if named == language]


def run_logquake(command: str, folder: Path) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Run a page's command, which takes one scenario; return exit code, verdict of each check and output.

    Args:
        command: as the page has it; its program is the one installed beside this interpreter.
        folder: where it runs, without a report of another run.
    """
    program, *arguments = shlex.split(command.strip())
    finished = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    (path,) = folder.glob("reports/*/*/result.json")
    (scenario,) = json.loads(path.read_text())["scenarios"]
    return finished.returncode, {each["objective"]: each for each in scenario["verdicts"]}, finished.stdout
