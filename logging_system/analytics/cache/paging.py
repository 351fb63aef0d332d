"""Hits page by page, all of one moment: a point in time holds the view until the last page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from logging_system.analytics.cache.cached_answer import is_partial
from logging_system.analytics.cache.snapshot_store import SnapshotStore
from logging_system.analytics.store_queries import StoreQueryError, StoreUnavailableError

_KEEP_ALIVE_SECONDS = 60


def pages(
    store: SnapshotStore, target: str, body: Mapping[str, Any], *, page_hits: int, pages_max: int
) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the hits of a search by pages; none twice, none left out, whatever is written meanwhile.

    Args:
        store: The store.
        target: Data streams.
        body: The body of `_search`; its `sort` is the order, and `size` is not read.
        page_hits: Hits of a page.
        pages_max: Pages at most.

    Raises:
        ValueError: The search has no `sort`.
        StoreUnavailableError: A page cannot be had, or only in part.
        QueryRefusedError: The store refuses the search.
    """
    if not body.get("sort"):
        raise ValueError("pages need a sort; add one, such as [{'@timestamp': 'desc'}]")
    point_id = store.open_point(target, _KEEP_ALIVE_SECONDS)
    try:
        after: list[Any] | None = None
        for _page in range(pages_max):
            hits = _page_of(store, body, point_id, page_hits, after)
            if hits:
                yield hits
            if len(hits) < page_hits:
                return
            after = hits[-1]["sort"]
    finally:
        with suppress(StoreQueryError):  # the store gives it up by itself
            store.close_point(point_id)


def _page_of(
    store: SnapshotStore, body: Mapping[str, Any], point_id: str, page_hits: int, after: list[Any] | None
) -> list[Mapping[str, Any]]:
    point = {"id": point_id, "keep_alive": f"{_KEEP_ALIVE_SECONDS}s"}
    asked = {**body, "size": page_hits, "pit": point}
    # Aggregations are those of all pages, and the first has them.
    if after is not None:
        asked = {name: each for name, each in asked.items() if name not in ("aggs", "aggregations", "from")}
        asked["search_after"] = after
    answer = store.search("", asked)
    if is_partial(answer):
        raise StoreUnavailableError("a page came in part; ask again")
    hits: list[Mapping[str, Any]] = answer["hits"]["hits"]
    return hits
