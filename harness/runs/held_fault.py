"""One fault for as long as a block of code lasts: undo on disk first, proof, healing on every path."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from harness.model.errors import FaultError
from harness.model.protocols import Cumulative, Fault
from harness.runs.look import Look
from harness.runs.undoable import Journal, undoable

LOOK_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.05


class Proof:
    """What was seen of a fault from outside.

    Attributes:
        landed: whether it was proved to have landed.
        seen: what was seen last.
    """

    def __init__(self) -> None:
        """Nothing has been seen."""
        self.landed = False
        self.seen = "nothing was observed"

    def take(self, look: Look) -> None:
        """Take what a look saw, if it is done; one that proved it is enough."""
        if self.landed or not look.done:
            return
        self.landed, self.seen = look.result()


@contextmanager
def held(
    fault: Fault,
    target: object,
    journal: Journal,
    name: str,
    rng: Random,
    look_seconds_max: float = LOOK_SECONDS_MAX,
) -> Iterator[Proof]:
    """Hurt a target for as long as the block lasts.

    Args:
        fault: how; the target has the capability it needs.
        target: what.
        journal: takes the undo before the fault begins, and keeps it until it is known to be taken back.
        name: what the journal calls the fault.
        rng: decides what the fault leaves to chance.
        look_seconds_max: how long the last look may take, in seconds.

    Yields:
        What is seen of the fault; complete once the block has ended.

    Raises:
        FaultError: it cannot be injected or taken back, or was not proved to have landed by the end of a
            block that ended well.
    """
    proof = Proof()
    with undoable(journal, name, fault.undo(target), fault.inject(target, rng)):
        look = Look(fault.evidence, target)
        proof.take(look)
        yield proof
        _look_again(fault, target, proof, look, look_seconds_max)
    if not proof.landed:
        raise FaultError(
            f"{name} was not proved to have landed: {proof.seen}. "
            "Let the stack use the target while the fault is on."
        )


def _look_again(fault: Fault, target: object, proof: Proof, first: Look, seconds_max: float) -> None:
    """Look at what it came to in all, or once more where nothing was proved."""
    _await(first, seconds_max)
    proof.take(first)
    if proof.landed:
        return
    evidence = fault.evidence_in_all if isinstance(fault, Cumulative) else fault.evidence
    again = Look(evidence, target)
    _await(again, seconds_max)
    proof.take(again)


def _await(look: Look, seconds_max: float) -> None:
    until = time.monotonic() + seconds_max
    while not look.done and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
