from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.schedules.steady import Steady
from harness.model.declarations import Part, Promises, Stack, Step
from harness.runs.plan import SuitePlan, plan_scenario
from tests.unit.harness.literal_history import STEP, scenario

SECOND = 1_000_000_000
P99 = {"response_p99_ms": 299}
STACK = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())


def _suite(seed=1, rate=100.0, title="A literal history", digest=""):
    planned = plan_scenario(replace(scenario(STEP), title=title), Steady(rate), seed, None)
    return SuitePlan("default", (planned,), STACK, "embedded", seed, digest, {"a.b": "delivery"})


def test_the_same_seed_gives_the_same_hash_and_schedule():
    assert _suite().plan_hash() == _suite().plan_hash()
    assert _suite().scenarios[0].offsets_ns == _suite().scenarios[0].offsets_ns


def test_another_seed_changes_the_plan_hash_and_not_the_suite_hash():
    assert _suite(1).plan_hash() != _suite(2).plan_hash()
    assert _suite(1).suite_hash() == _suite(2).suite_hash()


@pytest.mark.parametrize("change", [{"rate": 101.0}, {"digest": "ab"}])
def test_whatever_changes_what_happens_changes_the_plan_hash(change):
    assert _suite(**change).plan_hash() != _suite().plan_hash()


@pytest.mark.parametrize("field", ["title", "hypothesis", "why", "source"])
def test_the_texts_of_a_scenario_change_no_hash(field):
    plan = _suite().scenarios[0]
    reworded = replace(plan, scenario=replace(plan.scenario, **{field: "in other words"}))
    made = replace(_suite(), scenarios=(reworded,))

    assert (made.suite_hash(), made.plan_hash()) == (_suite().suite_hash(), _suite().plan_hash())


@given(st.floats(1, 2_000), st.integers(0, 100))
def test_a_steady_schedule_ascends_within_its_seconds_at_its_rate(rate, seed):
    """One due time in each interval: ascending, never before the start nor after the end."""
    offsets = plan_scenario(scenario(sending_seconds=3.0), Steady(rate), seed, None).offsets_ns

    assert len(offsets) == int(3 * rate)
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset <= 3 * SECOND for offset in offsets)


@given(st.integers(1, 5_000))
def test_every_line_of_a_longer_input_is_due_once(lines):
    """The schedule never has fewer records than the input has lines, and stays ascending."""
    offsets = plan_scenario(scenario(), Steady(10.0), 1, lines).offsets_ns

    assert len(offsets) == max(100, lines)
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset <= 10 * SECOND for offset in offsets)


def test_a_plan_that_cannot_decide_warns():
    plan = replace(plan_scenario(scenario(STEP), Steady(60.0), 1, None), samples_min=P99)

    assert plan.warnings() == (
        "steady: 240 records are due, response_p99_ms needs 299; send faster or longer",
    )
    assert plan.undecidable() == {"response_p99_ms"}


def test_a_plan_that_can_decide_does_not_warn():
    plan = replace(plan_scenario(scenario(STEP), Steady(100.0), 1, None), samples_min=P99)

    assert (plan.warnings(), plan.undecidable()) == ((), frozenset())


def test_a_plan_whose_checks_need_no_samples_does_not_warn():
    plan = plan_scenario(scenario(STEP), Steady(6.0), 1, None)

    assert (plan.warnings(), plan.undecidable()) == ((), frozenset())


def test_a_fault_on_the_application_is_planned_from_its_healing_on():
    killed = replace(STEP, target="application")

    samples = plan_scenario(scenario(killed), Steady(100.0), 1, None).samples()

    assert samples == [("steady", 400), ("killed on application, once healed", 400)]


def test_a_fault_within_one_on_the_application_is_planned_from_its_healing_on():
    killed = replace(STEP, target="application")
    within = Step("bit_flip", "spool", 5.0, 0.5)

    samples = plan_scenario(scenario(killed, within), Steady(100.0), 1, None).samples()

    assert samples == [("steady", 400), ("bit_flip on spool and after", 400)]


def test_a_fault_within_another_ends_the_stretch_of_the_outer_one():
    within = Step("bit_flip", "spool", 5.0, 0.5)

    samples = plan_scenario(scenario(STEP, within), Steady(100.0), 1, None).samples()

    assert samples == [
        ("steady", 400),
        ("killed on elasticsearch and after", 100),
        ("bit_flip on spool and after", 500),
    ]


def test_a_fault_that_leaves_too_few_records_before_it_is_refused_with_the_remedy():
    early = plan_scenario(scenario(replace(STEP, at_seconds=2.0)), Steady(12.0), 1, None)

    assert early.steady_problem(visible_seconds=0.2) == ""
    assert early.steady_problem(visible_seconds=1.0) == (
        "literal: steps[0].at_seconds: 12 records are due more than 1 s before killed on elasticsearch "
        "begins at 2 s; 20 are required to see a steady state. Begin it later, send faster, or lower "
        "promises.visible_seconds in the stack file."
    )
    assert plan_scenario(scenario(), Steady(1.0), 1, None).steady_problem(1.0) == ""
