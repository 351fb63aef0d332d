"""The rules across verdicts: what is excused, what is late, what is lost."""

from dataclasses import replace

import pytest

from harness.judging.checkers.acknowledged_lost import VETO, AcknowledgedLost
from harness.judging.checkers.fresh_record_seconds import FreshRecordSeconds
from harness.judging.outcomes import outcomes_of
from harness.judging.timeline import timeline
from harness.model.declarations import APPLICATION, Level, Permits, Promises, Step
from harness.model.facts import CounterRead, Destroyed, FaultChanged, FaultSeen, Found, PhaseChanged
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, without

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
    verdict = AcknowledgedLost(promised(Level.MEMORY)).check(timeline(run(*killed())))

    assert (verdict.status, verdict.vetoes) == (Status.PASS, ())
    assert any("Excused" in line and "590 to 599" in line for line in verdict.evidence)


@pytest.mark.parametrize("level", [Level.WRITE, Level.FSYNC])
def test_an_acknowledgement_at_write_or_fsync_is_never_excused(level):
    verdict = AcknowledgedLost(promised(level)).check(timeline(run(*killed())))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 10, (VETO,))


@pytest.mark.parametrize(
    "fault",
    [
        killed("elasticsearch"),
        killed("shipper"),
        killed("load.worker-1"),
        killed(needs="Pausable"),
        killed(landed=False),
    ],
    ids=[
        "of the store",
        "of another process",
        "of a worker of the load",
        "which only pauses",
        "which was not proved",
    ],
)
def test_no_other_fault_excuses_a_loss_at_memory(fault):
    assert AcknowledgedLost(promised(Level.MEMORY)).check(timeline(run(*fault))).status is Status.FAIL


def test_what_was_acknowledged_after_the_kill_is_owed():
    events = without(run(*killed()), Found, 700)

    verdict = AcknowledgedLost(promised(Level.MEMORY)).check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "Record 700" in verdict.counterexample[0]


def test_missing_records_that_are_still_held_are_late_and_not_lost():
    events = run(CounterRead(at(14), "held", 10))

    assert AcknowledgedLost(promised(Level.FSYNC)).check(timeline(events)).status is Status.INCONCLUSIVE
    fresh = FreshRecordSeconds(promised(Level.FSYNC)).check(timeline(events))
    assert fresh.status is Status.FAIL
    assert "still held" in fresh.summary


def test_more_missing_than_held_is_loss_of_the_rest():
    verdict = AcknowledgedLost(promised(Level.FSYNC)).check(timeline(run(CounterRead(at(14), "held", 4))))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 6, (VETO,))


def test_what_was_held_before_the_drain_ended_excuses_nothing():
    verdict = AcknowledgedLost(promised(Level.FSYNC)).check(timeline(run(CounterRead(at(12), "held", 10))))

    assert verdict.status is Status.FAIL


def test_holding_nothing_that_is_owed_is_no_finding():
    events = [*good_run(), PhaseChanged(at(13), "read back"), CounterRead(at(14), "held", 10)]

    assert outcomes_of(timeline(events), promised(Level.FSYNC)).held == 0
    assert FreshRecordSeconds(promised(Level.FSYNC)).check(timeline(events)).status is Status.PASS


def test_a_counted_drop_never_excuses_an_acknowledged_record():
    events = run(CounterRead(at(14), "dropped", 10))

    assert AcknowledgedLost(promised(Level.FSYNC)).check(timeline(events)).status is Status.FAIL


# --- what a fault destroyed --------------------------------------------------------------------------------

FLIP = Step("bit_flip", "spool", 6.0, 1.0, permits=Permits(destroyed=2))


def flipped(*places, landed=True, step=1):
    return [FaultSeen(at(6), step, landed, "seen"), *(Destroyed(at(6), step, place) for place in places)]


def permitting(step=FLIP, *, blast=8, durability=Level.FSYNC):
    return charge(STEP, step, promises=Promises(durability=durability, corruption_blast_records=blast))


