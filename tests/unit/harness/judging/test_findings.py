"""Findings judged from literal facts: which fault had to be found, by when, under which name."""

from dataclasses import replace

import pytest

from harness.judging.checkers.findings_false import FindingsFalse
from harness.judging.checkers.findings_late import FindingsLate
from harness.judging.checkers.findings_misnamed import FindingsMisnamed
from harness.judging.checkers.findings_missed import FindingsMissed
from harness.judging.timeline import timeline
from harness.model.declarations import ERROR_BURST, Findings, Part, Step
from harness.model.facts import FaultChanged, FindingSeen, FindingsRead, PhaseChanged
from harness.model.protocols import Status
from tests.unit.harness.literal_history import BEGAN, at, charge

FINDINGS = Findings("", causes={"backend": ("store_down",)}, after_seconds=5.0, watcher="watch")
FOUR = (FindingsMissed, FindingsLate, FindingsMisnamed, FindingsFalse)
STORE_DOWN = frozenset({"store_down", "network"})
NOTHING: frozenset[str] = frozenset()
RIGHT = {"missed": "PASS", "late": "PASS", "misnamed": "PASS", "false": "PASS"}
OF_NOTHING = {"missed": "INCONCLUSIVE", "late": "INCONCLUSIVE", "misnamed": "INCONCLUSIVE", "false": "PASS"}


def fault(begin, end, step=0, target="to_store"):
    return [
        FaultChanged(at(moment), step, "black_hole", target, state)
        for moment, state in ((begin, "injecting"), (begin, "injected"), (end, "healed"))
    ]


def found(seconds, cause="backend", name="f"):
    return FindingSeen(at(seconds), name, cause)


def judged(*facts, causes=(STORE_DOWN,), read=None, findings=FINDINGS, ended=60.0, schedule=None):
    read = FindingsRead(at(ended)) if read is None else read
    end = [*([read] if read else []), PhaseChanged(at(ended), "stop")]
    what = replace(charge(), findings=findings, causes=causes)
    if schedule:
        what = replace(what, scenario=replace(what.scenario, schedule=Part(schedule)))
    story = timeline([PhaseChanged(BEGAN, "steady"), *facts, *end])
    return {
        each.objective.removeprefix("findings_"): each for each in [kind(what).check(story) for kind in FOUR]
    }


def words(*facts, **how):
    return {name: verdict.status.name for name, verdict in judged(*facts, **how).items()}


def but(**changed):
    return {**RIGHT, **changed}


def test_a_fault_that_is_found_in_time_and_by_its_name_is_right():
    assert words(*fault(10, 20), found(14)) == RIGHT


def test_a_fault_that_nothing_is_found_about_is_missed():
    assert words(*fault(10, 20)) == {**OF_NOTHING, "missed": "FAIL"}


def test_a_fault_is_found_late_after_the_deadline():
    assert words(*fault(10, 30), found(20.5)) == but(late="FAIL")
    assert words(*fault(10, 30), found(20)) == RIGHT


def test_only_the_first_finding_about_a_fault_has_to_be_in_time():
    assert words(*fault(10, 30), found(12, name="a"), found(29, name="b")) == RIGHT


def test_a_finding_that_names_another_cause_is_misnamed():
    verdict = judged(*fault(10, 20), found(12, "keys"))["misnamed"]
    assert verdict.status is Status.FAIL
    assert verdict.counterexample == ("black_hole on to_store: found as keys; it is network or store_down.",)


def test_one_finding_with_the_right_name_among_others_is_enough():
    assert words(*fault(10, 20), found(12, "keys", "a"), found(13, "backend", "b")) == RIGHT


def test_a_word_that_the_stack_shares_with_the_harness_needs_no_translation():
    assert words(*fault(10, 20), found(12, "network")) == RIGHT


@pytest.mark.parametrize("seconds", [5, 9.9, 25.1, 50])
def test_a_finding_beside_all_faults_is_false(seconds):
    assert words(*fault(10, 20), found(12), found(seconds, name="other"))["false"] == "FAIL"


def test_a_finding_soon_after_the_healing_is_about_the_fault():
    assert words(*fault(10, 20), found(12), found(24.9, name="other")) == RIGHT


def test_a_fault_that_need_not_be_found_explains_a_finding_all_the_same():
    assert words(*fault(10, 20), found(12), causes=(frozenset(),)) == OF_NOTHING


