"""What the cache asks of a store beside searches: how far it is written and visible, and points in time."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import orjson

from logging_system.analytics.cache.store_states import (
    CLUSTER_FILTER,
    STATS_FILTER,
    TargetState,
    target_state,
)
from logging_system.analytics.store_queries import ElasticsearchQueries, StoreQueries

_SAFE = ",*-"


class SnapshotStore(StoreQueries, Protocol):
    """A store whose views can be told apart and held; safe for threads."""

    def states(self, target: str) -> TargetState | None:
        """Return how far a target is; None where some copy does not tell.

        Raises:
            StoreUnavailableError: As for `search`.
            QueryRefusedError: As for `search`.
        """
        ...

    def open_point(self, target: str, keep_alive_seconds: int) -> str:
        """Return a point in time: searches of it see what a search of the target sees now.

        Args:
            target: Index names and patterns, with commas between them.
            keep_alive_seconds: How long the store keeps it when nobody asks.

        Raises:
            StoreUnavailableError: As for `search`.
            QueryRefusedError: As for `search`.
        """
        ...

    def close_point(self, point_id: str) -> None:
        """Give a point in time back; one that is gone already is no error.

        Args:
            point_id: What `open_point` returned.

        Raises:
            StoreUnavailableError: As for `search`.
        """
        ...


class ElasticsearchSnapshots:
    """Elasticsearch as a `SnapshotStore`; it needs `monitor` of the indices and of the cluster.

    Args:
        queries: Carries requests, with the credentials of whom the answers are for.
        preference: Keeps all searches on the same copies of the shards, which show the same; the same as that
            of `queries`.
    """

    def __init__(self, queries: ElasticsearchQueries, *, preference: str = "") -> None:
        self._queries = queries
        self._preference = preference
        self.search = queries.search
        self.multi_search = queries.multi_search

    def states(self, target: str) -> TargetState | None:
        """Return how far a target is; see `SnapshotStore.states`."""
        name = quote(target, safe=_SAFE)
        lenient = "ignore_unavailable=true&expand_wildcards=open,hidden"
        stats = self._queries.asked(
            "GET", f"/{name}/_stats/refresh?level=shards&{lenient}&filter_path={STATS_FILTER}"
        )
        cluster = self._queries.asked(
            "GET",
            f"/_cluster/state/metadata,routing_table,nodes/{name}?{lenient}&filter_path={CLUSTER_FILTER}",
        )
        return target_state(stats, cluster)

    def open_point(self, target: str, keep_alive_seconds: int) -> str:
        """Return a point in time; see `SnapshotStore.open_point`."""
        preferred = f"&preference={quote(self._preference, safe='')}" if self._preference else ""
        path = (
            f"/{quote(target, safe=_SAFE)}/_pit?keep_alive={keep_alive_seconds}s"
            f"&ignore_unavailable=true{preferred}"
        )
        return str(self._queries.asked("POST", path)["id"])

    def close_point(self, point_id: str) -> None:
        """Give a point in time back; see `SnapshotStore.close_point`."""
        body: dict[str, Any] = {"id": point_id}
        self._queries.asked("DELETE", "/_pit", orjson.dumps(body))
