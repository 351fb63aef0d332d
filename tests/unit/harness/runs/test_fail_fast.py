from __future__ import annotations

from dataclasses import replace
from datetime import date

from harness.judging.gate import GateRules
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
