"""Per writer, the contiguous prefix of records that are done, whatever the order in which they finished.

Only the prefix is counted because only the prefix is remembered: what lies beyond it is sent again after a
crash, and must not have been counted before.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from logging_system.delivery.outcomes import Conflict, Delivered, Redirected
from logging_system.delivery.runs import Run


class Outcome(Enum):
    """How a record left the spool."""

    DELIVERED = "delivered"
    CONFLICT = "conflict"
    REDIRECTED = "redirected"
    DEAD_LETTERED = "dead_lettered"


OUTCOME_OF: dict[type[Delivered | Conflict | Redirected], Outcome] = {
    Delivered: Outcome.DELIVERED,
    Conflict: Outcome.CONFLICT,
    Redirected: Outcome.REDIRECTED,
}


class Progress:
    """Which records were taken on, which are done, and how far each writer's done prefix reaches."""

    def __init__(self) -> None:
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self.taken = 0
        self._waiting: dict[bytes, deque[list[int]]] = {}
        self._done: dict[bytes, dict[int, tuple[int, Outcome]]] = {}
        self._moved: dict[bytes, int] = {}

    @property
    def unfinished(self) -> int:
        """Records taken on and not yet part of a done prefix."""
        return self.taken - sum(self.counts.values())

    @property
    def early(self) -> int:
        """Records done behind an earlier one of their writer that is not."""
        return sum(end - first for done in self._done.values() for first, (end, _) in done.items())

    def take(self, run: Run) -> None:
        """Take records on; sequences of an epoch rise, holes are lawful (records destroyed in the spool)."""
        waiting = self._waiting.setdefault(run.epoch, deque())
        if waiting and waiting[-1][1] == run.first:
            waiting[-1][1] = run.end
        else:
            waiting.append([run.first, run.end])
        self.taken += run.end - run.first

    def finish(self, run: Run, outcome: Outcome) -> None:
        """Mark records done that were taken on, and move the prefix as far as it goes."""
        done = self._done.setdefault(run.epoch, {})
        done[run.first] = run.end, outcome
        waiting = self._waiting[run.epoch]
        while waiting and (found := done.pop(waiting[0][0], None)) is not None:
            first, (end, outcome) = waiting[0][0], found
            self.counts[outcome] += end - first
            self._moved[run.epoch] = end
            waiting[0][0] = end
            if end == waiting[0][1]:
                waiting.popleft()
        if not waiting:
            del self._waiting[run.epoch], self._done[run.epoch]

    def moved(self) -> dict[bytes, int]:
        """Return, for each epoch whose prefix moved since the last call, the sequence after it."""
        moved, self._moved = self._moved, {}
        return moved
