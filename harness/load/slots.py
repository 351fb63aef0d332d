"""The slot file: what happened to each record, in shared memory that survives the application.

One slot a sequence, four 64-bit integers: entered_ns, returned_ns, outcome, acknowledged_ns. The application
writes through MAP_SHARED, so what it wrote is there after its SIGKILL. A slot that stayed empty means
UNKNOWN, never "no".
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_FIELDS = 4
_SLOT_BYTES = 8 * _FIELDS
_ENTERED, _RETURNED, _OUTCOME, _ACKNOWLEDGED = range(_FIELDS)

ANSWERED = 1
REFUSED = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """One record's times in ns of CLOCK_MONOTONIC; 0 = has not happened. `outcome` says how it returned.

    A call has returned only where both its time and its outcome are known.
    """

    entered_ns: int
    returned_ns: int
    outcome: int
    acknowledged_ns: int

    def since(self, before: Slot) -> Slot:
        """Return this slot with what was known before: what is written over it later changes nothing."""
        if before == self:
            return before
        returned = before if before.returned_ns else self
        return Slot(
            before.entered_ns or self.entered_ns,
            returned.returned_ns,
            returned.outcome,
            before.acknowledged_ns or self.acknowledged_ns,
        )


class Slots:
    """All slots of a run, open for reading and writing."""

    def __init__(self, path: Path) -> None:
        """Map an existing slot file."""
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._cells = memoryview(self._map).cast("q")
        self.count = len(self._cells) // _FIELDS

    @staticmethod
    def create(path: Path, count: int) -> None:
        """Make a slot file of `count` empty slots, readable by its owner only."""
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:  # noqa: PTH123 - needs the mode
            file.truncate(max(1, count) * _SLOT_BYTES)

    def enter(self, sequence: int, at_ns: int) -> None:
        """Note that the call for the record `sequence` begins, `at_ns` of CLOCK_MONOTONIC."""
        self._cells[sequence * _FIELDS + _ENTERED] = at_ns

    def leave(self, sequence: int, at_ns: int, outcome: int) -> None:
        """Note how the call ended. The time is written last: a slot with a time has its outcome.

        Args:
            sequence: of the record whose call it was.
            at_ns: when it returned, by CLOCK_MONOTONIC; never 0, which stands for a call under way.
            outcome: `ANSWERED` or `REFUSED`.
        """
        self._cells[sequence * _FIELDS + _OUTCOME] = outcome
        self._cells[sequence * _FIELDS + _RETURNED] = at_ns

    def acknowledge(self, sequence: int, at_ns: int) -> None:
        """Note that the stack took on the record `sequence`, `at_ns` of CLOCK_MONOTONIC; the first counts."""
        cell = sequence * _FIELDS + _ACKNOWLEDGED
        if self._cells[cell] == 0:
            self._cells[cell] = at_ns

    def read(self, sequence: int) -> Slot:
        """Return the slot of the record `sequence` as it is now."""
        first = sequence * _FIELDS
        returned_ns, outcome = self._cells[first + _RETURNED], self._cells[first + _OUTCOME]
        if not returned_ns or outcome not in {ANSWERED, REFUSED}:
            returned_ns = outcome = 0  # cut in the middle of `leave`, or damaged
        return Slot(self._cells[first + _ENTERED], returned_ns, outcome, self._cells[first + _ACKNOWLEDGED])

    def entered(self) -> int:
        """Return how many calls have begun."""
        column = self._cells[_ENTERED::_FIELDS].tolist()
        return len(column) - column.count(0)

    def answered(self, among: Iterable[int]) -> list[int]:
        """Return those of the sequences `among` whose call came back normally, in the same order."""
        outcomes, returned = self._cells[_OUTCOME::_FIELDS], self._cells[_RETURNED::_FIELDS]
        return [sequence for sequence in among if returned[sequence] and outcomes[sequence] == ANSWERED]

    def acknowledged(self, among: Iterable[int]) -> list[int]:
        """Return those of the sequences `among` that the stack became responsible for, in the same order."""
        times = self._cells[_ACKNOWLEDGED::_FIELDS]
        return [sequence for sequence in among if times[sequence]]

    def under_way(self, by_callback: bool) -> int:
        """Return how many calls have begun that were neither refused nor acknowledged yet.

        Args:
            by_callback: whether the stack acknowledges by a callback, and not by the call's return.
        """
        columns = (
            self._cells[first::_FIELDS].tolist() for first in (_ENTERED, _RETURNED, _OUTCOME, _ACKNOWLEDGED)
        )
        return sum(
            bool(entered)
            and not (returned and outcome == REFUSED)
            and not (told if by_callback else returned)
            for entered, returned, outcome, told in zip(*columns, strict=True)
        )

    def not_entered(self, among: Iterable[int]) -> int:
        """Return how many of the sequences `among` have no call that has begun."""
        times = self._cells[_ENTERED::_FIELDS]
        return sum(not times[sequence] for sequence in among)

    def close(self) -> None:
        """Unmap the file."""
        self._cells.release()
        self._map.close()


class SlotFiles:
    """The slots of a run of which each worker writes its own in a file of its own; for reading.

    Of a file only the slots of its own worker's records count: whatever a worker that crashes writes, it
    says nothing of the records of another.

    Args:
        paths: the slot file of each worker; all have room for all records.
        place: tells which of these files has a record's slot.
    """

    def __init__(self, paths: Sequence[Path], place: Callable[[int], int]) -> None:
        self._files = [Slots(path) for path in paths]
        self._place = place

    def read(self, sequence: int) -> Slot:
        """Return the slot of the record `sequence` as it is now, whichever worker sends it."""
        return self._files[self._place(sequence)].read(sequence)

    def entered(self) -> int:
        """Return how many calls have begun."""
        return sum(file.entered() for file in self._files)

    def answered(self, among: Sequence[int]) -> list[int]:
        """Return those of the sequences `among` whose call came back normally, worker by worker."""
        return self._own(file.answered(among) for file in self._files)

    def acknowledged(self, among: Sequence[int]) -> list[int]:
        """Return those of `among` that the stack became responsible for, worker by worker."""
        return self._own(file.acknowledged(among) for file in self._files)

    def under_way(self, by_callback: bool, worker: int | None) -> int:
        """Return how many calls of one worker (from 1), or of all, have no word of the stack yet.

        Args:
            by_callback: whether the stack acknowledges by a callback, and not by the call's return.
            worker: its number from 1; None = all.
        """
        files = self._files if worker is None else [self._files[worker - 1]]
        return sum(file.under_way(by_callback) for file in files)

    def not_entered(self, among: Iterable[int], worker: int | None) -> int:
        """Return how many of these records, one worker's (from 1) or all, have no call that has begun.

        Args:
            among: sequences; those of other workers are passed over.
            worker: its number from 1; None = all.
        """
        numbers = range(len(self._files)) if worker is None else (worker - 1,)
        theirs: dict[int, list[int]] = {number: [] for number in numbers}
        for sequence in among:
            theirs.get(self._place(sequence), []).append(sequence)
        return sum(self._files[number].not_entered(sequences) for number, sequences in theirs.items())

    def close(self) -> None:
        """Unmap the files."""
        for file in self._files:
            file.close()

    def _own(self, found: Iterable[list[int]]) -> list[int]:
        """Return, of what was found in each file in turn, what it may tell of."""
        return [
            sequence
            for place, sequences in enumerate(found)
            for sequence in sequences
            if self._place(sequence) == place
        ]
