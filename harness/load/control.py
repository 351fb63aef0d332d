"""The control's calls: what a log call costs on this machine when no stack takes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.load.assignment import Assignment
from harness.load.slots import Slots
from harness.model.facts import ControlCall

# A call that has not returned by then is looked at once more, at the end: one withheld in a pause never
# returns, and a sweep must not grow with all of those.
_WATCHED_NS = 10_000_000_000


class ControlCalls:
    """Tells the calls of the control that have returned, each once, while the run goes on.

    A snapshot in the middle of a run is judged by facts, too; without these nothing would tell it what the
    machine itself did to every caller.

    Args:
        assignment: the control's.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._slots = Slots(Path(assignment.slots_path))
        self._offsets_ns = assignment.offsets_ns()
        self._began_ns = 0
        self._next = 0
        self._watched: list[int] = []
        self._late: list[int] = []

    def begin(self, at_ns: int) -> None:
        """Learn when sending begins; before, no call has returned."""
        self._began_ns = at_ns

    def sweep(self, now_ns: int) -> list[ControlCall]:
        """Return the calls that returned since the last sweep, of records due by `now_ns` (monotonic)."""
        while self._began_ns and self._next < len(self._offsets_ns) and self._due_ns(self._next) <= now_ns:
            self._watched.append(self._next)
            self._next += 1
        calls = {sequence: call for sequence in self._watched if (call := self._returned(sequence))}
        left = [sequence for sequence in self._watched if sequence not in calls]
        self._watched = [each for each in left if now_ns - self._due_ns(each) <= _WATCHED_NS]
        self._late += [each for each in left if now_ns - self._due_ns(each) > _WATCHED_NS]
        return list(calls.values())

    def finish(self) -> Iterator[ControlCall]:
        """Yield what returned beside that, and let go of the slots."""
        if self._began_ns:
            for sequence in (*self._late, *self._watched, *range(self._next, len(self._offsets_ns))):
                if call := self._returned(sequence):
                    yield call
        self._slots.close()

    def _due_ns(self, sequence: int) -> int:
        return self._began_ns + self._offsets_ns[sequence]

    def _returned(self, sequence: int) -> ControlCall | None:
        slot = self._slots.read(sequence)
        if not slot.returned_ns:
            return None
        return ControlCall(self._due_ns(sequence), slot.entered_ns, slot.returned_ns)
