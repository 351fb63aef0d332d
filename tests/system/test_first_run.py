"""The tutorial is true: its commands, as they stand on the page, do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial" / "first-run.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.timeout(180)
def test_every_command_of_the_tutorial_succeeds_in_its_order(tmp_path):
    # A folder as a checkout is, whose environment is the one that runs this test.
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    outputs = {}
    for command in COMMANDS:
        if command.startswith("make "):
            continue  # this environment is what it would make
        finished = subprocess.run(  # noqa: S602 - the page shows lines for a shell
            command,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=80,
            check=False,
        )
        assert finished.returncode == 0, (command, finished.stdout, finished.stderr)
        outputs[command] = finished.stdout

    scorecards = list(tmp_path.glob("first-run/selected/*/scorecard.html"))
    assert len(scorecards) == 1
    assert (
        str(scorecards[0].relative_to(tmp_path))
        in outputs[".venv/bin/logquake run answer_cut --out first-run"]
    )
    assert "PASS" in outputs[".venv/bin/logquake run no_fault"]
    assert "plan hash" in outputs[".venv/bin/logquake plan answer_cut"]
