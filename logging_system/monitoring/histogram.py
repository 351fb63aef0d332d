"""Durations counted in buckets of a fixed logarithmic scale, and quantiles with a known error.

A bucket's upper bound is 1.1007 times its lower one: 24 buckets to a power of ten. Their bounds never depend
on what is counted, so histograms of several slots, threads or processes add up exactly. The estimate within a
bucket is the value with the smallest relative error at both ends, `2 lu / (l + u)` for bounds l and u, as in
DDSketch (Masson, Rim, Lee: VLDB 12(12), 2019); that error is `(u - l) / (u + l)`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import partial

BUCKETS_PER_DECADE = 24
_FROM_DECADE, _TO_DECADE = -3, 7
BOUNDS_MS = tuple(
    math.pow(10.0, step / BUCKETS_PER_DECADE)
    for step in range(_FROM_DECADE * BUCKETS_PER_DECADE, _TO_DECADE * BUCKETS_PER_DECADE + 1)
)
"""Upper bounds of the buckets in milliseconds: 1 µs to 2.8 hours; one more bucket is above."""
RELATIVE_ERROR = 0.05
"""How far an estimated quantile is from the true one at most, between the lowest and the highest bound."""
DURATION_MS_MAX = 1e15
"""More than thirty thousand years is no duration."""


_bucket = partial(bisect_left, BOUNDS_MS)


class Histogram:
    """Durations in buckets.

    Attributes:
        buckets: How many durations are in each bucket, by its index in `BOUNDS_MS`.
        max_ms: The longest, exactly; 0 where there is none.
        sum_ms: All together.
    """

    __slots__ = ("buckets", "max_ms", "sum_ms")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.max_ms = 0.0
        self.sum_ms = 0.0

    def count(self, durations_ms: Sequence[float]) -> None:
        """Count durations.

        Args:
            durations_ms: Milliseconds, 0 or more.
        """
        if durations_ms:
            for index, count in Counter(map(_bucket, durations_ms)).items():
                self.buckets[index] = self.buckets.get(index, 0) + count
            self.sum_ms += sum(durations_ms)
            self.max_ms = max(self.max_ms, *durations_ms)

    def add(self, other: Histogram) -> None:
        """Count all that another histogram has.

        Args:
            other: Stays as it is.
        """
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count
        self.sum_ms += other.sum_ms
        self.max_ms = max(self.max_ms, other.max_ms)

    @property
    def total(self) -> int:
        """How many durations there are."""
        return sum(self.buckets.values())

    def quantile_ms(self, share: float) -> float:
        """Return a duration that this share of all do not exceed; 0 where there are none.

        The true value is the one at rank `ceil(share * total)` of all in order.

        Args:
            share: Above 0, at most 1.
        """
        rank, seen = math.ceil(share * self.total), 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= rank:
                return min(_estimate_ms(index), self.max_ms)
        return 0.0


def _estimate_ms(index: int) -> float:
    if index == len(BOUNDS_MS):
        return math.inf  # no more is known than the maximum
    if index == 0:
        return BOUNDS_MS[0]
    lower, upper = BOUNDS_MS[index - 1], BOUNDS_MS[index]
    return 2 * lower * upper / (lower + upper)
