"""Lines as they are stored: found by a query, each once, in the order of their time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from logging_system.analytics.answers import Partial, hits_of, joined, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import value_of
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.templates import message_of
from logging_system.analytics.windows import Window

PAGE_LINES = 1_000
KEEP_ALIVE = "1m"
"""How long the store keeps what it showed, counted anew with every page."""


class PagingQueries(StoreQueries, Protocol):
    """Asks a store page by page; `ElasticsearchQueries` fits it."""

    def open_point(self, target: str, keep_alive: str) -> str:
        """Return the id of a point in time; empty where no data stream has the name.

        Args:
            target: Index names and patterns, with commas between them.
            keep_alive: How long the store keeps it when nobody asks, as the store writes that: `1m`.
        """
        ...

    def close_point(self, point_id: str) -> None:
        """Let the store forget a point in time; one that is gone already is no error.

        Args:
            point_id: What `open_point` returned, or the one that the last page named.
        """
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A stored record as a person reads it.

    Attributes:
        key: Names the document in the whole store: its index and its id.
        moment: Its own time, in UTC.
        namespace: Whose it is.
        level: Its level; empty where it has none.
        logger: Who logged it; empty where nobody is named.
        message: What it says; a marker where that is sealed.
        sealed: Whether fields of it can only be read with its key: `decrypt` opens them.
        source: The document.
    """

    key: tuple[str, str]
    moment: datetime
    namespace: str
    level: str
    logger: str
    message: str
    sealed: bool
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Lines that a query found.

    Attributes:
        lines: The newest of them, the oldest of these first.
        count: How many there are in all.
        partial: Why that is only a part; None where it is all.
    """

    lines: tuple[Line, ...]
    count: int
    partial: Partial | None


def search_lines(
    queries: PagingQueries,
    reach: Reach,
    window: Window,
    *,
    query: Mapping[str, Any] | None = None,
    lines_max: int = 100,
) -> Found:
    """Return the newest lines that fit.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.
        query: A condition beside the time; None for none.
        lines_max: How many are returned at most.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    condition = {"bool": {"filter": [window.query, *([query] if query else [])]}}
    lines: list[Line] = []
    lacking: list[Partial | None] = []
    count = 0
    with point_in_time(queries, reach) as point_id:
        for answer in pages(queries, point_id, condition, newest_first=True, size=min(PAGE_LINES, lines_max)):
            lacking.append(partial_of(answer))
            count = count or total_of(answer)
            lines += [line_of(hit, reach) for hit in hits_of(answer)]
            if len(lines) >= lines_max:
                break
    return Found(tuple(reversed(lines[:lines_max])), count, joined(lacking))


@contextmanager
def point_in_time(queries: PagingQueries, reach: Reach) -> Iterator[str]:
    """Yield a point in time over all that may be read; it is closed at the end.

    Args:
        queries: Asks the store.
        reach: The data streams.
    """
    point_id = queries.open_point(reach.target, KEEP_ALIVE)
    try:
        yield point_id
    finally:
        if point_id:
            queries.close_point(point_id)


def pages(
    queries: StoreQueries,
    point_id: str,
    condition: Mapping[str, Any],
    *,
    newest_first: bool = False,
    size: int = PAGE_LINES,
) -> Iterator[Mapping[str, Any]]:
    """Yield page after page of what a point in time shows, each hit once; ends with them.

    Under a point in time the store breaks ties by the document's place, which nothing changes there
    (https://www.elastic.co/guide/en/elasticsearch/reference/8.19/paginate-search-results.html#search-after).

    Args:
        queries: Asks the store.
        point_id: The point in time; empty, and there are no pages.
        condition: The query that a line has to fit.
        newest_first: Whether to begin at the newest; else at the oldest.
        size: Hits a page at most; a page with fewer is the last.
    """
    after: list[Any] | None = None
    while point_id:
        body: dict[str, Any] = {
            "size": size,
            "query": condition,
            "pit": {"id": point_id, "keep_alive": KEEP_ALIVE},
            "sort": [{"@timestamp": "desc" if newest_first else "asc"}],
            "track_total_hits": after is None,
            **({} if after is None else {"search_after": after}),
        }
        answer = queries.search("", body)
        yield answer
        hits = hits_of(answer)
        if len(hits) < size:
            return
        point_id = str(answer.get("pit_id") or point_id)
        after = hits[-1]["sort"]


def line_of(hit: Mapping[str, Any], reach: Reach) -> Line:
    """Return a hit as a line.

    Raises:
        ForeignAnswerError: It was not asked for.
    """
    found = hit.get("_source")
    source: Mapping[str, Any] = found if isinstance(found, dict) else {}
    sort = hit.get("sort")
    milliseconds = sort[0] if isinstance(sort, list) and sort and isinstance(sort[0], int) else 0
    return Line(
        (str(hit.get("_index")), str(hit.get("_id"))),
        _moment(milliseconds),
        reach.check(hit.get("_index")),
        str(value_of(source, "log.level") or ""),
        str(value_of(source, "log.logger") or ""),
        message_of(source),
        "encrypted" in source,
        source,
    )


def _moment(milliseconds: int) -> datetime:
    """Return a time; one that no calendar of ours reaches is the last or first day that every zone has."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        edge = datetime.max - timedelta(days=2) if milliseconds > 0 else datetime.min + timedelta(days=2)
        return edge.replace(tzinfo=UTC)
