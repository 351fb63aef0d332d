"""What is usual for one template: how often it comes, when, in which levels, with which numbers."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from logging_system.coordination.learning.fading_sums import FadingSums
from logging_system.coordination.learning.value_sketch import ValueSketch

BUCKET_SECONDS = 10
"""Counts are compared in steps of this length."""
RATE_HALF_LIFE_SECONDS = 3_600
"""A count weighs half after this time."""
HALF_LIFE_DAYS = 7
"""What was seen of an hour of the day, of levels and of numbers weighs half after this time."""
NUMBERS_MAX = 4
"""Of more numbers of a template, the first are kept."""
_LEVELS_MAX = 8
_OTHER_LEVELS = "other"
_GAP_KEPT = 0.98
_GAP_SECONDS_MIN = 1e-3
DAY_SECONDS = 86_400
_RATE_KEPT = 0.5 ** (BUCKET_SECONDS / RATE_HALF_LIFE_SECONDS)


def faded(days: int) -> float:
    """Return what is left of a weight after so many days."""
    return math.pow(0.5, days / HALF_LIFE_DAYS)


class Baseline:
    """What is usual for one template.

    Args:
        event_seconds: When the first record was logged, seconds since 1970; `observe` counts that one too.

    Attributes:
        count: Records seen.
        late: Of these, how many were older than a bucket when they came; they are not in the rate.
        first_seconds: Event time of the first, seconds since 1970.
        last_seconds: The latest event time.
        hours: What came in each hour of the day in UTC, faded.
        levels: What came in each level, faded.
        sketches: Of each number of the template, how large it is; None for one that was not kept.
    """

    __slots__ = (
        "_bucket", "_bucket_count", "_counts", "_day", "_gaps",
        "count", "first_seconds", "hours", "last_seconds", "late", "levels", "sketches",
    )  # fmt: skip

    def __init__(self, event_seconds: float) -> None:
        self.count = 0
        self.late = 0
        self.first_seconds = self.last_seconds = event_seconds
        self.hours = array("d", bytes(24 * 8))
        self.levels: dict[str, float] = {}
        self.sketches: list[ValueSketch | None] = []
        self._bucket = int(event_seconds // BUCKET_SECONDS)
        self._bucket_count = 0
        self._counts = FadingSums(_RATE_KEPT)
        self._gaps = FadingSums(_GAP_KEPT)
        self._day = int(event_seconds // DAY_SECONDS)

    def observe(self, event_seconds: float, level: str) -> None:
        """Count a record.

        Args:
            event_seconds: When it was logged, seconds since 1970.
            level: Its level.
        """
        bucket = int(event_seconds // BUCKET_SECONDS)
        if bucket > self._bucket:
            self._close_until(bucket)
        if bucket < self._bucket:
            self.late += 1
        else:
            self._bucket_count += 1
            if self.count:
                gap = max(event_seconds - self.last_seconds, _GAP_SECONDS_MIN)
                self._gaps.add(math.log(gap))
        self.count += 1
        self.first_seconds = min(self.first_seconds, event_seconds)
        self.last_seconds = max(self.last_seconds, event_seconds)
        self.hours[int(event_seconds % DAY_SECONDS // 3600)] += 1
        if level not in self.levels and len(self.levels) >= _LEVELS_MAX:
            level = _OTHER_LEVELS
        self.levels[level] = self.levels.get(level, 0.0) + 1

    def per_second(self, at_seconds: float) -> float:
        """Return how many records a second are usual of late; nan before the first bucket is over.

        Args:
            at_seconds: Event time until which nothing more came, seconds since 1970.
        """
        return self._counts_at(at_seconds).mean / BUCKET_SECONDS

    def bucket_mean(self, at_seconds: float) -> float:
        """Return how many records a bucket of `BUCKET_SECONDS` usually has; nan before the first one is over.

        Args:
            at_seconds: Event time until which nothing more came, seconds since 1970.
        """
        return self._counts_at(at_seconds).mean

    def bucket_deviation(self, at_seconds: float) -> float:
        """Return the standard deviation of the count of a bucket; nan before the first one is over.

        Args:
            at_seconds: Event time until which nothing more came, seconds since 1970.
        """
        return math.sqrt(self._counts_at(at_seconds).variance)

    def burstiness(self, at_seconds: float) -> float:
        """Return the variance of a bucket's count by its mean: 1 for independent records, more for bursts.

        It is nan before the first bucket is over.

        Args:
            at_seconds: Event time until which nothing more came, seconds since 1970.
        """
        counts = self._counts_at(at_seconds)
        return counts.variance / counts.mean if counts.mean else math.nan

    def buckets_known(self, at_seconds: float) -> float:
        """Return how many buckets this rests on, faded; 0 before the first one is over.

        Args:
            at_seconds: Event time until which nothing more came, seconds since 1970.
        """
        return self._counts_at(at_seconds).weight

    @property
    def gap_seconds(self) -> float:
        """The usual time between two records: the geometric mean of late; nan before there are two."""
        return math.exp(self._gaps.mean)

    @property
    def gap_spread(self) -> float:
        """By which factor the time between two records usually differs from `gap_seconds`."""
        return math.exp(math.sqrt(self._gaps.variance))

    def level_shares(self) -> dict[str, float]:
        """Return the share of each level."""
        total = sum(self.levels.values())
        return {level: count / total for level, count in self.levels.items()}

    def quantile(self, place: int, share: float) -> float:
        """Return a quantile of one of the template's numbers; nan where it is not known.

        Args:
            place: Which number, from 0.
            share: From 0 to 1.
        """
        sketch = self.sketches[place] if place < len(self.sketches) else None
        return math.nan if sketch is None else sketch.quantile(share)

    def fade_until(self, event_seconds: float) -> None:
        """Let what is older than a day weigh less, once a day.

        Args:
            event_seconds: Event time.
        """
        day = int(event_seconds // DAY_SECONDS)
        if day <= self._day:
            return
        factor = faded(day - self._day)
        self._day = day
        for hour in range(24):
            self.hours[hour] *= factor
        for level in self.levels:
            self.levels[level] *= factor
        for sketch in self.sketches:
            if sketch is not None:
                sketch.fade(factor)

    def take_in(self, other: Baseline) -> None:
        """Add what another machine saw of the same template at the same time: rates add up.

        Args:
            other: The other baseline; it is faded as far as this one.
        """
        last = max(self.last_seconds, other.last_seconds)
        self._catch_up(other)
        other._catch_up(self)
        for mine in (self, other):
            mine.fade_until(last)
        self._bucket_count += other._bucket_count
        _add_rates(self._counts, other._counts)
        self._gaps.weight += other._gaps.weight
        self._gaps.total += other._gaps.total
        self._gaps.squares += other._gaps.squares
        self.count += other.count
        self.late += other.late
        self.first_seconds = min(self.first_seconds, other.first_seconds)
        self.last_seconds = last
        for hour in range(24):
            self.hours[hour] += other.hours[hour]
        self._take_levels(other.levels)

    def content(self) -> dict[str, Any]:
        """Return what is known, as JSON can hold it."""
        return {
            "count": self.count,
            "late": self.late,
            "first_seconds": self.first_seconds,
            "last_seconds": self.last_seconds,
            "hours": list(self.hours),
            "levels": dict(sorted(self.levels.items())),
            "numbers": [None if sketch is None else sketch.content() for sketch in self.sketches],
            "bucket": [self._bucket, self._bucket_count],
            "counts": self._counts.content(),
            "gaps": self._gaps.content(),
            "day": self._day,
        }

    @classmethod
    def restored(cls, content: Mapping[str, Any]) -> Baseline:
        """Return the baseline whose content this is."""
        self = cls(float(content["first_seconds"]))
        self.count, self.late = int(content["count"]), int(content["late"])
        self.last_seconds = float(content["last_seconds"])
        self.hours = array("d", _of_length(content["hours"], 24))
        self.levels = {str(level): float(count) for level, count in content["levels"].items()}
        self.sketches = [None if it is None else ValueSketch.restored(it) for it in content["numbers"]]
        self._bucket, self._bucket_count = map(int, content["bucket"])
        self._counts.restore(content["counts"])
        self._gaps.restore(content["gaps"])
        self._day = int(content["day"])
        return self

    def _counts_at(self, at_seconds: float) -> FadingSums:
        """Return the counts of the buckets that are over at a moment, empty ones included."""
        over = int(at_seconds // BUCKET_SECONDS) - self._bucket
        if over <= 0:
            return self._counts
        counts = self._counts.copy()
        counts.add(self._bucket_count)
        counts.add_zeros(over - 1)
        return counts

    def _close_until(self, bucket: int) -> None:
        self._counts.add(self._bucket_count)
        self._counts.add_zeros(bucket - self._bucket - 1)
        self._bucket, self._bucket_count = bucket, 0

    def _catch_up(self, other: Baseline) -> None:
        if other._bucket > self._bucket:
            self._close_until(other._bucket)

    def _take_levels(self, levels: Mapping[str, float]) -> None:
        known = self.levels
        both = {level: known.get(level, 0.0) + levels.get(level, 0.0) for level in known | dict(levels)}
        names = sorted(both, key=lambda level: (level == _OTHER_LEVELS, -both[level], level))
        self.levels = {level: both[level] for level in names[:_LEVELS_MAX]}
        if beyond := sum(both[level] for level in names[_LEVELS_MAX:]):
            self.levels[_OTHER_LEVELS] = self.levels.get(_OTHER_LEVELS, 0.0) + beyond


def _add_rates(mine: FadingSums, theirs: FadingSums) -> None:
    """Add up two streams that are independent of each other: their counts, and so their variances.

    What one did not watch yet, it counts as nought. The variance is that of the moment of merging: of three
    streams, its last digits depend on which two were merged first.
    """
    variance = sum(it.variance for it in (mine, theirs) if it.weight)
    mine.weight, mine.total = max(mine.weight, theirs.weight), mine.total + theirs.total
    if mine.weight:
        mine.squares = (variance + mine.mean**2) * mine.weight


def _of_length(values: Sequence[float], length: int) -> Sequence[float]:
    if len(values) != length:
        raise ValueError(f"{len(values)} values where {length} are expected")
    return values
