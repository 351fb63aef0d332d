"""One result of what several workers found, each in its part of the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from harness.judging.gate_rules import GateRules
from harness.model.protocols import Status, Tally, Verdict
from harness.model.result import Attempt, KeptFiles, Result, ScenarioResult
from harness.runs.merging import Part, merged_result
from tests.unit.harness.reporting.example_result import HOLE, SPINE, passing_result

TODAY = date(2026, 11, 30)


def found(scenario, status: Status) -> ScenarioResult:
    verdict = Verdict("acknowledged_lost", "delivery", status, f"it is {status.value}")
    return ScenarioResult(
        scenario=scenario,
        status=status,
        verdicts=(verdict,),
        remarks=(),
        tally=Tally(),
        found=0,
        bands=(),
        series=(),
        seconds=1.0,
        history=f"history/{scenario.name}",
    )


def part(folder: str, spine: Status, hole: Status) -> Part:
    result = replace(passing_result(), scenarios=(found(SPINE, spine), found(HOLE, hole)), seconds=5.0)
    return Part(folder, result)


def merged(*parts: Part) -> Result:
    return merged_result(parts, GateRules(), TODAY, "whole", "pytest")


def test_each_scenario_is_told_by_the_worker_that_ran_it():
    result = merged(part("gw0/a", Status.PASS, Status.NOT_RUN), part("gw1/b", Status.NOT_RUN, Status.FAIL))

    assert [(one.status, one.history) for one in result.scenarios] == [
        (Status.PASS, "gw0/a/history/spine"),
        (Status.FAIL, "gw1/b/history/black_hole"),
    ]
    assert (result.run_id, result.suite) == ("whole", "pytest")


def test_the_gate_decides_on_what_all_of_them_found():
    good = merged(part("gw0", Status.PASS, Status.NOT_RUN), part("gw1", Status.NOT_RUN, Status.PASS))
    bad = merged(part("gw0", Status.PASS, Status.NOT_RUN), part("gw1", Status.NOT_RUN, Status.FAIL))
    cut = merged(part("gw0", Status.PASS, Status.NOT_RUN), part("gw1", Status.NOT_RUN, Status.NOT_RUN))

    assert bad.gate.status is Status.FAIL
    assert Status.FAIL not in {good.gate.status, cut.gate.status}
    assert cut.scenarios[1].status is Status.NOT_RUN


def test_what_broke_in_one_worker_broke_the_whole():
    broken = part("gw1", Status.NOT_RUN, Status.PASS)
    broken = replace(broken, result=replace(broken.result, broke=("the watchdog ended",)))

    result = merged(part("gw0", Status.PASS, Status.NOT_RUN), broken)

    assert result.broke == ("the watchdog ended",)
    assert result.gate.status is Status.INCONCLUSIVE


def test_files_and_earlier_attempts_are_found_below_the_workers_folder():
    whole = part("gw0", Status.FAIL, Status.NOT_RUN)
    kept = KeptFiles("kept/spine", 1, 10)
    attempt = Attempt(Status.INCONCLUSIVE, (), 1.0, "history/spine-1", kept)
    scenario = replace(whole.result.scenarios[0], kept=kept, attempts=(attempt,))
    whole = replace(whole, result=replace(whole.result, scenarios=(scenario, whole.result.scenarios[1])))

    (first, _) = merged(whole).scenarios

    assert first.kept is not None
    assert first.kept.folder == "gw0/kept/spine"
    assert first.attempts[0].history == "gw0/history/spine-1"
    assert first.attempts[0].kept is not None
    assert first.attempts[0].kept.folder == "gw0/kept/spine"


def test_parts_of_different_plans_are_refused():
    other = part("gw1", Status.NOT_RUN, Status.PASS)
    other = replace(other, result=replace(other.result, plan_hash="another"))

    with pytest.raises(ValueError, match="not of one plan"):
        merged(part("gw0", Status.PASS, Status.NOT_RUN), other)
