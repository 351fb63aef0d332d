"""The how-to page on errors since a deploy does what it says, command by command, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import REPOSITORY
from tests.stack.processes import Store

PAGE = (REPOSITORY / "docs" / "how-to" / "analyze-errors-since-a-deploy.md").read_text()
REFERENCE = (REPOSITORY / "docs" / "reference" / "analytics.md").read_text()
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
_NUMBERS = re.compile(r"\d[\d.,:T+-]*(?:e\+\d+)?")


@pytest.mark.slow
def test_the_page_can_be_followed_from_its_top_to_its_end(tmp_path: Path, store: Store) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    commands = []
    for language, block in _BLOCKS:
        here = block.replace("http://localhost:9200", store.url)
        if language == "python":
            subprocess.run(
                [sys.executable, "-c", here], check=True, timeout=60, cwd=tmp_path, env=environment
            )
            continue
        for text in re.split(r"^\$ ", here, flags=re.MULTILINE)[1:]:
            command, _, shown = text.partition("\n")
            command = command.replace("python -m", f"{sys.executable} -m", 1)
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=tmp_path,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            told = {_NUMBERS.sub("N", line) for line in (done.stdout + done.stderr).splitlines()}
            expected = [_NUMBERS.sub("N", line) for line in shown.splitlines() if line != "…"]
            commands.append(command)
            for line in expected:
                # The embedded store has no lifecycle, and so no retention.
                wanted = line.replace("kept Nd", "nothing limits how long")
                assert wanted in told, (line, sorted(told))

    assert len(commands) == 4


@pytest.mark.slow
def test_the_program_of_the_reference_page_runs(store: Store) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", REFERENCE, re.MULTILINE | re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", program.replace("http://localhost:9200", store.url)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "{} None None\n"), done.stderr
