"""The cache of analytics: no fresh answer is wrong, whatever happens; caches that are wrong are found."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_answer import comparable_part
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope
from logging_system.analytics.store_queries import StoreQueryError
from tests.simulation.cache.__main__ import run_seed
from tests.simulation.cache.store import SimulatedStore, answer_to
from tests.simulation.cache.world import KNOWN_WRONG, Around, World, WrongAnswerError, visible_without_gaps

SEEDS = int(os.environ.get("LOGQUAKE_CACHE_SEEDS", "150"))
HUNT_SEEDS_MAX = 400
T0 = 1_700_000_000_000
TARGET = "logs-app-default"
MINUTES: dict[str, Any] = {
    "size": 0,
    "track_total_hits": True,
    "query": {"range": {"@timestamp": {"gte": T0, "lt": T0 + 300_000}}},
    "aggs": {
        "times": {
            "date_histogram": {"field": "@timestamp", "fixed_interval": "10s"},
            "aggs": {"levels": {"terms": {"field": "level"}}},
        },
        "levels": {"terms": {"field": "level", "size": 2}},
    },
}


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_no_fresh_answer_is_wrong(first: int) -> None:
    trials = [run_seed(seed) for seed in range(first, min(first + 50, SEEDS))]

    assert [trial.trouble for trial in trials if trial.trouble] == []
    assert sum(trial.records for trial in trials) > 2 * len(trials)


def test_worlds_answer_from_memory_too() -> None:
    worlds = [World(seed) for seed in range(30)]
    for world in worlds:
        world.run()

    assert sum(world.kept for world in worlds) > 0
    assert sum(world.cache.statistics.pieces_held for world in worlds) > 500
    assert sum(world.cache.statistics.stale for world in worlds) > 0


@pytest.mark.slow
@pytest.mark.parametrize("bug", sorted(KNOWN_WRONG))
def test_a_deliberate_bug_is_found(bug: str) -> None:
    assert any(is_wrong(seed, bug) for seed in range(HUNT_SEEDS_MAX))


def is_wrong(seed: int, bug: str) -> bool:
    try:
        World(seed, KNOWN_WRONG[bug]).run()
    except WrongAnswerError:
        return True
    return False


def cache_before(store: SimulatedStore, around: Around = lambda store: store) -> CachedQueries:
    times = CacheTimes(check_seconds=0.0)
    memory = AnswerMemory(1_000_000)
    return CachedQueries(around(store), scope=Scope("default", "reader"), memory=memory, times=times)


def is_exact(cache: CachedQueries, store: SimulatedStore, body: dict[str, Any]) -> bool:
    said = comparable_part(cache.answer(TARGET, body).body)
    return said == comparable_part(answer_to(body, store.seen))


@pytest.mark.parametrize(("around", "exact"), [(lambda store: store, True), (visible_without_gaps, False)])
def test_a_record_under_way_that_comes_as_another_goes_is_seen(around: Around, exact: bool) -> None:
    """The highest sequence number seen is no sign that all below it are seen: counts alone would agree."""
    store = SimulatedStore()
    (shard,) = store.create("index").shards
    cache = cache_before(store, around)
    for number in range(5):
        shard.write(f"old {number}", {"@timestamp": T0 + 1000 * number, "level": "info"})
    shard.refresh()
    assert is_exact(cache, store, MINUTES)
    shard.begin_write("under way", {"@timestamp": T0 + 60_000, "level": "error"})
    for number in range(2):
        shard.write(f"new {number}", {"@timestamp": T0 + 120_000, "level": "info"})
        shard.refresh()
        assert is_exact(cache, store, MINUTES)
    shard.end_write(0)
    shard.delete("old 0")
    shard.refresh()

    assert is_exact(cache, store, MINUTES) is exact


class CacheMachine(RuleBasedStateMachine):
    """Whatever is written, deleted, shown and lost, in whatever order: fresh is what the store says."""

    @initialize(shards=st.integers(1, 2))
    def begin(self, shards: int) -> None:
        self.store = SimulatedStore()
        self.store.create("index 1", shards)
        self.shards = shards
        self.keys = 0
        self.cache = cache_before(self.store)

    def shard(self, at: int) -> Any:
        every = [shard for index in self.store.indices.values() for shard in index.shards]
        return every[at % len(every)]

    @rule(at=st.integers(0, 5), seconds=st.integers(0, 299), level=st.sampled_from(["info", "error", "warn"]))
    def write(self, at: int, seconds: int, level: str) -> None:
        self.keys += 1
        self.shard(at).write(f"key {self.keys}", {"@timestamp": T0 + 1000 * seconds, "level": level})

    @rule(at=st.integers(0, 5), seconds=st.integers(0, 299))
    def begin_write(self, at: int, seconds: int) -> None:
        self.keys += 1
        self.shard(at).begin_write(f"key {self.keys}", {"@timestamp": T0 + 1000 * seconds, "level": "info"})

    @rule(at=st.integers(0, 5))
    def end_write(self, at: int) -> None:
        if self.shard(at).in_flight:
            self.shard(at).end_write(0)

    @rule(at=st.integers(0, 5), which=st.integers(0, 20))
    def delete(self, at: int, which: int) -> None:
        live = self.shard(at).live
        if live:
            self.shard(at).delete(list(live)[which % len(live)])

    @rule(at=st.integers(0, 5))
    def refresh(self, at: int) -> None:
        self.shard(at).refresh()

    @rule(at=st.integers(0, 5))
    def begin_refresh(self, at: int) -> None:
        self.shard(at).begin_refresh()

    @rule(at=st.integers(0, 5))
    def end_refresh(self, at: int) -> None:
        self.shard(at).end_refresh()

    @rule()
    def roll_over(self) -> None:
        self.store.create(f"index {len(self.store.indices) + 1}", self.shards)

    @rule()
    def restart(self) -> None:
        self.store.process += 1
        self.store.points.clear()
        for at in range(len(self.store.indices) * self.shards):
            self.shard(at).restart()

    @rule(is_down=st.booleans())
    def fall_or_rise(self, is_down: bool) -> None:
        self.store.is_down = is_down

    @rule(later=st.sampled_from([0, 10_000, 15_000]))
    def ask(self, later: int) -> None:
        bounds = {"gte": T0 + later, "lt": T0 + later + 300_000}
        body = {**MINUTES, "query": {"range": {"@timestamp": bounds}}}
        try:
            answer = self.cache.answer(TARGET, body)
        except StoreQueryError:
            assert self.store.is_down
            return
        if answer.fresh:
            assert comparable_part(answer.body) == comparable_part(answer_to(body, self.store.seen))
        else:
            assert self.store.is_down


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
