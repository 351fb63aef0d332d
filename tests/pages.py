"""What stands between fences on a page of the documentation, for tests that do what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tests.runs_of_logquake import run_judged

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
        folder: where it runs.
    """
    program, *arguments = shlex.split(command.strip())
    assert program == "logquake"
    ran = run_judged(arguments, RUN_SECONDS_MAX, folder)
    (scenario,) = ran.scenarios
    return ran.exit_code, {each["objective"]: each for each in scenario["verdicts"]}, ran.output
