"""Asks through the cache of analytics, and the store itself where the cache may not look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logging_system.analytics.store_queries import QueryRefusedError, StoreQueries

_REFUSED_SECONDS = 300.0


class ThroughCache:
    """A cache before a store, for readers that may not be allowed what it needs; fits `StoreQueries`.

    The cache asks how far the store is, which needs the privilege `monitor`; a reader of logs may lack it.

    Args:
        cache: The cache.
        store: The store behind it.
        clock: Monotonic seconds.
    """

    def __init__(
        self, cache: StoreQueries, store: StoreQueries, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cache = cache
        self._store = store
        self._clock = clock
        self._refused_until = 0.0
        self._why = ""

    @property
    def refusal(self) -> str:
        """Why the store is asked without the cache, in its own words; empty where it is asked through it."""
        return self._why if self._clock() < self._refused_until else ""

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer to one search; see `StoreQueries.search`."""
        if self._clock() < self._refused_until:
            return self._store.search(target, body)
        try:
            return self._cache.search(target, body)
        except QueryRefusedError as error:
            # Either the cache may not look, or the question itself is refused, which the store says again.
            answer = self._store.search(target, body)
            self._why = str(error)
        self._refused_until = self._clock() + _REFUSED_SECONDS
        return answer

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        """Return the answers to several searches in one request; the cache would ask one after the other."""
        return self._store.multi_search(searches)
