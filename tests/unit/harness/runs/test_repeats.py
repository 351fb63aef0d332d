from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.protocols import Status, Verdict
from harness.runs.repeats import merged, runs_again
from tests.unit.harness.reporting.example_result import scenario_result


@pytest.mark.parametrize("status", Status)
def test_only_an_inconclusive_scenario_is_run_again(status: Status) -> None:
    assert runs_again(replace(scenario_result(), status=status)) is (status is Status.INCONCLUSIVE)


def test_earlier_attempts_stay_beside_the_latest() -> None:
    first = replace(scenario_result(), status=Status.INCONCLUSIVE, history="history/a")
    second = replace(first, history="history/a-2")
    third = replace(first, status=Status.PASS, history="history/a-3")

    result = merged(merged(first, second, ended_early=False), third, ended_early=False)

    assert (result.status, result.history) == (Status.PASS, "history/a-3")
    assert [attempt.history for attempt in result.attempts] == ["history/a", "history/a-2"]


def test_an_attempt_that_the_end_of_the_run_cut_short_replaces_nothing() -> None:
    before = replace(scenario_result(), status=Status.INCONCLUSIVE)

    assert merged(before, replace(before, status=Status.NOT_RUN), ended_early=True) is before


@pytest.mark.parametrize(
    ("open_ones", "again"),
    [(["response_p99_ms"], False), (["response_p99_ms", "acknowledged_lost"], True), ([], True)],
)
def test_what_the_plan_knew_to_stay_open_is_no_reason_to_run_again(open_ones: list[str], again: bool) -> None:
    verdicts = tuple(Verdict(word, "delivery", Status.INCONCLUSIVE, "") for word in open_ones)
    result = replace(scenario_result(), status=Status.INCONCLUSIVE, verdicts=verdicts)

    assert runs_again(result, {"response_p99_ms"}) is again
