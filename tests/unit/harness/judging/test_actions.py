"""Actions judged from literal facts: what had to be done, by when, and how often it was."""

from dataclasses import replace

import pytest

from harness.judging.checkers.actions_missed import ActionsMissed
from harness.judging.checkers.actions_repeated import ActionsRepeated
from harness.judging.timeline import timeline
from harness.model.declarations import Actions, Step
from harness.model.facts import ActionsRead, ActionTaken, FaultChanged, PhaseChanged
from harness.model.protocols import Status
from tests.unit.harness.literal_history import BEGAN, at, charge

ACTIONS = Actions(
    *("to_webhook", "webhook_receiver", "header key", "json about"),
    causes=("store_down",),
    engines=("engine",),
    deadline_seconds=6.0,
)
STORE_DOWN = frozenset({"store_down", "network"})


def fault(begin, end, step=0, target="to_store"):
    return [
        FaultChanged(at(moment), step, "black_hole", target, state)
        for moment, state in ((begin, "injecting"), (begin, "injected"), (end, "healed"))
    ]


def done(seconds, about="f", key="k"):
    return ActionTaken(at(seconds), key, about)


def judged(kind, *facts, causes=(STORE_DOWN, frozenset()), read=None):
    read = ActionsRead(at(60)) if read is None else read
    end = [*([read] if read else []), PhaseChanged(at(60), "stop")]
    story = timeline([PhaseChanged(BEGAN, "steady"), *facts, *end])
    return kind(replace(charge(), actions=ACTIONS, causes=causes)).check(story)


def missed(*facts, **how):
    return judged(ActionsMissed, *facts, **how).status.name


def repeated(*facts, **how):
    return judged(ActionsRepeated, *facts, **how).status.name


@pytest.mark.parametrize(("seconds", "status"), [(9.9, "FAIL"), (10, "PASS"), (16, "PASS"), (16.1, "FAIL")])
def test_something_is_done_from_the_injection_until_the_deadline(seconds, status):
    assert missed(*fault(10, 20), done(seconds)) == status


def test_nothing_done_is_missed_and_named():
    verdict = judged(ActionsMissed, *fault(10, 20))
    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert verdict.counterexample[0].startswith("black_hole on to_store, ")


def test_a_fault_of_another_cause_or_a_short_one_is_not_acted_on():
    assert missed(*fault(10, 20), causes=(frozenset({"disk"}),)) == "INCONCLUSIVE"
    assert missed(*fault(10, 14.9)) == "INCONCLUSIVE"


@pytest.mark.parametrize("target", ["engine", "to_webhook", "webhook_receiver"])
def test_what_acts_or_the_way_to_the_receiver_was_hurt_so_it_may_be_later(target):
    assert missed(*fault(10, 30), *fault(12, 20, 1, target), done(25)) == "PASS"
    assert missed(*fault(10, 30), *fault(12, 20, 1, target), done(26.1)) == "FAIL"


@pytest.mark.parametrize(("seconds", "status"), [(9.9, "FAIL"), (12, "PASS"), (26, "PASS"), (26.1, "FAIL")])
def test_what_waits_for_the_healing_is_done_until_the_deadline_after_it(seconds, status):
    actions = replace(ACTIONS, causes=("store_refuses",), causes_after_healing=("store_down",))
    story = [*fault(10, 20), done(seconds), ActionsRead(at(60)), PhaseChanged(at(60), "stop")]
    check = ActionsMissed(replace(charge(), actions=actions, causes=(STORE_DOWN,)))

    assert check.check(timeline([PhaseChanged(BEGAN, "steady"), *story])).status.name == status


def test_what_is_acted_on_at_once_and_after_healing_is_acted_on_at_once():
    actions = replace(ACTIONS, causes_after_healing=("network", "disk"))

    assert [actions.waits(causes) for causes in (STORE_DOWN, frozenset({"disk"}), frozenset({"keys"}))] == [
        False,
        True,
        False,
    ]


def test_one_action_about_each_finding_is_right():
    assert repeated(done(10, "a", "1"), done(20, "b", "2")) == "PASS"


@pytest.mark.parametrize("key", ["1", "2"])
def test_a_second_action_about_one_finding_is_too_many_whatever_its_key(key):
    verdict = judged(ActionsRepeated, done(10, "a", "1"), done(12, "a", key), done(11, "b", "3"))
    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert verdict.counterexample[0].startswith("a: 1 at ")


def test_what_was_not_read_is_not_judged_but_what_was_seen_twice_was_done_twice():
    for read in (False, ActionsRead(at(60), unread="gone"), ActionsRead(at(60), 1, "no key")):
        assert missed(*fault(10, 20), read=read) == "INCONCLUSIVE"
        assert repeated(done(10), read=read) == "INCONCLUSIVE"
        assert repeated(done(10), done(11), read=read) == "FAIL"


def test_without_a_promise_nothing_is_planned():
    for kind in (ActionsMissed, ActionsRepeated):
        assert kind(charge()).lacks() == "the stack promises no actions"


def test_an_action_can_be_missed_only_where_a_fault_must_be_acted_on():
    what = replace(charge(), actions=ACTIONS, causes=(STORE_DOWN,))
    whole = replace(what, scenario=replace(what.scenario, steps=(Step("black_hole", "to_store", 1, 5),)))
    assert [kind(whole).lacks() for kind in (ActionsMissed, ActionsRepeated)] == ["", ""]
    for other in (replace(whole, causes=(frozenset({"disk"}),)), replace(whole, scenario=what.scenario)):
        assert ActionsMissed(other).lacks() == "no fault that must be acted on lasts 5 s"
        assert ActionsRepeated(other).lacks() == ""
