"""Options that `run` and `plan` share."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from harness.cli.load import SHAPES, load
from harness.cli.plan import plan
from harness.cli.selection import Selection, make_request
from harness.judging.checkers import CHECKERS
from harness.load.schedules import SCHEDULES
from harness.model.declarations import Part
from harness.model.errors import ScenarioError, UsageError
from harness.runs.request import make_plan
from harness.runs.wiring import make_part

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


@pytest.mark.parametrize(
    ("stack", "planned", "left_out"),
    [
        ("reference_encrypted", ["key_revoked", "key_lost"], []),
        ("reference_vault", ["key_revoked"], ["key_lost"]),
        ("reference_fernet", ["key_lost"], ["key_revoked"]),
    ],
)
def test_a_suite_leaves_out_what_a_stack_has_no_target_for_and_says_so(stack, planned, left_out):
    request = make_request(replace(selected(), suite="confidential", stack=stack), Path("out"), None)

    names = [scenario.name for scenario in request.scenarios]
    assert names[names.index("kms_garbage") + 1 :] == planned
    said = [origin for origin in request.origins if "is left out" in origin]
    assert [line.split()[1] for line in said] == left_out
    assert all("keys" in line for line in said)
    assert [line for line in make_plan(request).unplanned if "is left out" in line] == said


def test_a_load_named_for_all_scenarios_is_in_the_plan_and_changes_its_hash(mine):
    own = replace(selected(mine, "no_fault"), stack="gateway")
    before = make_plan(make_request(own, Path("reports"), None))
    request = make_request(replace(own, load_kind="locust"), Path("reports"), None)
    after = make_plan(request)

    assert all(planned.scenario.load == Part("locust") for planned in after.scenarios)
    assert [planned.offsets_ns for planned in before.scenarios] == [
        planned.offsets_ns for planned in after.scenarios
    ]
    assert before.suite_hash() != after.suite_hash()
    assert shlex.split(request.command)[-2:] == ["--load", "locust"]


def test_a_stack_that_is_driven_in_the_application_is_refused_to_locust(mine):
    request = make_request(replace(selected(mine), load_kind="locust"), Path("reports"), None)

    with pytest.raises(ScenarioError, match=r"mine\.yaml: load: python_logging .*; use kind hosted"):
        make_plan(request)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--headless runs the plan"),
        (["--headless", "--shape", "ramp", "spike"], "scenario spike has faults at seconds of its own"),
        (["--headless", "--workers", "9", "load"], "9 are more than the 4 users that they host"),
        (["--headless", "--stack", "reference"], "use kind hosted"),
    ],
)
def test_a_load_that_cannot_be_run_says_why(arguments, said, mine):
    outcome = CliRunner().invoke(load, arguments, standalone_mode=False)

    assert isinstance(outcome.exception, UsageError | ScenarioError)
    assert said in str(outcome.exception)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("seconds", [6.0, 120.0])
def test_each_shape_is_a_schedule_that_goes_up_to_the_rate_asked_for(shape, seconds):
    schedule = make_part(SCHEDULES, Part(shape, SHAPES[shape](200.0, seconds)))
    offsets = [offset / 1e9 for offset in schedule.offsets_ns(seconds, Random(1))]
    a_tenth = seconds / 10
    starts = [*offsets[::10], offsets[-1]]
    fullest = max(sum(start <= offset < start + a_tenth for offset in offsets) for start in starts)

    assert 0.9 <= fullest / (200.0 * a_tenth) <= 1.05
    assert offsets[-1] < seconds


def test_what_stands_in_a_locust_file_is_in_the_plans_hash(mine):
    own = replace(
        selected("no_fault"), stack="gateway", load_kind="locust", load_arguments={"file": "shoppers.py"}
    )
    hashes = set()
    for tasks in ("[print]", "[repr]"):
        Path("shoppers.py").write_text(f"import locust\nclass Shopper(locust.User):\n    tasks = {tasks}\n")
        hashes.add(make_plan(make_request(own, Path("reports"), None)).plan_hash())

    assert len(hashes) == 2


def test_a_project_with_a_stack_of_its_own_is_told_so_where_another_one_is_taken(mine, tmp_path, capsys):
    """Standard output, by which plans are compared, stays as it is."""
    own = tmp_path / "scenarios" / "stacks" / "shop.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("version: 1\nname: shop\n")
    told = "scenarios/stacks has shop: --stack shop tests it"

    plan.main([mine], standalone_mode=False)
    left_out = capsys.readouterr()
    plan.main([mine, "--stack", "reference"], standalone_mode=False)
    named = capsys.readouterr()

    assert (told in left_out.err, told in named.err) == (True, False)
    assert left_out.out == named.out


def test_a_project_without_a_stack_of_its_own_is_told_nothing_of_stacks(mine, capsys):
    plan.main([mine], standalone_mode=False)

    assert capsys.readouterr().err == ""
