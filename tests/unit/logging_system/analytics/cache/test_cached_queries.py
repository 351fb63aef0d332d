from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope
from logging_system.analytics.store_queries import QueryRefusedError, StoreUnavailableError
from tests.simulation.cache.store import SimulatedStore

T0 = 1_700_000_000_000
TARGET = "logs-app-default"
QUESTION: dict[str, Any] = {
    "size": 0,
    "track_total_hits": True,
    "query": {"range": {"@timestamp": {"gte": T0, "lt": T0 + 600_000}}},
    "aggs": {"levels": {"terms": {"field": "level"}}},
}
PIECES = 60


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1e-6
        return self.seconds


class Setting:
    """A store with ten records, and caches before it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = SimulatedStore()
        (self.shard,) = self.store.create("index").shards
        for number in range(10):
            self.write(number)
        self.shard.refresh()
        self.memory = AnswerMemory(1_000_000)

    def write(self, number: int, seconds: int | None = None) -> None:
        at = T0 + 1000 * (60 * number if seconds is None else seconds)
        self.shard.write(str(number), {"@timestamp": at, "level": "info"})

    def cache(self, identity: str = "reader", store: Any = None, **times: float) -> CachedQueries:
        return CachedQueries(
            store or self.store,
            scope=Scope("default", identity),
            memory=self.memory,
            times=CacheTimes(**{"check_seconds": 0.0, **times}),  # type: ignore[arg-type]
            clock=self.clock,
        )


@pytest.fixture
def setting() -> Setting:
    return Setting()


def total(answer: Mapping[str, Any]) -> int:
    return int(answer["hits"]["total"]["value"])


def test_an_answer_is_kept_while_nothing_moves_and_asked_again_when_something_did(setting: Setting) -> None:
    cache = setting.cache()
    first, second = cache.answer(TARGET, QUESTION), cache.answer(TARGET, QUESTION)
    setting.write(10, seconds=90)
    third = cache.answer(TARGET, QUESTION)  # written, and not seen by searches yet
    setting.shard.refresh()
    fourth = cache.answer(TARGET, QUESTION)

    assert [it.from_cache for it in (first, second, fourth)] == [False, True, False]
    assert [total(it.body) for it in (first, second, third, fourth)] == [10, 10, 10, 11]
    assert all(it.fresh and it.stale_age_seconds is None for it in (first, second, third, fourth))
    assert cache.statistics.pieces_asked == PIECES + 1


def test_a_check_answers_for_all_questions_within_its_interval(setting: Setting) -> None:
    cache = setting.cache(check_seconds=1.0)
    for number in range(20):
        cache.answer(TARGET, {**QUESTION, "aggs": {f"a{number}": {"value_count": {"field": "level"}}}})
    checks = cache.statistics.checks
    setting.clock.seconds += 0.9
    answer = cache.answer(TARGET, {**QUESTION, "aggs": {"a0": {"value_count": {"field": "level"}}}})

    assert checks == cache.statistics.checks == 1
    assert answer.fresh
    assert 0.9 <= answer.validated_age_seconds < 1.0


def test_in_an_outage_an_answer_says_how_stale_it_is_until_it_is_too_old(setting: Setting) -> None:
    cache = setting.cache(stale_seconds_max=60.0)
    cache.answer(TARGET, QUESTION)
    setting.store.is_down = True
    setting.clock.seconds += 30.0
    stale = cache.answer(TARGET, QUESTION)

    assert not stale.fresh
    assert stale.stale_age_seconds == pytest.approx(30.0, abs=0.01)
    with pytest.raises(StoreUnavailableError):
        cache.search(TARGET, QUESTION)  # has no place to say that it is stale
    setting.clock.seconds += 31.0
    with pytest.raises(StoreUnavailableError):
        cache.answer(TARGET, QUESTION)


def test_a_reader_who_is_refused_gets_no_stale_answer(setting: Setting) -> None:
    class Refusing:
        def __init__(self, store: SimulatedStore) -> None:
            self.search, self.multi_search = store.search, store.multi_search
            self.open_point, self.close_point = store.open_point, store.close_point
            self.store, self.refuses = store, False

        def states(self, target: str) -> Any:
            if self.refuses:
                raise QueryRefusedError("HTTP 401", status=401)
            return self.store.states(target)

    store = Refusing(setting.store)
    cache = setting.cache(store=store)
    cache.answer(TARGET, QUESTION)
    store.refuses = True

    with pytest.raises(QueryRefusedError):
        cache.answer(TARGET, QUESTION)


def test_two_identities_share_no_entry_of_one_memory(setting: Setting) -> None:
    setting.cache("a").answer(TARGET, QUESTION)
    requests = setting.store.requests
    answer = setting.cache("b").answer(TARGET, QUESTION)

    assert not answer.from_cache
    assert setting.store.requests > requests


def test_what_a_caller_does_to_an_answer_changes_no_other(setting: Setting) -> None:
    cache = setting.cache()
    cache.answer(TARGET, QUESTION)
    mine: Any = cache.answer(TARGET, QUESTION).body
    mine["hits"]["total"]["value"] = 0

    assert total(cache.answer(TARGET, QUESTION).body) == 10


@pytest.mark.parametrize(
    "part", [{"timed_out": True}, {"terminated_early": True}, {"_shards": {"failed": 1}}]
)
def test_an_answer_in_part_is_given_as_such_and_not_kept(setting: Setting, part: dict[str, Any]) -> None:
    class InPart:
        def __init__(self, store: SimulatedStore) -> None:
            self.states, self.multi_search = store.states, store.multi_search
            self.open_point, self.close_point = store.open_point, store.close_point
            self.store, self.part = store, part

        def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**self.store.search(target, body), **self.part}

    store = InPart(setting.store)
    cache = setting.cache(store=store)
    answer = cache.answer(TARGET, QUESTION)
    store.part = {}
    after = cache.answer(TARGET, QUESTION)

    assert (answer.partial, answer.fresh) == (True, False)
    assert (after.partial, after.fresh, after.from_cache) == (False, True, False)


def test_many_threads_ask_the_store_one_question_once(setting: Setting) -> None:
    began, may_end, searches = threading.Event(), threading.Event(), []

    class Slow:
        def __init__(self, store: SimulatedStore) -> None:
            self.states, self.multi_search = store.states, store.multi_search
            self.open_point, self.close_point = store.open_point, store.close_point
            self.store = store

        def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            if "pieces" in body.get("aggs", {}):
                searches.append(body)
                began.set()
                assert may_end.wait(20)
            return self.store.search(target, body)

    cache = setting.cache(store=Slow(setting.store), check_seconds=5.0)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(cache.answer, TARGET, QUESTION)
        assert began.wait(20)
        others = [threads.submit(cache.answer, TARGET, QUESTION) for _ in range(7)]
        may_end.set()
        answers = [each.result() for each in (first, *others)]

    assert len(searches) == 1
    assert {total(answer.body) for answer in answers} == {10}


def test_an_answer_asked_for_before_a_write_is_not_given_to_who_asks_after_it(setting: Setting) -> None:
    """Who waits for another's answer gets it only if it is as fresh as its own would be."""
    began, may_end = threading.Event(), threading.Event()

    class Slow:
        def __init__(self, store: SimulatedStore) -> None:
            self.states, self.multi_search = store.states, store.multi_search
            self.open_point, self.close_point = store.open_point, store.close_point
            self.store = store

        def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            if "pieces" in body.get("aggs", {}) and not began.is_set():
                began.set()
                assert may_end.wait(20)
            return self.store.search(target, body)

    cache = setting.cache(store=Slow(setting.store))
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(cache.answer, TARGET, QUESTION)
        assert began.wait(20)
        setting.write(11, seconds=100)
        setting.shard.refresh()
        second = threads.submit(cache.answer, TARGET, QUESTION)
        may_end.set()

        assert total(second.result().body) == 11
        first.result()


