"""Records by level over time, and the share of errors; a gap is a gap, and what may still grow says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from logging_system.analytics.answers import Partial, buckets_of, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Interval, Window, histogram_of, moment_of
from logging_system.records.levels import is_error, level_name

LEVELS_MAX = 50
NO_LEVEL = "(none)"
LATENESS_SECONDS = 10.0
"""How late a record is searchable where nothing says otherwise: shipping, and a second until a refresh."""

Outage = tuple[datetime, datetime]
"""From when to when records are known to have been held up or lost."""


class BucketState(StrEnum):
    """What a bucket's numbers are worth."""

    SETTLED = "settled"
    FILLING = "filling"
    """Records of this time may still come: it is younger than the lateness."""
    GAP = "gap"
    """The pipeline is known to have been down and nothing of this time was found: not a zero."""
    HELD_UP = "held up"
    """The pipeline is known to have been down for a part of it, and what is there may not be all."""


@dataclass(frozen=True, slots=True)
class RateBucket:
    """The records of one interval.

    Attributes:
        start: Where it begins, in the window's zone.
        by_level: How many, by level; None for a gap.
        state: What these numbers are worth.
    """

    start: datetime
    by_level: Mapping[str, int] | None
    state: BucketState

    @property
    def count(self) -> int | None:
        """All its records; None for a gap."""
        return None if self.by_level is None else sum(self.by_level.values())


@dataclass(frozen=True, slots=True)
class Rates:
    """Records by level over time.

    Attributes:
        window: The time asked about.
        interval: How long a bucket is.
        by_level: How many there are in all, by level, the most frequent first.
        buckets: Every interval of the window, those without a record included.
        partial: Why this is only a part; None where it is all.
        streams_found: False where no data stream has the names asked for.
    """

    window: Window
    interval: Interval
    by_level: Mapping[str, int]
    buckets: tuple[RateBucket, ...]
    partial: Partial | None
    streams_found: bool

    @property
    def count(self) -> int:
        """All records."""
        return sum(self.by_level.values())

    @property
    def errors(self) -> int:
        """Those of level error and above."""
        return sum(count for level, count in self.by_level.items() if is_error(level))

    @property
    def error_ratio(self) -> float | None:
        """The share of errors; None where there is no record."""
        return self.errors / self.count if self.count else None


def levels_terms() -> dict[str, Any]:
    """Return the aggregation by level; by key, so that every shard tells all it has."""
    # Both the store's answer and a request's own cost are bounded by LEVELS_MAX, which no system reaches.
    return {
        "terms": {"field": "log.level", "missing": NO_LEVEL, "size": LEVELS_MAX, "order": {"_key": "asc"}}
    }


def rates_search(
    window: Window, interval: Interval, query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the body of the search that `read_rates` reads.

    Args:
        window: The time.
        interval: How long a bucket is.
        query: A condition beside the time; None for none.

    Raises:
        ValueError: There would be too many buckets.
    """
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [window.query, *([query] if query else [])]}},
        "aggs": {
            "levels": levels_terms(),
            "times": {"date_histogram": histogram_of(window, interval), "aggs": {"levels": levels_terms()}},
        },
    }


def read_rates(
    answer: Mapping[str, Any],
    window: Window,
    interval: Interval,
    *,
    now: datetime,
    lateness_seconds: float = LATENESS_SECONDS,
    outages: Sequence[Outage] = (),
) -> Rates:
    """Return what an answer to `rates_search` says.

    Args:
        answer: The store's.
        window: The time asked about.
        interval: How long a bucket is.
        now: The present moment.
        lateness_seconds: How late records are searchable at most.
        outages: When the pipeline is known to have been down.
    """
    aggregations = answer.get("aggregations")
    settled_until = now - timedelta(seconds=lateness_seconds)
    buckets = []
    found = buckets_of(aggregations, "times")
    starts = [moment_of(each["key"], window.zone) for each in found]
    for number, (each, start) in enumerate(zip(found, starts, strict=True)):
        end = (
            starts[number + 1]
            if number + 1 < len(starts)
            else start + timedelta(seconds=interval.seconds_max)
        )
        by_level = by_level_of(each)
        state = _state(
            bool(by_level), max(start, window.since), min(end, window.until), settled_until, outages
        )
        buckets.append(RateBucket(start, None if state is BucketState.GAP else by_level, state))
    by_level = by_level_of(aggregations)
    return Rates(
        window,
        interval,
        dict(sorted(by_level.items(), key=lambda each: (-each[1], each[0]))),
        tuple(buckets),
        partial_of(answer),
        streams_found=_shards_total(answer) > 0,
    )


def rates(
    queries: StoreQueries,
    reach: Reach,
    window: Window,
    interval: Interval,
    *,
    now: datetime,
    lateness_seconds: float = LATENESS_SECONDS,
    outages: Sequence[Outage] = (),
    query: Mapping[str, Any] | None = None,
) -> Rates:
    """Ask for the records by level over time.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.
        interval: How long a bucket is.
        now: The present moment.
        lateness_seconds: How late records are searchable at most.
        outages: When the pipeline is known to have been down.
        query: A condition beside the time; None for none.

    Returns:
        The counts by level, whole and of every interval of the window, and what the answer lacks.

    Raises:
        StoreQueryError: There is no answer.
        ValueError: There would be too many buckets.
    """
    answer = queries.search(reach.target, rates_search(window, interval, query))
    return read_rates(answer, window, interval, now=now, lateness_seconds=lateness_seconds, outages=outages)


def by_level_of(aggregations: object) -> dict[str, int]:
    """Return the counts by level, by names in small letters where they are known.

    Args:
        aggregations: What `levels_terms` was answered with, beside others.
    """
    found: dict[str, int] = {}
    for each in buckets_of(aggregations, "levels"):
        name = level_name(str(each["key"]))
        found[name] = found.get(name, 0) + int(each["doc_count"])
    return found


def _state(
    has_records: bool, start: datetime, end: datetime, settled_until: datetime, outages: Sequence[Outage]
) -> BucketState:
    if any(began < end and ended > start for began, ended in outages):
        return BucketState.HELD_UP if has_records else BucketState.GAP
    return BucketState.FILLING if end > settled_until else BucketState.SETTLED


def _shards_total(answer: Mapping[str, Any]) -> int:
    shards = answer.get("_shards")
    total = shards.get("total") if isinstance(shards, dict) else None
    return total if isinstance(total, int) else total_of(answer)
