from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.protocols import Status, Verdict
from harness.model.result import GateDecision, Result
from harness.reporting.annotations import ANNOTATIONS_MAX, Place, worst_annotations
from tests.unit.harness.reporting.example_result import (
    inconclusive_result,
    passing_result,
    scenario_result,
    vetoed_result,
)


def nowhere(_scenario: object, _objective: str) -> None:
    return None


def told(result: Result) -> tuple[str, ...]:
    return worst_annotations(result, nowhere)


def test_a_pass_is_not_annotated():
    assert told(passing_result()) == ()


def test_the_gate_comes_first_then_the_veto_then_the_other_verdicts_by_their_gravity():
    gate, veto, failure, warning = told(vetoed_result())

    assert gate.startswith("::error title=logquake%3A FAIL%2C score withheld::Veto ")
    assert veto.startswith("::error title=FAIL%3A spine%2C acknowledged_lost::37 of 7,220")
    assert "%0Arecord 1612" in veto
    assert failure.startswith("::error title=FAIL%3A spine%2C response_p99_ms::")
    assert warning.startswith("::warning title=WARN%3A spine%2C corrupted::")


def test_the_line_of_the_objective_is_pointed_at():
    def locate(scenario, objective):
        return Place("scenarios/a,b.yaml", 14) if objective == "response_p99_ms" else None

    pointed = [one for one in worst_annotations(vetoed_result(), locate) if " file=" in one]

    assert len(pointed) == 1
    assert pointed[0].startswith("::error file=scenarios/a%2Cb.yaml,line=14,title=")


def test_what_is_undecided_is_a_warning():
    assert told(inconclusive_result())[0].startswith("::warning title=logquake%3A INCONCLUSIVE")


def test_at_most_ten_are_told_and_a_failure_at_the_end_is_among_them():
    warns = (Verdict("x", "delivery", Status.WARN, "odd"),) * 30
    fails = (Verdict("y", "delivery", Status.FAIL, "lost"),)
    one = replace(scenario_result(), verdicts=warns + fails)
    made = told(replace(passing_result(), scenarios=(one,), gate=GateDecision(Status.FAIL, ("y failed",))))

    assert len(made) == ANNOTATIONS_MAX == 10
    assert made[1].startswith("::error title=FAIL%3A spine%2C y::")


@pytest.mark.parametrize("canary", ["::add-mask::canary", "\n::error::canary", "##[group]canary", "%0A::x"])
def test_no_counterexample_can_add_a_command(canary):
    verdict = Verdict("x", "delivery", Status.FAIL, canary, counterexample=(canary,))
    one = replace(scenario_result(), verdicts=(verdict,))
    gate = GateDecision(Status.FAIL, (canary,))
    made = told(replace(passing_result(), scenarios=(one,), gate=gate))

    assert len(made) == 2
    assert all(len(line.splitlines()) == 1 and line.startswith("::error title=") for line in made)
    assert not any("%0A::x" in line for line in made)
