"""What is said of a scenario that did not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.integrations.failure_text import COUNTEREXAMPLE_LINES_MAX, failure_text, headline
from harness.model.protocols import Status
from tests.unit.harness.reporting.example_result import inconclusive_result, vetoed_result

FOLDER = Path("reports/pytest/run")


def text(result, status: Status) -> str:
    return failure_text(result, status, FOLDER, "logquake run spine.yaml")


def test_a_failure_shows_verdict_counterexample_history_and_replay():
    lines = text(vetoed_result().scenarios[0], Status.FAIL).splitlines()

    assert lines[0] == "FAIL: acknowledged_lost: 37 of 7,220 acknowledged records cannot be read back"
    assert lines[1] == "  spine: Connection resets, then the store is killed"
    assert "  FAIL acknowledged_lost: 37 of 7,220 acknowledged records cannot be read back" in lines
    assert "    measured: 37 records (limit 0 records)" in lines
    assert "    > record 1612" in lines
    assert "    veto: acknowledged loss" in lines
    assert "  history: reports/pytest/run/history/spine" in lines
    assert lines[-1] == "  replay: logquake run spine.yaml"


def test_nothing_of_a_stacks_words_reaches_the_terminal_raw():
    assert "\x1b" not in text(vetoed_result().scenarios[0], Status.FAIL)


def test_a_long_counterexample_is_cut_and_says_where_the_rest_is():
    scenario = vetoed_result().scenarios[0]
    lost = replace(scenario.verdicts[0], counterexample=tuple(f"line {n}" for n in range(20)))

    said = text(replace(scenario, verdicts=(lost,)), Status.FAIL)

    assert f"> line {COUNTEREXAMPLE_LINES_MAX - 1}\n" in said
    assert "… 8 more lines in result.json" in said


def test_one_cause_that_leaves_every_check_open_is_told_once():
    scenario = inconclusive_result().scenarios[0]
    verdict = scenario.verdicts[0]
    others = tuple(replace(verdict, objective=name) for name in ("corrupted", "duplicated"))

    said = text(replace(scenario, verdicts=(verdict, *others)), Status.INCONCLUSIVE)

    assert said.count(verdict.summary) == 2  # in the headline, and once below it


def test_the_line_of_a_scenario_that_did_not_run_says_why():
    missing = inconclusive_result().scenarios[1]

    assert headline(missing, Status.NOT_RUN) == "NOT RUN: this backend has no target that can be severed"


def test_the_line_of_a_failure_is_its_worst_verdict():
    said = headline(vetoed_result().scenarios[0], Status.FAIL)

    assert said == "FAIL: acknowledged_lost: 37 of 7,220 acknowledged records cannot be read back"
