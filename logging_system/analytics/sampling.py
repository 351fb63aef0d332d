"""A sample of records that is spread over a window: from each slice of time as many, its first ones.

Where a slice holds no more than is taken of it, all are taken; the share that was is told with every result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from logging_system.analytics.answers import Partial, hits_of, joined, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window
from logging_system.records.levels import ERROR_RANK, spelled_where

SLICES = 10
RECORDS_MAX = 5_000

ERRORS: Mapping[str, Any] = {"terms": {"log.level": spelled_where(lambda rank: rank >= ERROR_RANK)}}
"""The query for errors, which are what `levels.is_error` says of `log.level`."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A record of a sample.

    Attributes:
        source: The document.
        weight: For how many records of its slice it stands.
    """

    source: Mapping[str, Any]
    weight: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the records of a window.

    Attributes:
        records: Them.
        count: How many there are in all.
        partial: Why that is only a part; None where it is all.
    """

    records: tuple[Sampled, ...]
    count: int
    partial: Partial | None

    @property
    def share(self) -> float:
        """Which share of the records was looked at."""
        return len(self.records) / self.count if self.count else 1.0


def sample(
    queries: StoreQueries,
    reach: Reach,
    window: Window,
    *,
    query: Mapping[str, Any] | None = None,
    fields: Iterable[str] = ("@timestamp", "message", "log.logger", "log.level", "error.type", "encrypted"),
    records_max: int = RECORDS_MAX,
) -> Sample:
    """Take a sample.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.
        query: A condition beside the time; None for none.
        fields: What is read of each document.
        records_max: How many records are read at most.

    Returns:
        The records, each with how many it stands for, how many there are, and what the answer lacks.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    size = max(1, records_max // SLICES)
    searches = []
    for each in _slices(window):
        body: dict[str, Any] = {
            "size": size,
            "track_total_hits": True,
            "query": {"bool": {"filter": [each.query, *([query] if query else [])]}},
            "sort": [{"@timestamp": "asc"}],
            "_source": list(fields),
        }
        searches.append((reach.target, body))
    answers = queries.multi_search(searches)
    records = []
    for answer in answers:
        hits = hits_of(answer)
        for hit in hits:
            reach.check(hit.get("_index"))
            source = hit.get("_source")
            weight = max(1.0, total_of(answer) / len(hits))
            records.append(Sampled(source if isinstance(source, dict) else {}, weight))
    return Sample(tuple(records), sum(map(total_of, answers)), joined(map(partial_of, answers)))


def value_of(source: Mapping[str, Any], path: str) -> Any:
    """Return a field's value, however its names are nested; None where there is none.

    Args:
        source: A document, as it is stored.
        path: The field's name, with dots.
    """
    if path in source:
        return source[path]
    head, _, rest = path.partition(".")
    inner = source.get(head)
    return value_of(inner, rest) if rest and isinstance(inner, Mapping) else None


def _slices(window: Window) -> list[Window]:
    # To the millisecond, which is what a search compares.
    whole_ms = int(window.seconds * 1000)
    count = max(1, min(SLICES, whole_ms))
    edges = [window.since + timedelta(milliseconds=whole_ms * number // count) for number in range(count)] + [
        window.until
    ]
    return [Window(edges[at], edges[at + 1], window.zone) for at in range(count)]
