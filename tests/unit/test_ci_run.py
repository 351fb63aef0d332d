"""What .ci/run says and runs, with a `make` that only notes what it was asked for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

_MAKE = """#!/bin/sh
echo "$1" >> "$MADE"
test "$1" != "$FAILING"
"""


class Continuous:
    """Runs .ci/run as a copy in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = folder / "made"
        (folder / "project" / ".ci").mkdir(parents=True)
        self._script = folder / "project" / ".ci" / "run"
        self._script.write_bytes((REPOSITORY / ".ci" / "run").read_bytes())
        make = folder / "make"
        make.write_text(_MAKE)
        make.chmod(0o755)

    def run(self, failing: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PATH": f"{self._folder}:{os.environ['PATH']}",
            "MADE": str(self._made),
            "FAILING": failing,
        }
        return subprocess.run(
            ["bash", str(self._script)],  # noqa: S607 - whichever bash the project is run with
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def made(self) -> list[str]:
        return self._made.read_text().split()


@pytest.fixture
def continuous(tmp_path: Path) -> Continuous:
    return Continuous(tmp_path)


def test_every_phase_of_make_test_is_run(continuous: Continuous) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    phases = re.findall(r"\$\(MAKE\) (\S+)", recipe[1])

    assert continuous.run().returncode == 0
    assert continuous.made() == ["servers", "check", *phases]
    assert len(phases) == recipe[1].count("\n")


def test_the_time_of_each_stage_is_said_as_it_goes_and_at_the_end(continuous: Continuous) -> None:
    said = continuous.run().stdout

    for stage in continuous.made():
        assert len(re.findall(rf"^{stage} +\d+ min \d\d s  passed$", said, re.MULTILINE)) == 2
    assert re.search(r"^total +\d+ min \d\d s", said, re.MULTILINE)


def test_a_stage_that_fails_ends_the_run_and_the_times_so_far_are_said(continuous: Continuous) -> None:
    ran = continuous.run(failing="check")

    assert ran.returncode != 0
    assert continuous.made() == ["servers", "check"]
    assert re.search(r"\n\nservers .* passed\ncheck .* failed\ntotal ", ran.stdout)
