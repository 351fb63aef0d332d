"""Quantiles of a stream of numbers, in bounded memory, and mergeable in any order.

Buckets grow by a constant factor, as in DDSketch (Masson, Rim, Lee: VLDB 2019). When the numbers span more
buckets than are allowed, each two neighbours become one, as in UDDSketch (Epicoco et al.: 2020): the
accuracy falls evenly, and depends on the smallest and the largest number only, not on the order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_LOG_GROWTH = math.log(1.1)
"""Each bucket's upper end is 1.1 times its lower end at first: a quantile is at most 5 % wrong."""
_SMALLEST = 1e-9
"""What is nearer to nought is nought."""
_LARGEST = 1e30
BUCKETS_MAX = 32


class ValueSketch:
    """Counts numbers by magnitude.

    Args:
        buckets_max: Buckets for positive numbers, and as many for negative ones.
    """

    __slots__ = ("_halvings", "_negative", "_positive", "_zeros", "buckets_max")

    def __init__(self, buckets_max: int = BUCKETS_MAX) -> None:
        self.buckets_max = buckets_max
        self._halvings = 0
        self._positive: dict[int, float] = {}
        self._negative: dict[int, float] = {}
        self._zeros = 0.0

    @property
    def count(self) -> float:
        """Numbers seen; less than a whole one each after `fade`."""
        return self._zeros + sum(self._positive.values()) + sum(self._negative.values())

    def add(self, value: float) -> None:
        """Count a number.

        Args:
            value: The number; nan and infinity are not counted.
        """
        size = abs(value)
        if not size < math.inf:
            return
        if size < _SMALLEST:
            self._zeros += 1
            return
        side = self._positive if value > 0 else self._negative
        bucket = math.ceil(math.log(min(size, _LARGEST)) / _LOG_GROWTH)
        for _ in range(self._halvings):
            bucket = -(-bucket // 2)
        if bucket in side:
            side[bucket] += 1
        else:
            side[bucket] = 1.0
            self._fit()

    def quantile(self, share: float) -> float:
        """Return the number below which a share of all lies; nan where there is none.

        Args:
            share: From 0 to 1.
        """
        rank = share * self.count
        for value, count in self._ascending():
            rank -= count
            if count and rank <= 0:
                return value
        return math.nan

    def fade(self, factor: float) -> None:
        """Let all that was seen weigh less.

        Args:
            factor: What each number counts from now on, as a share of what it counts; from 0 to 1.
        """
        self._zeros *= factor
        for side in (self._positive, self._negative):
            for bucket in side:
                side[bucket] *= factor

    def add_all(self, other: ValueSketch) -> None:
        """Count all that another sketch counted.

        Args:
            other: The other sketch, which stays as it is; where its buckets are wider, these become as wide.
        """
        while self._halvings < other._halvings:
            self._halve()
        for mine, theirs in ((self._positive, other._positive), (self._negative, other._negative)):
            for bucket, count in theirs.items():
                for _ in range(self._halvings - other._halvings):
                    bucket = -(-bucket // 2)  # noqa: PLW2901 - the same bucket, in wider steps
                mine[bucket] = mine.get(bucket, 0.0) + count
        self._zeros += other._zeros
        self._fit()

    def content(self) -> dict[str, Any]:
        """Return what was counted, as JSON can hold it."""
        return {
            "halvings": self._halvings,
            "zeros": self._zeros,
            "positive": sorted(self._positive.items()),
            "negative": sorted(self._negative.items()),
        }

    @classmethod
    def restored(cls, content: Mapping[str, Any], buckets_max: int = BUCKETS_MAX) -> ValueSketch:
        """Return the sketch whose content this is.

        Args:
            content: What `content` returned.
            buckets_max: As of the class: it is not in the content.
        """
        sketch = cls(buckets_max)
        sketch._halvings = int(content["halvings"])
        sketch._zeros = float(content["zeros"])
        sketch._positive = {int(bucket): float(count) for bucket, count in content["positive"]}
        sketch._negative = {int(bucket): float(count) for bucket, count in content["negative"]}
        return sketch

    def _fit(self) -> None:
        while max(map(_span, (self._positive, self._negative))) > self.buckets_max:
            self._halve()

    def _halve(self) -> None:
        self._halvings += 1
        self._positive, self._negative = _halved(self._positive), _halved(self._negative)

    def _ascending(self) -> list[tuple[float, float]]:
        growth = math.exp(_LOG_GROWTH * 2**self._halvings)
        middle = 2 / (growth + 1)  # of a bucket's upper end: equally far, in shares, from both ends
        below = [(-middle * growth**bucket, count) for bucket, count in sorted(self._negative.items())]
        above = [(middle * growth**bucket, count) for bucket, count in sorted(self._positive.items())]
        return [*reversed(below), (0.0, self._zeros), *above]


def _span(side: Mapping[int, float]) -> int:
    return max(side) - min(side) + 1 if side else 0


def _halved(side: Mapping[int, float]) -> dict[int, float]:
    halved: dict[int, float] = {}
    for bucket, count in side.items():
        wider = -(-bucket // 2)
        halved[wider] = halved.get(wider, 0.0) + count
    return halved
