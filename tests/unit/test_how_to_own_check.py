"""The how-to for an own check is true: its three files do together what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "own-check.md").read_text()
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder that holds what the page says to save."""
    folder: Path = tmp_path_factory.mktemp("own-check")
    saved = re.findall(r"Save this as `([a-z_.]+)`.*?\n```(?:python|yaml)\n(.*?)^```", PAGE, re.M | re.S)
    for name, text in saved:
        (folder / name).write_text(text)
    assert len(saved) == 3
    return folder


def call(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # Where code is found is what the page says: the folder itself is on no path.
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        command,
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S)
    return [shlex.split(line.removeprefix("PYTHONPATH=. ")) for line in "".join(blocks).splitlines()]


def test_the_pages_own_test_passes(folder):
    (command,) = [words for words in commands() if words[0] == "python"]
    finished = call(folder, sys.executable, *command[1:], "-p", "no:cacheprovider")

    assert finished.returncode == 0, finished.stdout
    assert "5 passed" in finished.stdout


def test_its_scenario_and_the_option_plan_the_check_under_its_word(folder):
    plans = [words for words in commands() if words[0] == "logquake"]
    assert len(plans) == 2

    for words in plans:
        finished = call(folder, str(Path(sys.executable).parent / words[0]), *words[1:])

        assert finished.returncode == 0, finished.stderr
        assert "refused_percent (degradation)" in finished.stdout


def test_the_scenarios_own_limit_is_in_the_plan(folder):
    words = next(words for words in commands() if "refusals.yaml" in words)
    finished = call(folder, str(Path(sys.executable).parent / words[0]), *words[1:])

    assert "refused_percent:RefusedPercent: limit_percent 0.5" in finished.stdout
