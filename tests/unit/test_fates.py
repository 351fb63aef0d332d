"""The rules across verdicts: what is excused, what is late, what is lost."""

import pytest

from harness.account import account
from harness.checkers.conservation import VETO, Conservation
from harness.checkers.liveness import Liveness
from harness.facts import CounterRead, FaultChanged, FaultSeen, Found, PhaseChanged
from harness.fates import fates
from harness.protocols import APPLICATION, Level, Promises, Status
from tests.unit.literal_history import STEP, at, charge, good_run, without

MISSING = range(590, 600)


def run(*more):
    """Ten acknowledged records, sent just before 6 s, are nowhere."""
    return [*without(good_run(), Found, *MISSING), PhaseChanged(at(13), "read back"), *more]


def killed(target=APPLICATION, *, needs="Killable", landed=True):
    return [
        FaultChanged(at(6), 1, "killed", target, "injected", needs),
        FaultSeen(at(6), 1, landed, "pid 9 is gone"),
    ]


def promised(level):
    return charge(STEP, promises=Promises(durability=level))


def test_an_acknowledgement_at_memory_does_not_survive_the_applications_kill():
    verdict = Conservation(promised(Level.MEMORY)).check(run(*killed()))

    assert (verdict.status, verdict.vetoes) == (Status.PASS, ())
    assert any("excused" in line and "590, 591" in line for line in verdict.evidence)


@pytest.mark.parametrize("level", [Level.WRITE, Level.FSYNC])
def test_an_acknowledgement_at_write_or_fsync_is_never_excused(level):
    verdict = Conservation(promised(level)).check(run(*killed()))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 10, (VETO,))


@pytest.mark.parametrize(
    "fault",
    [
        killed("elasticsearch"),
        killed("shipper"),
        killed(needs="Pausable"),
        killed(landed=False),
    ],
    ids=["of the store", "of another process", "which only pauses", "which was not proved"],
)
def test_no_other_fault_excuses_a_loss_at_memory(fault):
    assert Conservation(promised(Level.MEMORY)).check(run(*fault)).status is Status.FAIL


def test_what_was_acknowledged_after_the_kill_is_owed():
    events = without(run(*killed()), Found, 700)

    verdict = Conservation(promised(Level.MEMORY)).check(events)

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "record 700" in verdict.counterexample[0]


def test_missing_records_that_are_still_held_are_late_and_not_lost():
    events = run(CounterRead(at(14), "held", 10))

    assert Conservation(promised(Level.FSYNC)).check(events).status is Status.INCONCLUSIVE
    liveness = Liveness(promised(Level.FSYNC)).check(events)
    assert liveness.status is Status.FAIL
    assert "still held" in liveness.summary


def test_more_missing_than_held_is_loss_of_the_rest():
    verdict = Conservation(promised(Level.FSYNC)).check(run(CounterRead(at(14), "held", 4)))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 6, (VETO,))


def test_what_was_held_before_the_drain_ended_excuses_nothing():
    verdict = Conservation(promised(Level.FSYNC)).check(run(CounterRead(at(12), "held", 10)))

    assert verdict.status is Status.FAIL


def test_holding_nothing_that_is_owed_is_no_finding():
    events = [*good_run(), PhaseChanged(at(13), "read back"), CounterRead(at(14), "held", 10)]

    assert fates(account(events), promised(Level.FSYNC)).held == 0
    assert Liveness(promised(Level.FSYNC)).check(events).status is Status.PASS


def test_a_counted_drop_never_excuses_an_acknowledged_record():
    events = run(CounterRead(at(14), "dropped", 10))

    assert Conservation(promised(Level.FSYNC)).check(events).status is Status.FAIL
