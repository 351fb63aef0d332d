"""The control's calls are told while the run goes on, each once, so that a snapshot can be judged by them."""

from array import array
from pathlib import Path

import pytest

from harness.load.assignment import Assignment
from harness.load.control import ControlCalls
from harness.load.slots import ANSWERED, Slots
from harness.model.facts import ControlCall

BEGAN_NS = 1_000
SECOND_NS = 1_000_000_000
RECORDS = 4


@pytest.fixture
def assignment(tmp_path):
    schedule, slots = tmp_path / "schedule.bin", tmp_path / "control.slots"
    schedule.write_bytes(array("q", [number * SECOND_NS for number in range(RECORDS)]).tobytes())
    Slots.create(slots, RECORDS)
    return Assignment("run-1", 1, RECORDS, 0, 1, 1, 1, str(schedule), str(slots), "", "return", "none", {})


def due_ns(number):
    return BEGAN_NS + number * SECOND_NS


def answered(assignment, *numbers):
    """Let the control's calls of these numbers begin 5 ns late and take 2 ns."""
    slots = Slots(Path(assignment.slots_path))
    for number in numbers:
        slots.enter(number, due_ns(number) + 5)
        slots.leave(number, due_ns(number) + 7, ANSWERED)
    slots.close()


def call(number):
    return ControlCall(due_ns(number), due_ns(number) + 5, due_ns(number) + 7)


def test_a_call_is_told_once_as_soon_as_it_has_returned(assignment):
    calls = ControlCalls(assignment)
    assert calls.sweep(due_ns(3)) == []
    calls.begin(BEGAN_NS)
    answered(assignment, 0)

    assert calls.sweep(due_ns(1)) == [call(0)]
    answered(assignment, 1)
    assert calls.sweep(due_ns(1) + 9) == [call(1)]
    assert calls.sweep(due_ns(2)) == []
    answered(assignment, 2, 3)
    assert list(calls.finish()) == [call(2), call(3)]


def test_a_call_that_returned_very_late_is_told_at_the_end(assignment):
    calls = ControlCalls(assignment)
    calls.begin(BEGAN_NS)
    assert calls.sweep(due_ns(60)) == []
    answered(assignment, 0, 2)

    assert list(calls.finish()) == [call(0), call(2)]


def test_a_run_that_never_began_has_no_calls(assignment):
    answered(assignment, 0)

    assert list(ControlCalls(assignment).finish()) == []
