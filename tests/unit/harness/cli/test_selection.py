"""Options that `run` and `plan` share."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.plan import plan
from harness.cli.selection import Selection, make_request
from harness.judging.checkers import CHECKERS
from harness.model.declarations import Part
from harness.runs.request import make_plan

SCENARIO = """
version: 1
name: mine
title: A moment of sending
hypothesis: Something is seen.
schedule: {kind: steady, rate_per_second: 50}
sending_seconds: 3
checks: [corrupted, {check: response_p99_ms, limit_ms: 50}]
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SCENARIO)
    return "mine.yaml"


def selected(*scenarios: str, checks: tuple[str, ...] = ()) -> Selection:
    return Selection(scenarios, None, "reference", "embedded", None, 1, None, checks)


def test_an_added_check_judges_every_scenario_of_the_run(mine):
    request = make_request(selected(mine, "no_fault", checks=("duplicated",)), Path("reports"), None)

    assert all(Part("duplicated") in scenario.checks for scenario in request.scenarios)
    assert "duplicated" in make_plan(request).planned


def test_the_command_that_runs_the_same_way_again_names_the_added_checks(mine):
    request = make_request(selected(mine, checks=("duplicated", "acknowledged_lost")), Path("reports"), None)

    assert shlex.split(request.command)[-4:] == ["--check", "duplicated", "--check", "acknowledged_lost"]


def test_an_argument_of_a_check_changes_the_plans_hash(mine):
    before = make_plan(make_request(selected(mine), Path("reports"), None))
    Path(mine).write_text(SCENARIO.replace("limit_ms: 50", "limit_ms: 60"))
    after = make_plan(make_request(selected(mine), Path("reports"), None))

    assert before.plan_hash() != after.plan_hash()


def test_a_plan_shows_each_check_by_its_word_with_its_dimension_and_its_arguments(mine):
    shown = CliRunner().invoke(plan, [mine, "--check", "duplicated"]).output

    assert (
        "checks: corrupted (integrity), response_p99_ms (caller protection), duplicated (integrity)" in shown
    )
    assert "  response_p99_ms: limit_ms 50\n" in shown


def test_a_plan_of_everything_speaks_the_words_of_the_family(mine):
    shown = CliRunner().invoke(plan, ["--stack", "reference"]).output
    (line,) = [line for line in shown.splitlines() if line.startswith("checks: ")]
    words = [part.split(" (")[0] for part in line.removeprefix("checks: ").split("), ")]

    assert set(words) <= set(CHECKERS.kinds)
    assert len(words) > 10
