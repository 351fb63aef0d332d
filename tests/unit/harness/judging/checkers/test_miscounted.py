from dataclasses import replace

import pytest

from harness.evidence.lines import digest
from harness.judging.checkers.miscounted import Miscounted
from harness.judging.timeline import timeline
from harness.model.declarations import APPLICATION, Level
from harness.model.facts import (
    STORED,
    Acknowledged,
    Answered,
    ArchiveRead,
    CounterRead,
    DeadLettered,
    DeadLettersRead,
    FaultChanged,
    FaultSeen,
    Found,
    PhaseChanged,
    Refused,
    Sample,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, without

NAMES = frozenset({"accepted", "delivered", "dead_lettered", "dropped", "held"})
CHARGE = replace(charge(STEP), counters=NAMES, dead_letters=True)
CHECKER = Miscounted(CHARGE)
RECORDS = 1002
TRUE = {"accepted": RECORDS, "delivered": RECORDS, "dead_lettered": 0, "dropped": 0, "held": 0}
GONE = range(600, 650)


def run(*more, at_seconds=14, **changed):
    """A good run whose counters say the truth, but for what a test changes."""
    said = TRUE | changed
    return [
        *good_run(),
        PhaseChanged(at(13), "read back"),
        DeadLettersRead(at(14), 0),
        *(CounterRead(at(at_seconds), name, value) for name, value in said.items()),
        *more,
    ]


def dropping_run(*more, **changed):
    """Fifty records are nowhere."""
    return without(run(*more, delivered=RECORDS - len(GONE), **changed), Found, *GONE)


def test_counters_that_tell_the_truth_pass():
    assert CHECKER.check(timeline(run())).status is Status.PASS


@pytest.mark.parametrize(
    ("name", "said"), [("accepted", 1001), ("accepted", 1003), ("delivered", 1001), ("delivered", 1003)]
)
def test_one_record_off_fails_and_is_told(name, said):
    verdict = CHECKER.check(timeline(run(**{name: said})))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert verdict.counterexample[0].startswith(f"{name}: {said:,} counted by the stack, 1,002 measured")


def test_a_stack_that_drops_and_reports_zero_drops_fails():
    verdict = CHECKER.check(timeline(dropping_run(dropped=0)))

    assert (verdict.status, verdict.value) == (Status.FAIL, 50)


def test_drops_that_are_counted_exactly_pass():
    assert CHECKER.check(timeline(dropping_run(dropped=50))).status is Status.PASS


def test_drops_that_never_happened_fail():
    assert CHECKER.check(timeline(run(dropped=1))).status is Status.FAIL


def test_what_is_held_is_not_dropped():
    assert CHECKER.check(timeline(dropping_run(dropped=10, held=40))).status is Status.PASS


def test_claiming_to_hold_more_than_is_missing_fails():
    assert CHECKER.check(timeline(run(held=1))).status is Status.FAIL


def test_a_refused_call_may_be_counted_or_not():
    events = [*without(without(dropping_run(), Acknowledged, *GONE), Found, *GONE)]
    refused = [Refused(n, at(n / 100)) for n in GONE]
    calls = [e for e in events if not (isinstance(e, Answered) and e.sequence in GONE)]

    for dropped, accepted in ((0, RECORDS - 50), (50, RECORDS)):
        told = [
            replace(e, value=float({"dropped": dropped, "accepted": accepted}.get(e.name, e.value)))
            if isinstance(e, CounterRead)
            else e
            for e in (*calls, *refused)
        ]
        assert CHECKER.check(timeline(told)).status is Status.PASS


def test_dead_letters_are_compared_with_the_dead_letters():
    letter = DeadLettered(600, digest("line 600"), "letters:1")
    events = without(run(letter, delivered=RECORDS - 1), Found, 600)

    assert CHECKER.check(timeline(events)).status is Status.FAIL
    assert CHECKER.check(timeline([*events, CounterRead(at(14), "dead_lettered", 1)])).status is Status.PASS


def killed_at(seconds):
    return [
        FaultChanged(at(seconds), 1, "killed", APPLICATION, "injected", "Killable"),
        FaultSeen(at(seconds), 1, True, "pid 9 is gone"),
    ]


def test_what_a_killed_application_could_not_write_any_more_is_not_held_against_it():
    assert CHECKER.check(timeline(run(*killed_at(6), accepted=RECORDS - 150))).status is Status.PASS
    assert CHECKER.check(timeline(run(*killed_at(6), accepted=RECORDS - 300))).status is Status.FAIL


def killed_process_at(seconds, target):
    return (
        FaultChanged(at(seconds), 1, "killed", target, "injected", "Killable"),
        FaultSeen(at(seconds), 1, True, "it is gone"),
    )


def test_what_the_killed_process_that_takes_records_could_not_write_any_more_is_not_held_against_it():
    gateway = Miscounted(replace(CHARGE, takers=frozenset({"gateway_2"})))
    killed = killed_process_at(6, "gateway_2")

    assert gateway.check(timeline(run(*killed, accepted=RECORDS - 150))).status is Status.PASS
    assert gateway.check(timeline(run(*killed, accepted=RECORDS - 300))).status is Status.FAIL
    # A store that is killed counts nothing, nor does a process of a stack that the application writes into.
    assert gateway.check(
        timeline(run(*killed_process_at(6, "elasticsearch"), accepted=RECORDS - 150))
    ).status is (Status.FAIL)
    assert CHECKER.check(timeline(run(*killed, accepted=RECORDS - 150))).status is Status.FAIL


def test_what_a_killed_application_last_said_it_held_stands_for_ever():
    assert CHECKER.check(timeline(run(*killed_at(6), held=3))).status is Status.PASS
    assert CHECKER.check(timeline(run(*killed_at(6), held=300))).status is Status.FAIL


def test_records_that_died_in_a_killed_applications_memory_cannot_be_counted():
    events = without(dropping_run(*killed_at(6.6)), Acknowledged, *GONE)

    assert CHECKER.check(timeline(events)).status is Status.PASS


def test_a_counter_that_began_anew_is_not_judged():
    events = run(CounterRead(at(3), "delivered", 5_000))
    events = [*events, *(CounterRead(at(15), "delivered", 20) for _ in range(1))]

    verdict = CHECKER.check(timeline(sorted(events, key=lambda event: getattr(event, "at_ns", 0))))

    assert verdict.status is Status.INCONCLUSIVE
    assert "were reset" in verdict.summary


def test_a_counter_not_readable_after_the_drain_leaves_it_open():
    verdict = CHECKER.check(timeline(run(at_seconds=12.5)))

    assert verdict.status is Status.INCONCLUSIVE
    assert "Not readable after the drain" in verdict.summary


@pytest.mark.parametrize("missing", [ArchiveRead, DeadLettersRead, CounterRead])
def test_without_evidence_there_is_no_verdict(missing):
    events = [event for event in run() if not isinstance(event, missing)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE
    assert CHECKER.check(timeline([])).status is Status.INCONCLUSIVE


def test_it_is_planned_only_where_counters_are_declared():
    assert Miscounted(CHARGE).lacks() == ""
    assert Miscounted(charge(STEP)).lacks() == "the stack declares no counters"


WITH_DESTROYED = Miscounted(replace(CHARGE, counters=NAMES | {"destroyed"}))


@pytest.mark.parametrize(("dropped", "destroyed", "held"), [(0, 50, 0), (20, 30, 0), (20, 10, 20)])
def test_what_is_nowhere_is_dropped_destroyed_or_held(dropped, destroyed, held):
    events = dropping_run(dropped=dropped, destroyed=destroyed, held=held)

    assert WITH_DESTROYED.check(timeline(events)).status is Status.PASS


@pytest.mark.parametrize(("dropped", "destroyed"), [(0, 49), (1, 50), (0, 51), (50, 1)])
def test_one_destroyed_record_too_few_or_too_many_fails(dropped, destroyed):
    verdict = WITH_DESTROYED.check(timeline(dropping_run(dropped=dropped, destroyed=destroyed)))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)


def _counting(readings, stored):
    """A good run, with what the stack called delivered and what the archive counted, by seconds."""
    events = run(
        *(CounterRead(at(seconds), "delivered", value) for seconds, value in readings.items()),
        *(Sample(at(seconds), STORED, value) for seconds, value in stored.items()),
    )
    return sorted(events, key=lambda event: getattr(event, "at_ns", 0))


HONEST = {3: 300, 4: 400, 5: 400, 6: 400, 7: 700}
STORED_THEN = {4: 400, 5: 400, 6: 400, 6.5: 400, 7: 400, 7.5: 650, 8: 800, 9: 900, 14: RECORDS}


def test_a_count_that_was_ahead_of_the_archive_only_during_the_outage_fails():
    verdict = CHECKER.check(timeline(_counting(HONEST | {4.5: 450, 5: 500}, STORED_THEN)))

    assert (verdict.status, verdict.value) == (Status.FAIL, 50)
    assert verdict.counterexample == (
        "delivered: 450 counted by the stack at 4.500 s, while killed on elasticsearch was on, 0.5 s after "
        "it began; 400 were in the archive 2 s later.",
    )


@pytest.mark.parametrize(
    ("readings", "stored"),
    [
        (HONEST, STORED_THEN),
        (HONEST | {4.5: 450}, STORED_THEN),
        (HONEST | {4.5: 450, 5: 500}, {4: 400, 9: 900, 14: RECORDS}),
        # Stored before the store was frozen; it shows what it took only when it has run for a moment again.
        (HONEST | {4.5: 450, 5: 450}, {4: 400, 9: 400, 9.4: 450, 10: 800, 14: RECORDS}),
        (HONEST | {4.5: 450, 5: 500}, STORED_THEN | {14: RECORDS - 1}),
        (HONEST, {}),
    ],
    ids=[
        "what is counted is there two seconds later",
        "one reading alone",
        "the archive could not be counted meanwhile",
        "the archive was frozen and shows its old count at first",
        "the archive counts something else",
        "the archive is never counted",
    ],
)
def test_a_count_is_not_ahead_where_the_archive_does_not_show_it_twice(readings, stored):
    assert CHECKER.check(timeline(_counting(readings, stored))).status is Status.PASS


def test_a_lag_that_the_stack_declares_is_waited_for():
    slow = Miscounted(replace(CHARGE, counters_lag_seconds=4.0))

    assert slow.check(timeline(_counting(HONEST | {4.5: 450, 5: 500}, STORED_THEN))).status is Status.PASS


def written(name, value, at_seconds, written_seconds):
    return CounterRead(at(at_seconds), name, value, at(written_seconds))


def test_a_killed_applications_old_word_is_held_against_what_was_true_when_it_was_written():
    """Killed at 6 s; its last word is of 2.5 s, on a machine too busy for more: 350 of 1,002 are missing."""
    old = [written("accepted", 250, 3, 2.5), written("accepted", 250, 6.5, 2.5)]
    verdict = CHECKER.check(timeline([*old, *run(*killed_at(6), accepted=RECORDS - 350)]))

    assert verdict.status is Status.INCONCLUSIVE
    assert "last wrote its counters 3.5 s before it was killed" in verdict.summary


def test_an_old_word_excuses_no_more_than_what_came_back_since():
    old = [written("accepted", 250, 3, 2.5), written("accepted", 250, 6.5, 2.5)]

    verdict = CHECKER.check(timeline([*old, *run(*killed_at(6), accepted=RECORDS - 700)]))

    assert verdict.status is Status.FAIL


def test_an_old_word_excuses_no_count_that_is_too_high():
    old = [written("accepted", 250, 3, 2.5), written("accepted", 250, 6.5, 2.5)]

    assert CHECKER.check(timeline([*old, *run(*killed_at(6), accepted=RECORDS + 1)])).status is Status.FAIL


def test_a_young_word_excuses_nothing_more():
    young = [written("accepted", 500, 5.5, 5.4), written("accepted", 500, 6.5, 5.4)]

    assert (
        CHECKER.check(timeline([*young, *run(*killed_at(6), accepted=RECORDS - 300)])).status is Status.FAIL
    )


def test_the_word_of_the_application_that_was_started_again_is_not_the_killed_ones():
    old = [written("accepted", 250, 3, 2.5), written("accepted", 250, 6.5, 2.5)]
    restarted = written("accepted", 300, 8, 7.9)

    verdict = CHECKER.check(timeline([*old, restarted, *run(*killed_at(6), accepted=RECORDS - 350)]))

    assert verdict.status is Status.INCONCLUSIVE


def test_what_nobody_held_is_not_excused_by_an_old_word_without_a_kill():
    old = [written("accepted", 250, 3, 2.5)]

    assert CHECKER.check(timeline([*old, *run(accepted=RECORDS - 350)])).status is Status.FAIL


def test_drops_counted_before_an_old_word_are_compared_as_far_as_it_goes():
    """Fifty are nowhere, sent from 6 s on; a kill at 6.5 s, the last word of 3 s."""
    old = [written("dropped", 0, 3.5, 3), written("dropped", 0, 7, 3)]

    young = written("dropped", 0, 6.5, 6.4)
    durable = Miscounted(replace(CHARGE, promises=replace(CHARGE.promises, durability=Level.FSYNC)))

    unsure = durable.check(timeline([*old, *dropping_run(*killed_at(6.5), dropped=0)]))
    lying = durable.check(timeline([young, *dropping_run(*killed_at(6.5), dropped=0)]))

    assert (unsure.status, lying.status) == (Status.INCONCLUSIVE, Status.FAIL)
