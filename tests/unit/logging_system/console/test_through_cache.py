from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from logging_system.analytics.store_queries import QueryRefusedError
from logging_system.console.through_cache import ThroughCache


class Asked:
    """Counts what it is asked, and refuses where told to."""

    def __init__(self, name: str, *, refuses: bool = False) -> None:
        self.name = name
        self.refuses = refuses
        self.times = 0

    def search(self, _target: str, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.times += 1
        if self.refuses:
            raise QueryRefusedError(f"{self.name} refuses", status=403)
        return {"from": self.name}

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        return [self.search(*each) for each in searches]


def test_what_the_cache_can_answer_comes_from_it() -> None:
    cache, store = Asked("cache"), Asked("store")

    assert ThroughCache(cache, store).search("logs-*", {}) == {"from": "cache"}
    assert store.times == 0


def test_a_reader_without_the_privilege_of_the_cache_asks_the_store_and_tries_again_later() -> None:
    now = 1_000.0
    cache, store = Asked("cache", refuses=True), Asked("store")
    asking = ThroughCache(cache, store, lambda: now)

    assert [asking.search("logs-*", {})["from"] for _ in range(3)] == ["store"] * 3
    assert (cache.times, store.times) == (1, 3)
    assert asking.refusal == "cache refuses"
    now += 301.0
    assert asking.refusal == ""
    cache.refuses = False
    assert asking.search("logs-*", {}) == {"from": "cache"}


def test_a_question_that_the_store_refuses_is_refused_and_takes_nothing_from_others() -> None:
    cache, store = Asked("cache", refuses=True), Asked("store", refuses=True)
    asking = ThroughCache(cache, store)

    with pytest.raises(QueryRefusedError, match="store refuses"):
        asking.search("logs-*", {})
    assert asking.refusal == ""
    cache.refuses = store.refuses = False
    assert asking.search("logs-*", {}) == {"from": "cache"}


def test_several_searches_go_to_the_store_in_one_request() -> None:
    cache, store = Asked("cache"), Asked("store")

    assert len(ThroughCache(cache, store).multi_search([("logs-*", {})] * 2)) == 2
    assert cache.times == 0