def test_a_point_in_time_that_ran_out_is_opened_again_and_nothing_settled_is_asked_again(
    setting: Setting,
) -> None:
    cache = setting.cache()
    cache.answer(TARGET, QUESTION)
    setting.store.points.clear()
    wider = {**QUESTION, "query": {"range": {"@timestamp": {"gte": T0, "lt": T0 + 600_001}}}}
    asked = cache.statistics.pieces_asked
    answer = cache.answer(TARGET, wider)

    assert total(answer.body) == 10
    assert cache.statistics.pieces_asked > asked


def test_points_in_time_are_given_back(setting: Setting) -> None:
    cache = setting.cache()
    for number in range(5):
        cache.answer(TARGET, QUESTION)
        setting.write(20 + number, seconds=number)
        setting.shard.refresh()
    held = len(setting.store.points)
    cache.close()

    assert held == 1
    assert not setting.store.points


def test_a_deleted_record_is_gone_from_the_answer(setting: Setting) -> None:
    cache = setting.cache()
    cache.answer(TARGET, QUESTION)
    setting.shard.delete("3")
    setting.shard.refresh()

    assert total(cache.answer(TARGET, QUESTION).body) == 9
    assert cache.statistics.voided == 1


def test_more_terms_than_asked_for_are_asked_whole_and_exact(setting: Setting) -> None:
    for number, level in enumerate(("error", "warn", "debug")):
        setting.shard.write(f"more {number}", {"@timestamp": T0 + 1000 * number, "level": level})
    setting.shard.refresh()
    cache = setting.cache()
    top = {**QUESTION, "aggs": {"levels": {"terms": {"field": "level", "size": 2}}}}
    levels = cache.answer(TARGET, top).body["aggregations"]["levels"]

    assert [bucket["key"] for bucket in levels["buckets"]] == ["info", "debug"]
    assert levels["sum_other_doc_count"] == 2
    assert cache.statistics.unmerged == 1


def test_several_searches_are_answered_in_their_order(setting: Setting) -> None:
    none = {**QUESTION, "query": {"range": {"@timestamp": {"gte": 0, "lt": 1000}}}}

    assert [total(it) for it in setting.cache().multi_search([(TARGET, none), (TARGET, QUESTION)])] == [0, 10]


def test_a_store_that_cannot_tell_its_state_is_asked_itself(setting: Setting) -> None:
    class Unclear:
        def __init__(self, store: SimulatedStore) -> None:
            self.search, self.multi_search = store.search, store.multi_search
            self.open_point, self.close_point = store.open_point, store.close_point

        def states(self, target: str) -> None:
            return None

    cache = setting.cache(store=Unclear(setting.store))
    answers = [cache.answer(TARGET, QUESTION) for _ in range(2)]

    assert [(it.fresh, it.from_cache) for it in answers] == [(True, False)] * 2
    assert replace(cache.statistics, checks=0).passed == 2
