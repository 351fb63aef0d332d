from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from harness.judging.gate import decide
from harness.judging.gate_rules import GateRules, Limit, ObjectiveRule, OnInconclusive, with_required
from harness.judging.requirements import parse_requirement
from harness.judging.score import score
from harness.judging.waivers import Exemption
from harness.model.protocols import Status, Verdict
from harness.runs.fail_fast import blocked_by
from tests.unit.harness.reporting.example_result import scenario_result

TODAY = date(2027, 1, 31)
SLOW = Verdict("response_p99_ms", "caller protection", Status.FAIL, "too slow")
LOST = Verdict("acknowledged_lost", "delivery", Status.FAIL, "3 lost", vetoes=("acknowledged loss",))
OPEN = Verdict("corrupted", "integrity", Status.INCONCLUSIVE, "not read")
EXCUSED = (Exemption("response_p99_ms", TODAY, "known"), Exemption("acknowledged_lost", TODAY, "known"))


def why(*verdicts: Verdict, gate: GateRules | None = None) -> str:
    error = blocked_by(replace(scenario_result(), verdicts=verdicts), gate or GateRules(), TODAY)
    return "" if error is None else str(error)


def test_a_failure_stops_the_run_and_is_named():
    assert why(OPEN, SLOW) == '--fail-fast: scenario "spine" failed: response_p99_ms: too slow'


def test_a_veto_is_named_before_other_failures():
    assert why(SLOW, LOST).endswith("failed: acknowledged_lost: 3 lost")


def test_what_is_undecided_stops_nothing():
    assert why(OPEN) == why() == ""


def test_a_failure_that_the_team_excuses_stops_nothing_but_a_veto_does():
    assert why(SLOW, gate=GateRules(waivers=EXCUSED)) == ""
    assert why(SLOW, gate=GateRules(not_applicable=EXCUSED)) == ""
    assert why(LOST, gate=GateRules(waivers=EXCUSED)) != ""
    assert why(LOST, gate=GateRules(not_applicable=EXCUSED)) != ""


QUICK = Verdict("response_p99_ms", "caller protection", Status.PASS, "quick", 60.0, "ms", samples=40)
LIMIT = GateRules(objectives={"response_p99_ms": ObjectiveRule(fail=Limit(">", 50.0))})
EVENLY = GateRules(objectives={"response_p99_ms": ObjectiveRule(warn=Limit(">", 50.0), samples_min=10)})


def test_a_value_beyond_a_limit_of_the_gate_file_stops_the_run_and_is_named():
    assert why(QUICK, gate=LIMIT) == (
        '--fail-fast: scenario "spine" fails the gate: response_p99_ms: 60 ms; at most 50 required.'
    )
    assert why(replace(QUICK, value=50.0), gate=LIMIT) == ""


def test_a_value_that_only_warns_stops_nothing():
    assert why(QUICK, gate=EVENLY) == ""


def test_a_value_that_the_command_line_does_not_allow_stops_the_run():
    gate = with_required(GateRules(), [parse_requirement("response_p99_ms<50ms")])

    assert why(QUICK, gate=gate).endswith('fails the gate: Required "response_p99_ms<50ms": 60 ms.')
    assert why(replace(QUICK, value=40.0), gate=gate) == ""


def test_what_rests_on_all_scenarios_stops_nothing():
    required = [parse_requirement(text) for text in ("score>=100", "coverage>=99%", "duplicated==0")]
    gate = with_required(replace(LIMIT, veto=("duplicated",), score_min=100.0), required)

    assert why(OPEN, gate=gate) == ""


@pytest.mark.parametrize("policy", list(OnInconclusive))
@pytest.mark.parametrize(
    "gate",
    [
        GateRules(veto=("corrupted",)),
        GateRules(objectives={"corrupted": ObjectiveRule(fail=Limit(">", 0.0))}),
        with_required(GateRules(), [parse_requirement("corrupted==0")]),
    ],
)
def test_an_undecided_value_that_the_gate_asks_for_stops_the_run_where_that_counts_as_a_failure(gate, policy):
    stops = why(OPEN, gate=replace(gate, on_inconclusive=policy)) != ""

    assert stops is (policy is OnInconclusive.FAIL)


def test_too_few_samples_stop_the_run_where_undecided_counts_as_a_failure():
    few = replace(QUICK, value=1.0, samples=3)

    assert why(few, gate=EVENLY) == ""
    assert "3 samples" in why(few, gate=replace(EVENLY, on_inconclusive=OnInconclusive.FAIL))


def test_a_limit_that_is_waived_stops_nothing():
    assert why(QUICK, gate=replace(LIMIT, waivers=EXCUSED)) == ""


@pytest.mark.parametrize("value", [40.0, 60.0])
def test_what_stops_the_run_fails_the_gate_at_its_end_too(value):
    """The whole gate and the early look agree, whatever a second scenario says."""
    first = replace(QUICK, value=value)
    others = [replace(QUICK, value=1.0), SLOW, OPEN]
    ends = [
        decide(score({"response_p99_ms": "caller protection"}, [first, other]), [first, other], LIMIT, TODAY)
        for other in others
    ]

    if why(first, gate=LIMIT):
        assert {end.status for end in ends} == {Status.FAIL}
    else:
        assert ends[0].status is Status.PASS
