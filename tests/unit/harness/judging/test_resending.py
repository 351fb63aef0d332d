"""What a counterexample of a duplicate says of the record's way to the store."""

import pytest

from harness.judging.resending import cut_lines
from harness.judging.timeline import timeline
from harness.model.facts import FaultChanged, FaultSeen, Sent
from tests.unit.harness.literal_history import at, fault, good_run, without

# Sent every 10 ms, so record 350 at 3.5 s; the fault is on from 4 s to 6 s.
TOLD = ("While it may have been on its way, killed on elasticsearch was on, from 4.000 s: pid 7 is gone.",)


def lines(events, sequence, visible_seconds=1.0):
    made = timeline(events)
    return cut_lines(made, made.entries[sequence], visible_seconds)


@pytest.mark.parametrize(
    ("sequence", "told"),
    [(290, ()), (350, TOLD), (450, TOLD), (599, TOLD), (600, ()), (700, ())],
    ids=["long before", "just before", "while it was on", "at its end", "healed", "after"],
)
def test_a_fault_is_told_where_it_was_on_while_the_record_may_have_been_on_its_way(sequence, told):
    assert lines(good_run(), sequence) == told


def test_a_stack_that_may_hold_a_record_longer_may_have_met_a_later_fault():
    assert lines(good_run(), 290, visible_seconds=1.2) == TOLD


def test_a_fault_that_was_not_proved_is_not_told():
    events = [event for event in good_run() if not isinstance(event, FaultSeen)]

    assert lines([*events, *fault(landed=False)[2:3]], 450) == ()


def test_what_befalls_the_application_itself_does_not_lie_on_the_way():
    of_the_application = [
        FaultChanged(at(7), 1, "killed", "application", "injecting"),
        FaultSeen(at(7), 1, landed=True, proof="pid 8 is gone"),
        FaultChanged(at(8), 1, "killed", "application", "healed"),
    ]

    assert lines([*good_run(), *of_the_application], 750) == ()


def test_a_record_that_was_never_sent_met_nothing():
    assert lines(without(good_run(), Sent, 450), 450) == ()


def test_several_faults_are_told_in_the_order_of_their_times():
    second = fault(1, 5.0, 5.5)

    told = lines([*good_run(), *second], 450)

    assert [line.split("from ")[1].split(":")[0] for line in told] == ["4.000 s", "5.000 s"]
