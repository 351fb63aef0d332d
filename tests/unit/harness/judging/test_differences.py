from __future__ import annotations

from dataclasses import replace

import pytest

from harness.judging.differences import Direction, differences
from harness.model.protocols import Status
from harness.model.result import GateDecision, Result
from tests.unit.harness.reporting.example_result import (
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)


def with_verdict(status: Status, value: float = 12.4) -> Result:
    """Return the passing result, but for one verdict of its first scenario."""
    base = passing_result()
    one = scenario_result()
    *others, last = one.verdicts
    changed = replace(one, verdicts=(*others, replace(last, status=status, value=value)))
    return replace(base, scenarios=(changed, base.scenarios[1]))


def test_a_result_does_not_differ_from_itself():
    for result in (passing_result(), vetoed_result(), inconclusive_result()):
        made = differences(result, result)

        assert (made.plan, made.gone, made.new, made.scenarios, made.objectives) == ((), (), (), (), ())
        assert not made.is_worse
        assert not made.is_incomplete


@pytest.mark.parametrize(
    "status", [Status.WARN, Status.NOT_RUN, Status.INCONCLUSIVE, Status.FAIL, Status.ERROR]
)
def test_a_verdict_that_is_worse_is_worse_and_back_is_better(status):
    there = differences(passing_result(), with_verdict(status))
    back = differences(with_verdict(status), passing_result())

    assert there.is_worse
    assert not back.is_worse
    assert [(each.objective, each.before, each.after) for each in there.objectives] == [
        ("response_p99_ms", Status.PASS, status)
    ]
    assert back.objectives[0].direction is Direction.BETTER


def test_a_measure_within_its_verdict_is_told_and_not_worse():
    made = differences(passing_result(), with_verdict(Status.PASS, 99.0))
    (one,) = made.objectives

    assert (one.value_before, one.value_after, one.unit) == (12.4, 99.0, "ms")
    assert not one.has_another_verdict
    assert not made.is_worse


def test_verdicts_come_before_measures_and_the_worse_first():
    base = with_verdict(Status.FAIL)
    first = base.scenarios[0]
    lost, duplicated, *rest = first.verdicts
    mixed = replace(
        first, verdicts=(replace(lost, value=3.0), replace(duplicated, status=Status.WARN), *rest)
    )
    before = replace(base, scenarios=(mixed, base.scenarios[1]))
    made = differences(before, passing_result())

    assert [each.objective for each in made.objectives] == [
        "duplicated",
        "response_p99_ms",
        "acknowledged_lost",
    ]
    assert [each.objective for each in differences(passing_result(), before).objectives][-1] == (
        "acknowledged_lost"
    )


def test_what_is_no_longer_judged_makes_the_later_run_incomplete():
    fewer = replace(passing_result(), scenarios=passing_result().scenarios[:1])
    made = differences(passing_result(), fewer)

    assert made.gone == ("scenario black_hole",)
    assert made.is_incomplete
    assert not made.is_worse
    assert differences(fewer, passing_result()).new == ("scenario black_hole",)


def test_what_a_policy_takes_out_is_no_longer_judged():
    made = differences(passing_result(), with_verdict(Status.NOT_APPLICABLE))

    assert made.gone == ("response_p99_ms in spine",)


def test_a_new_veto_and_a_withheld_score_are_worse():
    made = differences(passing_result(), vetoed_result())

    assert made.vetoes == ("acknowledged loss",)
    assert made.score == ((100.0, 100.0), None)
    assert made.score_direction is Direction.WORSE
    assert differences(vetoed_result(), passing_result()).score_direction is Direction.BETTER


def test_a_lower_score_and_a_worse_decision_are_worse_even_where_no_verdict_is():
    base = passing_result()
    lower = replace(base, score=replace(base.score, low=97.0, high=97.0))
    failed = replace(base, gate=GateDecision(Status.FAIL, ("a requirement",)))

    assert differences(base, lower).is_worse
    assert differences(base, failed).is_worse
    assert not differences(lower, base).is_worse


def test_different_plans_are_told():
    other = replace(passing_result(), stack="another", seed=7, suite_hash="0" * 16)
    told = [each.word for each in differences(passing_result(), other).plan]

    assert told == ["stack", "suite hash", "seed"]
