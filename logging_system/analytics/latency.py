"""How long records took from their log call until a search found them.

Two sources know it: documents that say when they were stored (`event.ingested`, set by an ingest pipeline or
another shipper), and the shipper's own histogram of what it delivered (see `shipping/delivery_delays.py`).
The first is measured on a sample, the second on every record, up to the bounds of its buckets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from logging_system.analytics.answers import Partial
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import sample, value_of
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window
from logging_system.monitoring.delays import BOUNDS_SECONDS, Delays

SHARES = (0.5, 0.95, 0.99)
INGESTED = "event.ingested"

Source = Literal["documents", "shipper"]


@dataclass(frozen=True, slots=True)
class Latency:
    """Delays from logged to searchable.

    Attributes:
        source: Who says so: documents, or the shipper since it began to count.
        count: How many records were measured.
        p50_seconds: Half of them took no longer; infinite beyond the last bucket of the shipper's histogram.
        p95_seconds: The same of 95 %.
        p99_seconds: The same of 99 %.
        is_bound: Whether these are the upper bounds of buckets, and the delays themselves lower.
        sampled_share: Which share of the records was looked at.
        partial: Why that is only a part; None where it is all.
    """

    source: Source
    count: int
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    is_bound: bool
    sampled_share: float
    partial: Partial | None


def latency_of_documents(queries: StoreQueries, reach: Reach, window: Window) -> Latency | None:
    """Measure what documents say themselves; None where none of them says it.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    taken = sample(queries, reach, window, fields=("@timestamp", INGESTED))
    delays = []
    for record in taken.records:
        logged, ingested = (_seconds(value_of(record.source, path)) for path in ("@timestamp", INGESTED))
        if logged is not None and ingested is not None:
            delays.append(max(0.0, ingested - logged))
    if not delays:
        return None
    p50, p95, p99 = (quantile(sorted(delays), share) for share in SHARES)
    share = len(delays) / taken.count if taken.count else 1.0
    return Latency("documents", len(delays), p50, p95, p99, False, share, taken.partial)


def latency_of_shipper(delays: Delays) -> Latency | None:
    """Return what a shipper's histogram says; None where it has delivered nothing.

    Args:
        delays: How long its records took, by bucket.
    """
    if not delays.count:
        return None
    p50, p95, p99 = (_bound(delays, share) for share in SHARES)
    return Latency("shipper", delays.count, p50, p95, p99, True, 1.0, None)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least of some values that a share of them does not exceed.

    Args:
        ordered: The values, in order; one at least.
        share: Above 0, at most 1.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _bound(delays: Delays, share: float) -> float:
    wanted = math.ceil(share * delays.count)
    for bound, count in zip(BOUNDS_SECONDS, delays.cumulative, strict=False):
        if count >= wanted:
            return bound
    return math.inf


def _seconds(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
