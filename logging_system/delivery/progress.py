"""Turns documents finished in any order into a contiguous prefix per writer, and counts exactly that prefix.

Only the prefix is counted because only the prefix is remembered: what lies beyond it is sent again after a
crash, and must not have been counted before.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from logging_system.delivery.answers import Fate


class Outcome(Enum):
    """How a record left the spool."""

    DELIVERED = "delivered"
    CONFLICT = "conflict"
    REDIRECTED = "redirected"
    DEAD_LETTERED = "dead_lettered"


OUTCOME_OF = {
    Fate.DELIVERED: Outcome.DELIVERED,
    Fate.CONFLICT: Outcome.CONFLICT,
    Fate.REDIRECTED: Outcome.REDIRECTED,
}


class Progress:
    """Which records were taken on, which are done, and how far each writer's done prefix reaches."""

    def __init__(self) -> None:
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self.taken = 0
        self._waiting: dict[bytes, deque[int]] = {}
        self._done: dict[bytes, dict[int, Outcome]] = {}
        self._moved: dict[bytes, int] = {}

    @property
    def unfinished(self) -> int:
        """Records taken on and not yet part of a done prefix."""
        return self.taken - sum(self.counts.values())

    @property
    def early(self) -> int:
        """Records done, but after one of their writer that is not."""
        return sum(map(len, self._done.values()))

    def take(self, epoch: bytes, sequence: int) -> None:
        """Take a record on; sequences of an epoch rise, holes are lawful (records destroyed in the spool)."""
        self._waiting.setdefault(epoch, deque()).append(sequence)
        self.taken += 1

    def finish(self, epoch: bytes, sequence: int, outcome: Outcome) -> None:
        """Mark a record done and move the prefix as far as it goes."""
        done = self._done.setdefault(epoch, {})
        done[sequence] = outcome
        waiting = self._waiting[epoch]
        while waiting and waiting[0] in done:
            first = waiting.popleft()
            self.counts[done.pop(first)] += 1
            self._moved[epoch] = first + 1
        if not waiting:
            del self._waiting[epoch], self._done[epoch]

    def moved(self) -> dict[bytes, int]:
        """Return, for each epoch whose prefix moved since the last call, the sequence after it."""
        moved, self._moved = self._moved, {}
        return moved
