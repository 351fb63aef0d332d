"""How old records are when the store has them, and how old the oldest is that it has not.

A record's time is the first field of nearly every document, so documents are not parsed; and one look at the
first document of a block serves the whole block. Its records were queued together, so the others are younger
by as much as the group took to gather: some 5 ms, more where the disk holds up the queue. Blocks of one
hundredth of a second are looked at once, of old records those of one second: a tenth of their age at most.
All are told too old by that, never too young. The clock is that of whoever stated the time, the application.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from logging_system.delivery.progress import Outcome
from logging_system.delivery.runs import Run
from logging_system.monitoring.delays import DelayHistogram, Delays, Exemplar, trace_digits_of, trace_id_in
from logging_system.spool.cursor import SpooledBlock

ENTRIES_MAX = 8_192
"""Beyond it, later blocks count as logged when the last one before them was."""

_TIME_KEY = b'{"@timestamp":"'
_TIME_END_MAX = len(_TIME_KEY) + 40
_SECOND_END = len(_TIME_KEY) + len("2026-01-01T00:00:00")
_TENTH_END = _SECOND_END + len(".0")
_HUNDREDTH_END = _SECOND_END + len(".00")
_OLD_SECONDS, _VERY_OLD_SECONDS = 1.0, 10.0
_PARSED_BYTES_MAX = 64 * 1024
_SEARCHABLE = frozenset({Outcome.DELIVERED, Outcome.CONFLICT})


class _Logged:
    """When the undelivered records of one writer were logged; a time holds until the next one's sequence."""

    __slots__ = ("alike", "end", "firsts", "seconds", "traces")

    def __init__(self) -> None:
        self.alike = b""
        """What a document begins with that was logged at nearly the same time as the last one looked at."""
        self.firsts: list[int] = []
        self.seconds: list[float] = []
        self.traces: list[bytes] = []
        self.end = 0


class DeliveryDelays:
    """Follows records from the spool to the store; used by one thread.

    Args:
        clock: Seconds since 1970.
        searchable_after_seconds: How long the store takes at most to find what it has stored.
        earlier: What an earlier process had counted.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        searchable_after_seconds: float = 0.0,
        earlier: Delays | None = None,
    ) -> None:
        self._clock = clock
        self._searchable_after_seconds = searchable_after_seconds
        self._histogram = DelayHistogram(earlier)
        self._logged: dict[bytes, _Logged] = {}
        self._entries = 0

    def moment(self) -> Delays:
        """Return the histogram."""
        return self._histogram.moment()

    def read(self, block: SpooledBlock) -> None:
        """Take note of records that were read from the spool."""
        logged = self._logged.get(block.epoch)
        if logged is None:
            logged = self._logged[block.epoch] = _Logged()
        first, document = block.first_sequence, block.documents[0]
        logged.end = first + len(block.documents)
        # Blocks are small where little is logged, so this is nearly all that most of them cost.
        if logged.alike and document.startswith(logged.alike) and logged.firsts:
            return
        seconds = logged_at(document)
        # One with no time of its own has that of its neighbour.
        if logged.firsts and (self._entries >= ENTRIES_MAX or math.isnan(seconds)):
            return
        is_alike = document.startswith(_TIME_KEY)
        logged.alike = document[: _alike_end(self._clock() - seconds)] if is_alike else b""
        logged.firsts.append(first)
        logged.seconds.append(seconds)
        logged.traces.append(trace_digits_of(document))
        self._entries += 1

    def finished(self, run: Run, outcome: Outcome) -> None:
        """Count records that the store has; others that are done are passed over."""
        logged = self._logged.get(run.epoch)
        if logged is None or outcome not in _SEARCHABLE:
            return
        now_seconds = self._clock()
        histogram = self._histogram
        examples: dict[int, tuple[bytes, float]] = {}
        for place, count in _parts(logged.firsts, run):
            seconds = now_seconds - logged.seconds[place] + self._searchable_after_seconds
            if seconds != seconds:  # noqa: PLR0124 - not a number
                continue
            seconds = max(0.0, seconds)
            bucket = histogram.add_alike(seconds, count)
            if digits := logged.traces[place]:
                examples[bucket] = digits, seconds
        for digits, seconds in examples.values():
            if trace_id := trace_id_in(digits):
                histogram.show(Exemplar(trace_id, seconds, now_seconds))

    def passed(self, epoch: bytes, next_sequence: int) -> None:
        """Forget the records of a writer before `next_sequence`: all of them are done.

        Args:
            epoch: The writer's 16 bytes; one of which nothing was read is no error.
            next_sequence: The first record that may not be done.
        """
        logged = self._logged.get(epoch)
        if logged is None:
            return
        if next_sequence >= logged.end:
            self._entries -= len(logged.firsts)
            del self._logged[epoch]
            return
        gone = max(0, bisect_right(logged.firsts, next_sequence) - 1)
        self._entries -= gone
        del logged.firsts[:gone], logged.seconds[:gone], logged.traces[:gone]

    def has_read(self, epoch: bytes) -> bool:
        """Whether records of this writer were read and are not done: they are older than its others.

        Args:
            epoch: The writer's 16 bytes.
        """
        return epoch in self._logged

    def oldest_seconds(self) -> float | None:
        """Return when the oldest record was logged that was read and is not done."""
        times = [logged.seconds[0] for logged in self._logged.values() if not math.isnan(logged.seconds[0])]
        return min(times, default=None)


def _alike_end(age_seconds: float) -> int:
    """Return how much of a document tells its time exactly enough."""
    if age_seconds >= _VERY_OLD_SECONDS:
        return _SECOND_END
    return _TENTH_END if age_seconds >= _OLD_SECONDS else _HUNDREDTH_END


def logged_at(document: bytes) -> float:
    """Return when an encoded record was logged, in seconds since 1970; not a number where it does not say.

    A document of a handler or of OTLP begins with it. One that came as a line of JSON may have it elsewhere.
    """
    if document.startswith(_TIME_KEY):
        digits = document[_SECOND_END + 1 : _SECOND_END + 7]
        if digits.isdigit() and document.startswith(b'Z"', _SECOND_END + 7):  # as handlers write it
            return _second_of(document[len(_TIME_KEY) : _SECOND_END]) + int(digits) / 1_000_000
        end = document.find(b'"', len(_TIME_KEY), _TIME_END_MAX)
        return _seconds_of(document[len(_TIME_KEY) : max(0, end)].decode("ascii", "replace"))
    if len(document) > _PARSED_BYTES_MAX:
        return math.nan
    try:
        content = orjson.loads(document)
    except ValueError:
        return math.nan
    stated = content.get("@timestamp") if isinstance(content, dict) else None
    return _seconds_of(stated) if isinstance(stated, str) else math.nan


@lru_cache(maxsize=64)
def _second_of(text: bytes) -> float:
    return _seconds_of(text.decode("ascii", "replace"))


def _seconds_of(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        # Without a zone it is UTC, as Elasticsearch reads it.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _parts(firsts: list[int], run: Run) -> Iterator[tuple[int, int]]:
    """Yield how many records of a run each entry has."""
    place = max(0, bisect_right(firsts, run.first) - 1)
    first = run.first
    while first < run.end:
        next_first = firsts[place + 1] if place + 1 < len(firsts) else run.end
        end = min(run.end, next_first)
        yield place, end - first
        first, place = end, place + 1
