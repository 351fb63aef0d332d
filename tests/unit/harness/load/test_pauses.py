"""What falls due in a pause is never sent, and is told: neither lost nor late."""

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.spans import span_of
from harness.judging.timeline import timeline
from harness.judging.verdict import judge
from harness.load.oracle import Oracle
from harness.load.pauses import Pauses
from harness.load.sender import Sender
from harness.load.slots import Slots
from harness.model.facts import Due, InSpan, Sent, Withheld
from tests.unit.harness.literal_history import at, charge, phases
from tests.unit.harness.load.test_sender import Intake, make_assignment

MS = 1_000_000


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6, unique=True).map(sorted), st.integers(0, 110))
def test_a_moment_is_in_a_pause_from_its_beginning_until_just_before_its_end(moments, asked):
    pauses = Pauses()
    for place, moment in enumerate(moments):
        (pauses.end if place % 2 else pauses.begin)(moment)
    spans = [(begin, [*moments, 1_000][2 * n + 1]) for n, begin in enumerate(moments[::2])]

    assert pauses.hold(asked) == any(begin <= asked < end for begin, end in spans)


def test_a_pause_that_is_asked_for_twice_is_one_and_an_end_without_a_pause_is_none():
    pauses = Pauses()
    pauses.end(1)
    pauses.begin(10)
    pauses.begin(20)
    pauses.end(30)

    assert [pauses.hold(at) for at in (5, 10, 25, 30)] == [False, True, True, False]


@pytest.fixture
def sending(tmp_path):
    assignment = make_assignment(tmp_path, records=12, producers=1, workers=1)
    intake = Intake()
    sender = Sender(assignment, intake, assignment.slots_of(1))
    return assignment, intake, sender


def test_a_sender_leaves_out_what_falls_due_in_a_pause_and_sends_the_rest(sending):
    _, intake, sender = sending
    began_ns = time.monotonic_ns()
    # Records are due 1 us apart from the beginning on: numbers 3 to 7 lie in the pause.
    sender.pauses.begin(began_ns + 3_000)
    sender.pauses.end(began_ns + 8_000)
    (share,) = sender.scheduled(began_ns).values()
    while records := sender.due(share):
        sender.call(records)

    assert [n for call in intake.calls for n in call] == [0, 1, 2, 8, 9, 10, 11]


def test_fresh_records_are_sent_in_a_pause_too(sending):
    _, intake, sender = sending
    sender.pauses.begin(0)
    (share,) = sender.next_wave(time.monotonic_ns()).values()
    while records := sender.due(share):
        sender.call(records)

    assert [n for call in intake.calls for n in call] == [12, 13, 14, 15]


def test_a_pause_that_begins_while_a_sender_waits_holds(sending):
    _, intake, sender = sending
    (share,) = sender.scheduled(time.monotonic_ns() + 300 * MS).values()
    sent = threading.Thread(target=lambda: sender.call(records) if (records := sender.due(share)) else None)
    sent.start()
    sender.pauses.begin(time.monotonic_ns() + 100 * MS)
    sent.join()

    assert intake.calls == []


def test_the_oracle_tells_what_a_pause_kept_back_and_counts_it_as_not_due(sending):
    assignment, _, _ = sending
    oracle = Oracle(assignment)
    oracle.begin(0)
    oracle.pauses.begin(3_000)
    oracle.pauses.end(8_000)

    facts = oracle.sweep(1 * MS)

    assert sorted(fact.sequence for fact in facts if isinstance(fact, Withheld)) == [3, 4, 5, 6, 7]
    assert sorted(fact.sequence for fact in facts if isinstance(fact, Due)) == [0, 1, 2, 8, 9, 10, 11]
    assert oracle.tally().due == 7


def test_the_oracle_tells_in_which_span_each_record_is_logged(sending):
    assignment, _, _ = sending
    oracle = Oracle(replace(assignment, fields=("trace", "span")))
    oracle.begin(0)

    facts = oracle.sweep(1 * MS)

    expected = [(number, span) for number in range(12) if (span := span_of(assignment.run_id, number))]
    told = sorted(
        (fact.sequence, (fact.trace_id, fact.span_id)) for fact in facts if isinstance(fact, InSpan)
    )
    assert told == expected
    assert not [fact for fact in Oracle(assignment).sweep(1 * MS) if isinstance(fact, InSpan)]


def test_what_was_sent_although_a_pause_should_have_kept_it_is_judged_as_any_other(sending):
    assignment, _, _ = sending
    oracle = Oracle(assignment)
    oracle.begin(0)
    oracle.pauses.begin(3_000)
    oracle.sweep(1 * MS)
    Slots(assignment.slots_of(1)).enter(5, 2 * MS)

    facts = oracle.sweep(3 * MS)

    assert [fact.sequence for fact in facts if isinstance(fact, Due | Sent)] == [5, 5]
    assert oracle.tally().due == 4
    assert timeline([Withheld(5, 5_000), *facts]).withheld_ns == {}


def test_a_verdict_says_what_was_kept_back():
    judgement = judge(timeline([*phases(), Withheld(7, at(1))]), charge(), [])

    assert judgement.tally.due == 0
    assert judgement.remarks[-1] == (
        "1 record of the schedule, due from 1.000 s to 1.000 s, not sent while the load was paused."
    )
