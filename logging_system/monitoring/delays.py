"""How long records took from their log call to a promise: a histogram of fixed buckets, with examples.

Each bucket may have an exemplar: the trace of one record that fell into it, so that a slow bucket on a chart
leads to a trace (OpenMetrics calls it that).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

BOUNDS_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.25, 1.5, 2.0, 2.5),
    *(5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0),
)
"""The upper bounds of all buckets but the last, which has none; 30 s is that of the shipped objective."""

_BUCKETS = len(BOUNDS_SECONDS) + 1
_TRACE_KEY = b'"trace":{"id":"'
_TRACE_DIGITS = 32
_HEXADECIMAL = frozenset(b"0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One record's delay.

    Attributes:
        trace_id: The record's trace, 32 hexadecimal digits.
        seconds: How long it took.
        at_seconds: When that was seen, in seconds since 1970.
    """

    trace_id: str
    seconds: float
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Delays:
    """A histogram at one moment, or what was added to one; counts and sum only ever rise.

    Attributes:
        counts: Records by bucket, each record in one.
        sum_seconds: Their delays together.
        exemplars: At most one for each bucket.
    """

    counts: tuple[int, ...] = (0,) * _BUCKETS
    sum_seconds: float = 0.0
    exemplars: tuple[Exemplar, ...] = ()

    @classmethod
    def of_content(cls, content: Mapping[str, Any]) -> Delays:
        """Return what a status file states.

        Args:
            content: The file's object of one histogram: `counts`, `sum_seconds` and `exemplars`.

        Raises:
            KeyError: It states none.
            TypeError: As above.
            ValueError: As above, or it has other buckets.
        """
        counts = tuple(int(count) for count in content["counts"])
        if len(counts) != _BUCKETS:
            raise ValueError(f"{len(counts)} buckets, {_BUCKETS} expected")
        exemplars = tuple(Exemplar(**each) for each in content["exemplars"])
        return cls(counts, float(content["sum_seconds"]), exemplars)

    @classmethod
    def of_each(cls, delays_seconds: Sequence[float], exemplar: Exemplar | None = None) -> Delays:
        """Return those of some records, an exemplar of one of them with them.

        Args:
            delays_seconds: The delay of each record, in any order; at least one.
            exemplar: None where none of them is in a trace.
        """
        counts = [0] * _BUCKETS
        first, last = bucket_of(min(delays_seconds)), bucket_of(max(delays_seconds))
        if first == last:  # nearly always: records of one group were logged within milliseconds
            counts[first] = len(delays_seconds)
        else:
            for seconds in delays_seconds:
                counts[bucket_of(seconds)] += 1
        return cls(tuple(counts), math.fsum(delays_seconds), () if exemplar is None else (exemplar,))

    @property
    def count(self) -> int:
        """How many records."""
        return sum(self.counts)

    @property
    def cumulative(self) -> tuple[int, ...]:
        """Records up to each bound, and all of them."""
        return tuple(accumulate(self.counts))

    def __add__(self, other: Delays) -> Delays:
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return Delays(counts, self.sum_seconds + other.sum_seconds, _newest(self.exemplars + other.exemplars))

    def less(self, base: Delays) -> Delays:
        """Return what came after `base`."""
        counts = tuple(mine - theirs for mine, theirs in zip(self.counts, base.counts, strict=True))
        return Delays(counts, self.sum_seconds - base.sum_seconds, self.exemplars)


class DelayHistogram:
    """A histogram that is being filled; used by one thread, or with a lock held.

    Args:
        earlier: What an earlier process had counted.
    """

    def __init__(self, earlier: Delays | None = None) -> None:
        before = earlier or Delays()
        self._counts = list(before.counts)
        self._sum_seconds = before.sum_seconds
        self._exemplars = {bucket_of(each.seconds): each for each in before.exemplars}

    def add(self, more: Delays) -> None:
        """Count records; cheap, since whoever logs may wait for the lock.

        Args:
            more: Their delays; of its exemplars, each takes the place of its bucket's earlier one.
        """
        for bucket, count in enumerate(more.counts):
            if count:
                self._counts[bucket] += count
        self._sum_seconds += more.sum_seconds
        for exemplar in more.exemplars:
            self._exemplars[bucket_of(exemplar.seconds)] = exemplar

    def add_alike(self, seconds: float, count: int, exemplar: Exemplar | None = None) -> int:
        """Count records that took alike long.

        Args:
            seconds: How long.
            count: How many.
            exemplar: One of them.

        Returns:
            The place of their bucket.
        """
        bucket = bucket_of(seconds)
        self._counts[bucket] += count
        self._sum_seconds += seconds * count
        if exemplar is not None:
            self._exemplars[bucket] = exemplar
        return bucket

    def show(self, exemplar: Exemplar) -> None:
        """Keep one of the records that were counted."""
        self._exemplars[bucket_of(exemplar.seconds)] = exemplar

    def moment(self) -> Delays:
        """Return what it holds now."""
        exemplars = tuple(self._exemplars[bucket] for bucket in sorted(self._exemplars))
        return Delays(tuple(self._counts), self._sum_seconds, exemplars)


def bucket_of(seconds: float) -> int:
    """Return the place of the bucket that a delay falls into.

    Args:
        seconds: The delay; one that is a bound exactly is in the bucket that ends there.
    """
    return bisect_left(BOUNDS_SECONDS, seconds)


def trace_id_of(document: bytes) -> str:
    """Return the trace of an encoded record, or nothing where it has none; the document is not parsed.

    The bytes looked for cannot be within a text: its quotation marks would be escaped.
    """
    return trace_id_in(trace_digits_of(document))


def trace_digits_of(document: bytes) -> bytes:
    """Return what stands where a trace's id would, with what follows it; nothing where there is no trace.

    Args:
        document: A record as compact JSON.
    """
    found = document.rfind(_TRACE_KEY)  # from the end: it is among the last fields
    start = found + len(_TRACE_KEY)
    return b"" if found < 0 else document[start : start + _TRACE_DIGITS + 1]


def trace_id_in(digits: bytes) -> str:
    """Return the id that `trace_digits_of` found; nothing where that is none.

    Args:
        digits: What it returned: 32 lower-case hexadecimal digits and a quotation mark, where all is well.
    """
    is_whole = len(digits) == _TRACE_DIGITS + 1 and digits.endswith(b'"')
    return digits[:-1].decode() if is_whole and _HEXADECIMAL.issuperset(digits[:-1]) else ""


def _newest(exemplars: Iterable[Exemplar]) -> tuple[Exemplar, ...]:
    by_bucket: dict[int, Exemplar] = {}
    for each in sorted(exemplars, key=lambda each: each.at_seconds):
        by_bucket[bucket_of(each.seconds)] = each
    return tuple(by_bucket[bucket] for bucket in sorted(by_bucket))
