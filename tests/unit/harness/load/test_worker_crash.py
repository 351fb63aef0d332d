"""A worker that crashes, whatever it was writing, damages evidence of its own records only."""

from __future__ import annotations

import os
import random
import signal
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from harness.evidence.history import Recorder, read_history
from harness.load.assignment import Assignment
from harness.load.oracle import Oracle
from harness.load.slots import ANSWERED, REFUSED, Slots
from harness.model.facts import Acknowledged, Answered, Due, Event, Refused, Sent
from tests.unit.harness.load.test_sender import make_assignment

RECORDS = 400
SWEEPS = 20


def watch(assignment: Assignment, folder: Path, meanwhile: Callable[[], None]) -> list[Event]:
    """Return the history as it is on disk after several sweeps, before each of which something happens."""
    recorder = Recorder(folder / "oracle.jsonl")
    oracle = Oracle(assignment)
    oracle.begin(1)
    for _ in range(SWEEPS):
        meanwhile()
        recorder.record_all(oracle.sweep(time.monotonic_ns()))
    recorder.close()
    return read_history(folder)


def send_all(assignment: Assignment, worker: int) -> None:
    """Note a call for each record of a worker, always the same."""
    slots = Slots(assignment.slots_of(worker))
    for sequence in range(RECORDS):
        if assignment.worker(assignment.producer(sequence)) == worker:
            slots.enter(sequence, 1_000 + sequence)
            slots.leave(sequence, 2_000 + sequence, REFUSED if sequence % 7 == 0 else ANSWERED)
    slots.close()


def write_until_killed(assignment: Assignment, worker: int, seconds: float) -> None:
    """Let a process go through the slots of a worker again and again, and kill it in mid-write."""
    child = os.fork()
    if child == 0:
        slots = Slots(assignment.slots_of(worker))
        while True:
            for sequence in range(RECORDS):
                slots.enter(sequence, time.monotonic_ns())
                slots.leave(sequence, time.monotonic_ns(), ANSWERED)
                slots.acknowledge(sequence, time.monotonic_ns())
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def scribble(assignment: Assignment, worker: int, rng: random.Random) -> None:
    """Fill the slot file of a worker with numbers at random, as memory gone wild would."""
    path = assignment.slots_of(worker)
    cells = (rng.choice((0, ANSWERED, REFUSED, rng.getrandbits(63))) for _ in range(path.stat().st_size // 8))
    with path.open("r+b") as file:
        file.write(array("q", cells).tobytes())


OfRecord: TypeAlias = Due | Sent | Answered | Refused | Acknowledged


def of_worker(assignment: Assignment, facts: list[Event], worker: int) -> list[OfRecord]:
    return [
        fact
        for fact in facts
        if isinstance(fact, OfRecord) and assignment.worker(assignment.producer(fact.sequence)) == worker
    ]


@pytest.fixture
def whole(tmp_path: Path) -> list[OfRecord]:
    """What is known of the second worker where the first one never wrote."""
    (folder := tmp_path / "whole").mkdir()
    assignment = make_assignment(folder, records=RECORDS)
    send_all(assignment, 2)
    facts = of_worker(assignment, watch(assignment, folder, lambda: None), 2)

    assert len(facts) > 3 * RECORDS // 2
    return facts


@pytest.mark.parametrize("crash", ["killed in mid-write", "memory gone wild"])
def test_a_worker_that_crashes_damages_evidence_of_its_own_records_only(tmp_path, whole, crash):
    rng = random.Random(7)
    (folder := tmp_path / "crashed").mkdir()
    assignment = make_assignment(folder, records=RECORDS)
    send_all(assignment, 2)

    def crash_once() -> None:
        if crash == "killed in mid-write":
            write_until_killed(assignment, 1, rng.uniform(0, 0.02))
        else:
            scribble(assignment, 1, rng)

    facts = watch(assignment, folder, crash_once)
    own = of_worker(assignment, facts, 1)

    assert of_worker(assignment, facts, 2) == whole
    # Nor can it fill the history that both have: a fact of a sort is written once a record.
    assert max(Counter((type(fact), fact.sequence) for fact in own).values()) == 1


def test_what_a_damaged_slot_file_says_of_the_records_of_another_worker_is_not_heard(tmp_path):
    assignment = make_assignment(tmp_path, records=RECORDS)
    slots = Slots(assignment.slots_of(1))
    for sequence in range(RECORDS):
        slots.enter(sequence, 1)
        slots.leave(sequence, 2, ANSWERED)
        slots.acknowledge(sequence, 3)
    mine = [n for n in range(RECORDS) if assignment.worker(assignment.producer(n)) == 1]

    assert assignment.slots().answered(range(RECORDS)) == mine
    assert assignment.slots().acknowledged(range(RECORDS)) == mine


def test_a_call_without_a_readable_outcome_has_not_returned(tmp_path):
    Slots.create(tmp_path / "slots", 1)
    slots = Slots(tmp_path / "slots")
    slots.enter(0, 10)
    slots.leave(0, 20, 77)

    assert (slots.read(0).returned_ns, slots.read(0).outcome) == (0, 0)
