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
echo "$2" >> "$MADE.with"
test "$1" != "$FAILING"
"""
_RUNS = "#!/bin/sh\nexit 0\n"
_FAILS = "#!/bin/sh\nexit 127\n"


class Continuous:
    """Runs .ci/run as a copy in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = folder / "made"
        (folder / "project" / ".ci").mkdir(parents=True)
        self._script = folder / "project" / ".ci" / "run"
        self._script.write_bytes((REPOSITORY / ".ci" / "run").read_bytes())
        self.put("make", _MAKE)
        # As pyenv's shim does: it is on the path, and fails.
        self.put("python3.13", _FAILS)
        self.put("go", "#!/bin/sh\necho 'go: no network' >&2\nexit 1\n")
        self.put("project/Makefile", (REPOSITORY / "Makefile").read_text())

    def put(self, name: str, script: str) -> Path:
        """Write a command; the folder comes first on the path, and is the home."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
        return path

    def run(self, failing: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HOME": str(self._folder),
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

    def installed(self) -> str:
        """What go was asked for, and where to."""
        return self._made.with_name("made.go").read_text().strip()

    def made_with(self) -> list[str]:
        """The second argument of each call of `make` that had one."""
        return self._made.with_name("made.with").read_text().split()


@pytest.fixture
def continuous(tmp_path: Path) -> Continuous:
    return Continuous(tmp_path)


def test_every_phase_of_make_test_is_run(continuous: Continuous) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    phases = re.findall(r"\$\(MAKE\) (\S+)", recipe[1])

    assert continuous.run().returncode == 0
    assert continuous.made() == ["servers", "check", "docs", *phases, "containers-smoke"]
    assert len(phases) == recipe[1].count("\n")


def test_the_action_is_linted_where_go_can_install_what_lints_it(continuous: Continuous) -> None:
    continuous.put("go", '#!/bin/sh\necho "$GOBIN $*" > "$MADE.go"\n')
    ran = continuous.run()

    assert ran.returncode == 0
    assert continuous.made()[:3] == ["servers", "check", "lint-action"]
    assert re.search(r"project/\.venv/bin install \S+actionlint@v[\d.]+$", continuous.installed())


def test_the_action_is_linted_by_what_is_installed(continuous: Continuous) -> None:
    continuous.put("project/.venv/bin/actionlint", _RUNS)

    assert continuous.run().returncode == 0
    assert "lint-action" in continuous.made()


def test_where_nothing_can_lint_the_action_a_line_says_why_that_is_skipped(continuous: Continuous) -> None:
    ran = continuous.run()

    assert ran.returncode == 0
    assert "lint-action  skipped: go: no network" in ran.stdout
    assert "lint-action" not in continuous.made()


def test_what_is_wrong_with_the_action_is_a_failure_of_the_run(continuous: Continuous) -> None:
    continuous.put("project/.venv/bin/actionlint", _RUNS)

    assert continuous.run(failing="lint-action").returncode != 0


def test_rsyslog_is_run_where_it_can_be_had(continuous: Continuous) -> None:
    continuous.put("project/.venv/bin/logquake", _RUNS)
    ran = continuous.run()

    assert ran.returncode == 0
    assert "foreign-smoke" in continuous.made()


def test_where_rsyslog_cannot_be_had_a_line_says_why_its_stage_is_skipped(continuous: Continuous) -> None:
    continuous.put(
        "project/.venv/bin/logquake", "#!/bin/sh\necho fetching\necho 'rsyslog: no network' >&2\nexit 7\n"
    )
    ran = continuous.run()

    assert ran.returncode == 0
    assert "foreign-smoke  skipped: rsyslog: no network" in ran.stdout
    assert "foreign-smoke" not in continuous.made()


def test_a_failure_on_rsyslog_is_one_of_the_run(continuous: Continuous) -> None:
    continuous.put("project/.venv/bin/logquake", _RUNS)

    assert continuous.run(failing="foreign-smoke").returncode != 0


def test_containers_are_run_and_say_themselves_where_there_are_none(continuous: Continuous) -> None:
    assert continuous.run().returncode == 0
    assert continuous.made()[-1] == "containers-smoke"


def test_a_wrong_verdict_on_containers_is_a_failure_of_the_run(continuous: Continuous) -> None:
    assert continuous.run(failing="containers-smoke").returncode != 0


@pytest.mark.parametrize("place", ["python3.13", ".pyenv/versions/3.13.0/bin/python3.13"])
def test_unit_and_contract_tests_run_on_python_3_13_where_it_is_installed(
    continuous: Continuous, place: str
) -> None:
    interpreter = continuous.put(place, _RUNS)
    ran = continuous.run()

    assert ran.returncode == 0
    assert continuous.made()[-1] == "test-newest"
    assert continuous.made_with() == [f"PYTHON={interpreter}"]
    assert len(re.findall(r"^test-python3\.13 +\d+ min \d\d s  passed$", ran.stdout, re.MULTILINE)) == 2


def test_a_failure_on_python_3_13_is_one_of_the_run(continuous: Continuous) -> None:
    continuous.put("python3.13", _RUNS)
    ran = continuous.run(failing="test-newest")

    assert ran.returncode != 0
    assert re.search(r"^test-python3\.13 .* failed$", ran.stdout, re.MULTILINE)


def test_without_python_3_13_a_line_says_why_the_stage_is_skipped(continuous: Continuous) -> None:
    ran = continuous.run()

    assert ran.returncode == 0
    assert "test-python3.13  skipped: no python3.13 that runs, on the path or in" in ran.stdout


def test_what_ran_on_python_3_13_anyway_does_not_run_on_it_twice(continuous: Continuous) -> None:
    continuous.put("python3.13", _RUNS)
    continuous.put("project/.venv/bin/python3.13", _RUNS)

    assert "skipped: the stages above ran on it" in continuous.run().stdout
    assert "test-newest" not in continuous.made()


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