def test_a_fault_that_is_soon_over_need_not_be_found():
    assert words(*fault(10, 14.9)) == OF_NOTHING
    assert words(*fault(10, 15))["missed"] == "FAIL"


def test_each_fault_is_owed_a_finding_of_its_own():
    facts = [*fault(10, 20), *fault(40, 50, step=1)]
    causes = (STORE_DOWN, STORE_DOWN)
    verdict = judged(*facts, found(12), causes=causes)["missed"]
    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert words(*facts, found(12), found(42, name="b"), causes=causes) == RIGHT


def test_the_same_trouble_soon_again_may_still_be_told_by_the_finding_before():
    again = [*fault(10, 20), *fault(24, 34, step=1), found(12)]
    assert words(*again, causes=(STORE_DOWN, STORE_DOWN)) == RIGHT
    assert judged(*again, causes=(STORE_DOWN, STORE_DOWN))["late"].value == 2
    assert words(*again, causes=(STORE_DOWN, frozenset({"disk"})))["missed"] == "FAIL"


def test_while_the_finder_is_hurt_nothing_is_late():
    hurt = fault(11, 25, step=1, target="watch")
    causes = (STORE_DOWN, NOTHING)
    assert words(*fault(10, 30), *hurt, found(28), causes=causes) == RIGHT
    assert words(*fault(10, 50), *hurt, found(36), causes=causes) == but(late="FAIL")


def test_with_planned_errors_no_finding_is_false():
    assert words(found(12), schedule=ERROR_BURST, causes=())["false"] == "PASS"
    assert words(found(12), causes=())["false"] == "FAIL"


def test_a_run_that_ends_before_a_finding_is_owed_decides_nothing():
    assert words(*fault(10, 16), ended=18.0)["missed"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (FindingsRead(at(60), unread="gone"), "could not be read: gone"),
        (FindingsRead(at(60), unreadable=2, example="f: no JSON"), "2 lines are no findings: f: no JSON"),
        (False, "were not read to their end"),
    ],
)
def test_what_was_not_read_is_not_judged(read, why):
    found_out = judged(*fault(10, 20), read=read)
    assert {verdict.status for verdict in found_out.values()} == {Status.INCONCLUSIVE}
    assert why in found_out["missed"].summary


def test_what_was_not_read_whole_is_false_all_the_same():
    assert judged(found(5), read=FindingsRead(at(60), unreadable=1))["false"].status is Status.FAIL


def test_a_finder_that_was_killed_may_leave_half_a_line():
    hurt = fault(11, 12, step=1, target="watch")
    read = FindingsRead(at(60), unreadable=1, example="f: no JSON")
    assert words(*fault(10, 20), *hurt, found(14), causes=(STORE_DOWN, frozenset()), read=read) == RIGHT


def planned(steps, causes):
    what = replace(charge(), findings=FINDINGS, causes=causes)
    what = replace(what, scenario=replace(what.scenario, steps=steps))
    return {kind.objective for kind in FOUR if not kind(what).lacks()}


def test_without_a_promise_nothing_is_planned():
    for kind in FOUR:
        assert kind(charge()).lacks() == "the stack promises no findings"


def test_where_no_fault_must_be_found_only_false_findings_are_judged():
    every = {kind.objective for kind in FOUR}
    assert planned((Step("black_hole", "to_store", 1, 5),), (STORE_DOWN,)) == every
    for steps, causes in (
        ((), ()),
        ((Step("black_hole", "to_store", 1, 4.9),), (STORE_DOWN,)),
        ((Step("latency", "to_store", 1, 9),), (NOTHING,)),
    ):
        assert planned(steps, causes) == {"findings_false"}


def test_what_the_stack_says_of_a_finding_explains_a_red_and_judges_nothing():
    says = "spike: shop logs 317 errors within 1 s"
    told = replace(found(40), says=says)

    assert judged(told, causes=())["false"].counterexample == (
        f"f, 40.000 s, no fault was on: backend, {says}.",
    )
    assert judged(found(40), causes=())["false"].counterexample == ("f, 40.000 s, no fault was on: backend.",)
    wrong = judged(*fault(10, 20), replace(told, at_ns=at(14), cause="load"))["misnamed"]
    assert wrong.counterexample[0].endswith(f"It says: load, {says}.")
    assert words(*fault(10, 20), replace(told, at_ns=at(14))) == RIGHT
