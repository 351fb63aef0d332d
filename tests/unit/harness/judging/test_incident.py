"""The moments of an incident, from literal facts."""

from dataclasses import replace

from harness.judging.incident import MOMENTS_MAX, incident
from harness.judging.timeline import timeline
from harness.model.declarations import Actions, Findings
from harness.model.facts import STORED, ActionTaken, FaultChanged, FindingSeen, Sample
from harness.model.result import IncidentMoment, MomentKind
from tests.unit.harness.literal_history import STEP, at, charge, good_run

PROMISED = replace(
    charge(STEP),
    findings=Findings("{run.folder}/findings.jsonl"),
    actions=Actions("to_webhook", "webhook_receiver", "header key", "json about"),
)
SEEN = [FindingSeen(at(5), "f1", "store_down"), ActionTaken(at(5.5), "k1", "f1")]


def stored(until=14.0):
    """The store counts what was sent, but for the two seconds of the fault."""
    moments = [number / 4 for number in range(int(until * 4))]
    counts = [380.0 if 4 <= moment < 6.5 else min(1002.0, 100 * min(moment, 10.0)) for moment in moments]
    pairs = zip(moments, counts, strict=True)
    return [Sample(at(moment), STORED, max(0.0, count - 20)) for moment, count in pairs]


def moments(*events, what=PROMISED):
    return incident(timeline([*good_run(), *events]), what)


def test_it_goes_from_the_fault_to_the_finding_the_action_the_healing_and_the_recovery():
    told = moments(*SEEN, *stored())

    assert told[:-1] == (
        IncidentMoment(4.0, MomentKind.INJECTED, "killed on elasticsearch"),
        IncidentMoment(5.0, MomentKind.FOUND, "store_down", "f1"),
        IncidentMoment(5.5, MomentKind.ACTED, "k1", "f1"),
        IncidentMoment(6.0, MomentKind.HEALED, "killed on elasticsearch"),
    )
    assert (told[-1].kind, 6.0 <= told[-1].at_seconds <= 8.0) == (MomentKind.RECOVERED, True)


def test_a_stack_that_promises_neither_findings_nor_actions_has_none_and_so_has_a_run_without_a_fault():
    no_fault = [event for event in good_run() if not isinstance(event, FaultChanged)]

    assert moments(*SEEN, what=charge(STEP)) == ()
    assert incident(timeline(no_fault), PROMISED) == ()


def test_a_recovery_that_was_not_seen_is_not_told():
    assert [each.kind for each in moments()] == [MomentKind.INJECTED, MomentKind.HEALED]


def test_very_many_findings_leave_room_for_the_rest():
    many = [FindingSeen(at(4 + number / 1000), f"f{number}", "store_down") for number in range(1_000)]

    told = moments(*many, SEEN[1], *stored())

    assert len(told) <= MOMENTS_MAX
    assert {each.kind for each in told} == set(MomentKind)
    assert list(told) == sorted(told, key=lambda each: each.at_seconds)
