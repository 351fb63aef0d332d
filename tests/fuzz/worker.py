"""One of the processes that try inputs; shared memory tells where it is, a pipe what it found."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.fuzz.mutations import input_of
from tests.fuzz.target import Target
from tests.fuzz.trial import (
    BASE_SECONDS,
    SLOW_TRIALS_MAX,
    TRIALS_MAX,
    TooSlowError,
    attempt,
    bound_memory,
    shrink,
)

WORKERS = 2
_SIGNATURES_MAX = 20
_TOO_SLOW_MAX = 20
"""A target that is slow again and again is left: each of its inputs costs a second."""

# Places in the shared memory: where the worker is, then three counts for each target.
TARGET, NUMBER, BEAT, COUNTS = range(4)
KEPT, REFUSED, FAILED = range(3)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try.

    Attributes:
        family: The module whose `TARGETS` has the targets by name.
        names: Which of them, in this order.
        seed: Decides all mutations.
        inputs: How many inputs each target gets whose share is 1.
        base_seconds: Processor time an input may take whatever its size.
    """

    family: str
    names: tuple[str, ...]
    seed: int
    inputs: int
    base_seconds: float = BASE_SECONDS

    def target(self, place: int) -> Target:
        """Return the target at a place of `names`."""
        found: Target = importlib.import_module(self.family).TARGETS[self.names[place]]
        return found

    def inputs_of(self, place: int) -> int:
        """Return how many inputs the target at a place of `names` gets."""
        return max(1, round(self.inputs * self.target(place).share))


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke a promise, the first of its kind.

    Attributes:
        target: The target's name.
        seed: The campaign's seed.
        number: The input's number.
        body: The input, shrunk where that was possible.
        signature: The same for all that fail alike.
        details: A traceback, or how the process ended.
    """

    target: str
    seed: int
    number: int
    body: bytes
    signature: str
    details: str


def work(
    plan: Plan, worker: int, start: tuple[int, int], state: MutableSequence[int], findings: Connection
) -> None:
    """Try every input that is this worker's own.

    Args:
        plan: What to try.
        worker: Its number; input N belongs to worker N modulo `WORKERS`.
        start: The target's place and the input's number to begin at.
        state: Shared memory for `COUNTS` + 3 integers a target.
        findings: Where `Finding`s go.
    """
    targets = [plan.target(place) for place in range(len(plan.names))]
    for target in targets:  # whatever is loaded late is loaded now
        attempt(target, target.seeds()[0])
    bound_memory()
    first_place, first_number = start
    for place in range(first_place, len(targets)):
        state[TARGET] = place
        begin = first_number if place == first_place else worker
        _try_inputs(
            plan, place, targets[place], range(begin, plan.inputs_of(place), WORKERS), state, findings
        )


def _try_inputs(
    plan: Plan,
    place: int,
    target: Target,
    numbers: Sequence[int],
    state: MutableSequence[int],
    findings: Connection,
) -> None:
    seeds = target.seeds()
    counts = COUNTS + 3 * place
    times: dict[str, int] = {}
    for number in numbers:
        if _is_orphan():
            return
        state[NUMBER] = number
        state[BEAT] += 1
        body = input_of(target, seeds, plan.seed, number)
        outcome = attempt(target, body, plan.base_seconds)
        if outcome.failure is None:
            state[counts + (KEPT if outcome.kept else REFUSED)] += 1
            continue
        state[counts + FAILED] += 1
        signature = outcome.failure.signature
        times[signature] = times.get(signature, 0) + 1
        if times[signature] == 1 and len(times) <= _SIGNATURES_MAX:
            body = _shrunk(plan, target, body, signature, state)
            details = outcome.failure.details
            findings.send(Finding(target.name, plan.seed, number, body, signature, details))
        if times.get(TooSlowError.__name__, 0) >= _TOO_SLOW_MAX:
            return


def _is_orphan() -> bool:
    """Say whether whoever watched this process is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.pid != os.getppid()


def _shrunk(plan: Plan, target: Target, body: bytes, signature: str, state: MutableSequence[int]) -> bytes:
    def fails(shorter: bytes) -> bool:
        state[BEAT] += 1
        failure = attempt(target, shorter, plan.base_seconds).failure
        return failure is not None and failure.signature == signature

    slow = signature == TooSlowError.__name__
    return shrink(body, fails, SLOW_TRIALS_MAX if slow else TRIALS_MAX)
