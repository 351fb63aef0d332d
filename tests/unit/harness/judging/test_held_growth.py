"""Growth per record held is told from steps and noise, and judged for twice as many records."""

from dataclasses import replace
from random import Random

import pytest

from harness.evidence.lines import digest
from harness.judging.checkers.memory_mib_above_idle import MemoryMibAboveIdle
from harness.judging.held_growth import held_growth
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import (
    MEMORY_MIB,
    STORED,
    Answered,
    CounterRead,
    Due,
    Event,
    FaultChanged,
    PhaseChanged,
    Refused,
    Sample,
    Sent,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge

PER_SECOND = 2_000
SAMPLED = [3.5, 4.5, 5.5, 6.5, 7.5]
"""One sample before the fault, which is on from 4 s to 8 s; nothing is stored meanwhile."""

PROMISES = Promises(memory_mib_above_idle=64.0)


def held_at(seconds):
    return round(max(0.0, seconds - 4.0) * PER_SECOND)


def history(memory, *, refused=False, more=(), late_seconds=0.0):
    """Return a run in which records pile up from 4 s to 8 s, with samples of the application's memory."""
    events: list[Event] = [PhaseChanged(at(0), "steady"), Sample(at(3.9), STORED, 0)]
    events.append(Sample(at(-0.4), f"{MEMORY_MIB}.application", 20.0))
    for sequence in range(4 * PER_SECOND):
        due = at(4.0) + sequence * 1_000_000_000 // PER_SECOND
        sent = due + round(late_seconds * 1e9)
        events += [Due(sequence, due, 0, digest("x")), Sent(sequence, sent)]
        last = refused and sequence == 4 * PER_SECOND - 1
        events.append(Refused(sequence, sent) if last else Answered(sequence, sent))
    for seconds, state in ((4.0, "injecting"), (4.0, "injected"), (8.0, "healing"), (8.0, "healed")):
        events.append(FaultChanged(at(seconds), 0, STEP.fault, STEP.target, state))
    events += [
        Sample(at(seconds), f"{MEMORY_MIB}.application", value)
        for seconds, value in zip(SAMPLED, memory, strict=True)
    ]
    return timeline([*events, PhaseChanged(at(10), "drain"), *more])


def growing(kib_per_record, idle=20.0):
    return [idle + held_at(seconds) * kib_per_record / 1024 for seconds in SAMPLED]


def found(events, promised=None):
    return held_growth(events, MEMORY_MIB, promised)


def test_what_each_record_takes_is_measured_and_judged_for_twice_as_many():
    growth = found(history(growing(6.0)))

    assert growth.held == 7_001
    assert growth.outlook_records == 14_002
    assert growth.per_record * 1024 == pytest.approx(6.0, rel=0.01)


def test_noise_of_two_mib_moves_the_growth_per_record_by_less_than_one_kib():
    run = history(growing(6.0))
    (idle, *later) = run.samples[f"{MEMORY_MIB}.application"]
    for seed in range(50):
        rng = Random(seed)
        noisy = [replace(each, value=each.value + rng.uniform(-2.0, 2.0)) for each in later]
        growth = found(replace(run, samples={**run.samples, f"{MEMORY_MIB}.application": [idle, *noisy]}))

        assert 5.0 < growth.per_record * 1024 < 7.0


@pytest.mark.parametrize("step", range(1, 5))
def test_a_single_step_of_forty_mib_is_no_growth_per_record(step):
    memory = [20.0 if place < step else 60.0 for place in range(5)]

    assert found(history(memory)).per_record == 0


def test_memory_within_the_promise_fails_where_twice_as_many_records_would_break_it():
    verdict = MemoryMibAboveIdle(charge(STEP, promises=PROMISES)).check(history(growing(6.0)))

    assert verdict.status is Status.FAIL
    assert verdict.value == pytest.approx(82, abs=1)
    assert "to be expected with 14,002 records held (at most 64 allowed)" in verdict.summary
    assert "promise it in the stack file as held_records_max" in verdict.counterexample[1]


def test_memory_that_twice_as_many_records_would_keep_passes_and_says_what_each_takes():
    verdict = MemoryMibAboveIdle(charge(STEP, promises=PROMISES)).check(history(growing(3.0)))

    assert verdict.status is Status.PASS
    assert "1,000 more take 2.93 MiB" in verdict.evidence[-1]


def test_a_promised_bound_is_what_is_judged():
    promises = Promises(memory_mib_above_idle=64.0, held_records_max=8_000)

    verdict = MemoryMibAboveIdle(charge(STEP, promises=promises)).check(history(growing(6.0)))

    assert verdict.status is Status.PASS


def test_a_promised_bound_that_was_not_kept_bounds_nothing():
    assert found(history(growing(6.0)), promised=5_000).outlook_records == 14_002


@pytest.mark.parametrize(
    "told", [{"refused": True}, {"more": [CounterRead(at(7.9), "dropped", 12.0)]}], ids=["refused", "dropped"]
)
def test_a_stack_that_refused_or_dropped_has_shown_its_bound(told):
    assert found(history(growing(6.0), **told)) is None


def test_too_few_records_held_tell_nothing():
    few = history(
        growing(6.0), more=[Sample(at(seconds - 0.1), STORED, held_at(seconds)) for seconds in SAMPLED]
    )

    assert found(few) is None


def test_records_that_came_too_late_to_be_held_leave_the_growth_open():
    verdict = MemoryMibAboveIdle(charge(STEP, promises=PROMISES)).check(
        history(growing(1.0), late_seconds=2.5)
    )

    assert verdict.status is Status.INCONCLUSIVE
    assert "records due while faults were on were not sent by then" in verdict.summary


def test_records_that_came_late_but_in_time_are_judged():
    verdict = MemoryMibAboveIdle(charge(STEP, promises=PROMISES)).check(
        history(growing(1.0), late_seconds=0.3)
    )

    assert verdict.status is Status.PASS


def test_a_stack_that_blocks_its_callers_has_shown_its_bound():
    """The first call of a caller lasts until the healing: what comes after it is the stack's doing."""
    events: list[Event] = [PhaseChanged(at(0), "steady"), Sample(at(-0.4), f"{MEMORY_MIB}.application", 20.0)]
    for sequence in range(4 * PER_SECOND):
        due = at(4.0) + sequence * 1_000_000_000 // PER_SECOND
        sent = due if sequence == 0 else at(8.1) + sequence
        events += [
            Due(sequence, due, 0, digest("x")),
            Sent(sequence, sent),
            Answered(sequence, at(8.1) + sequence),
        ]
    for seconds, state in ((4.0, "injecting"), (4.0, "injected"), (8.0, "healing"), (8.0, "healed")):
        events.append(FaultChanged(at(seconds), 0, STEP.fault, STEP.target, state))
    events += [Sample(at(seconds), f"{MEMORY_MIB}.application", 21.0) for seconds in SAMPLED]

    verdict = MemoryMibAboveIdle(charge(STEP, promises=PROMISES)).check(
        timeline([*events, PhaseChanged(at(10), "drain")])
    )

    assert verdict.status is Status.PASS
