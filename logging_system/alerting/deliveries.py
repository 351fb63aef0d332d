"""How long records take to the store, by a second reader: when it read them, when the checkpoint passed them.

Nothing is asked of whoever ships. A block is one mark; of too many, neighbours become one, that counts as the
older. What was delivered before it could be read says nothing about its time, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MARKS_MAX = 512
_BEHIND_SECONDS = 10.0
"""Of records read later than this, and found delivered, nobody knows when that was."""

IsDelivered = Callable[[str, int], bool]
"""Says whether a record, by its writer's epoch and its sequence, is delivered."""


@dataclass(slots=True)
class _Mark:
    """Some records of one writer.

    Attributes:
        epoch: The writer's, in hexadecimal digits.
        last_sequence: The last of them.
        records: How many.
        logged_seconds: When they were logged, by the forward clock.
        passed: How many of the times that matter had passed when it was last looked at.
        is_unsure: Whether they may have been delivered before they were read.
    """

    epoch: str
    last_sequence: int
    records: int
    logged_seconds: float
    passed: int = 0
    is_unsure: bool = False


@dataclass(slots=True)
class Delivered:
    """What one look found.

    Attributes:
        latencies: Seconds to delivery, with how many records took them.
        oldest_seconds: Age of the oldest record that is not delivered; 0 where all are.
        good: Records delivered within each time that matters.
        bad: Records that were not.
    """

    latencies: list[tuple[float, int]] = field(default_factory=list)
    oldest_seconds: float = 0.0
    good: dict[float, int] = field(default_factory=dict)
    bad: dict[float, int] = field(default_factory=dict)


class Deliveries:
    """Marks of records that were read and are not known to be delivered.

    Args:
        within_seconds: The times that matter: each record is good or bad for each of them, once.
    """

    def __init__(self, within_seconds: Iterable[float]) -> None:
        self._within = sorted(set(within_seconds))
        self._marks: list[_Mark] = []

    def note(
        self, epoch: str, last_sequence: int, records: int, *, age_seconds: float, now_seconds: float
    ) -> None:
        """Take note of records that were just read.

        Args:
            epoch: The writer's, in hexadecimal digits.
            last_sequence: The last of them.
            records: How many.
            age_seconds: How long ago the last was logged.
            now_seconds: By the forward clock.
        """
        age_seconds = max(0.0, age_seconds)
        mark = _Mark(epoch, last_sequence, records, now_seconds - age_seconds)
        mark.is_unsure = age_seconds > _BEHIND_SECONDS
        self._marks.append(mark)
        if len(self._marks) > MARKS_MAX:
            self._thin_out()

    def look(self, is_delivered: IsDelivered, now_seconds: float) -> Delivered:
        """Return what was delivered since the last look, and what waits.

        Args:
            is_delivered: What the checkpoint says.
            now_seconds: By the forward clock.
        """
        found = Delivered(
            good=dict.fromkeys(self._within, 0),
            bad=dict.fromkeys(self._within, 0),
        )
        waiting = []
        for mark in self._marks:
            age_seconds = now_seconds - mark.logged_seconds
            is_done = is_delivered(mark.epoch, mark.last_sequence)
            if is_done and mark.is_unsure:
                continue
            self._count(mark, age_seconds, found, is_done=is_done)
            if is_done:
                found.latencies.append((age_seconds, mark.records))
            else:
                mark.is_unsure = False
                found.oldest_seconds = max(found.oldest_seconds, age_seconds)
                waiting.append(mark)
        self._marks = waiting
        return found

    def _count(self, mark: _Mark, age_seconds: float, found: Delivered, *, is_done: bool) -> None:
        for within_seconds in self._within[mark.passed :]:
            if age_seconds > within_seconds:
                found.bad[within_seconds] += mark.records
                mark.passed += 1
            elif is_done:
                found.good[within_seconds] += mark.records

    def forget_before(self, seconds: float) -> None:
        """Forget records of which nobody will say whether they were delivered: nobody ships the folder.

        Args:
            seconds: A moment of the forward clock; of what was logged before it, nothing more is counted.
        """
        self._marks = [mark for mark in self._marks if mark.logged_seconds >= seconds]

    def _thin_out(self) -> None:
        by_epoch: dict[str, list[_Mark]] = {}
        for mark in self._marks:
            by_epoch.setdefault(mark.epoch, []).append(mark)
        self._marks = [
            mark
            for marks in by_epoch.values()
            for place in range(0, len(marks), 2)
            for mark in (_joined(marks[place : place + 2]),)
        ]
        del self._marks[: max(0, len(self._marks) - MARKS_MAX)]  # more writers than marks

    def content(self) -> list[list[Any]]:
        """Return what must survive a restart, as JSON has it."""
        return [
            [each.epoch, each.last_sequence, each.records, each.logged_seconds, each.passed, each.is_unsure]
            for each in self._marks
        ]

    def restore(self, content: Sequence[Sequence[Any]]) -> None:
        """Go on with what `content` returned; other times that matter than before count from now on."""
        self._marks = [_Mark(*each) for each in content]
        for mark in self._marks:
            mark.passed = min(mark.passed, len(self._within))


def _joined(marks: Sequence[_Mark]) -> _Mark:
    first = marks[0]
    return _Mark(
        first.epoch,
        max(each.last_sequence for each in marks),
        sum(each.records for each in marks),
        min(each.logged_seconds for each in marks),
        max(each.passed for each in marks),
        any(each.is_unsure for each in marks),
    )


def delivered_by(positions: Mapping[str, int], present: frozenset[str]) -> IsDelivered:
    """Return what says whether a record is delivered.

    Args:
        positions: By epoch, the first sequence that is not delivered.
        present: Epochs that have files; one without, and without a position, is delivered.
    """

    def is_delivered(epoch: str, sequence: int) -> bool:
        position = positions.get(epoch)
        return epoch not in present if position is None else position > sequence

    return is_delivered