def counted(value):
    return CounterRead(at(14), "destroyed", value)


def test_a_loss_that_a_permitted_fault_caused_and_the_stack_counted_is_no_veto():
    verdict = AcknowledgedLost(permitting(blast=5)).check(timeline(run(*flipped("a:1", "a:2"), counted(10))))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.PASS, 0, ())
    assert verdict.summary.endswith("Destroyed by a fault, permitted and counted: 10.")
    assert {"Destroyed: a:1", "Destroyed: a:2"} <= set(verdict.evidence)
    assert any("590 to 599" in line for line in verdict.evidence)


@pytest.mark.parametrize(
    ("blast", "said"), [(5, 9), (4, 10), (4, 1_000)], ids=["uncounted", "beyond the promise", "overcounted"]
)
def test_one_record_more_than_promised_or_counted_is_lost(blast, said):
    places = [f"a:{n}" for n in range(2)]

    verdict = AcknowledgedLost(permitting(blast=blast)).check(timeline(run(*flipped(*places), counted(said))))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))
    assert verdict.value == 10 - min(2 * blast, said)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([*flipped(), counted(10)], "no place was proved"),
        ([*flipped("a:1", landed=False), counted(10)], "no place was proved"),
        ([*flipped("a:1", "a:2")], "was not read"),
        ([*flipped("a:1", "a:2"), CounterRead(at(12), "destroyed", 10)], "was not read"),
    ],
    ids=["nothing was hit", "it was not proved", "no counter", "counted only before the drain ended"],
)
def test_without_a_hit_or_a_count_nothing_is_excused(events, why):
    verdict = AcknowledgedLost(permitting()).check(timeline(run(*events)))

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 10, (VETO,))
    assert any(why in line for line in verdict.evidence)


def test_without_a_promise_nothing_is_excused():
    verdict = AcknowledgedLost(permitting(blast=None)).check(
        timeline(run(*flipped("a:1", "a:2"), counted(10)))
    )

    assert (verdict.status, verdict.value) == (Status.FAIL, 10)
    assert any("promises no corruption_blast_records" in line for line in verdict.evidence)


def test_a_step_that_permits_nothing_excuses_nothing_whatever_was_hit_and_counted():
    verdict = AcknowledgedLost(permitting(replace(FLIP, permits=Permits()))).check(
        timeline(run(*flipped("a:1", "a:2"), counted(10)))
    )

    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.FAIL, 10, (VETO,))


def test_a_place_hit_beyond_what_is_permitted_excuses_nothing():
    verdict = AcknowledgedLost(permitting(blast=3)).check(
        timeline(run(*flipped("a:1", "a:2", "a:3", "a:4"), counted(10)))
    )

    assert (verdict.status, verdict.value) == (Status.FAIL, 10 - 2 * 3)


def test_what_another_step_destroyed_is_not_permitted_by_this_one():
    events = run(*flipped("a:1", "a:2", step=0), counted(10))

    assert AcknowledgedLost(permitting()).check(timeline(events)).value == 10


def test_destroyed_comes_before_held_and_the_rest_is_lost():
    found = outcomes_of(
        timeline(run(*flipped("a:1"), counted(3), CounterRead(at(14), "held", 5))), permitting(blast=4)
    )

    assert (found.destroyed, found.held, found.lost_min) == (3, 5, 2)


def test_destroyed_and_held_together_are_late():
    events = run(*flipped("a:1"), counted(3), CounterRead(at(14), "held", 9))

    assert AcknowledgedLost(permitting()).check(timeline(events)).status is Status.INCONCLUSIVE
    assert outcomes_of(timeline(events), permitting()).held == 7


def test_nothing_missing_is_no_finding_whatever_was_destroyed():
    events = [*good_run(), PhaseChanged(at(13), "read back"), *flipped("a:1"), counted(1)]

    verdict = AcknowledgedLost(permitting()).check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.PASS, 0)
    assert "destroyed" not in verdict.summary
