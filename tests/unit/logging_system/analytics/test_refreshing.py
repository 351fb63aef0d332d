"""The same count again and again: of now, or with its age while the store is down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope
from logging_system.analytics.reach import Reach
from logging_system.analytics.refreshing import Refreshing
from logging_system.analytics.store_queries import StoreUnavailableError
from tests.simulation.cache.store import SimulatedStore

BEGAN = datetime(2026, 11, 30, tzinfo=UTC)
T0_MS = int(BEGAN.timestamp() * 1000)


class Setting:
    """A store behind a link that can be down, a cache before it, and one clock for all."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.logged = 0
        self.is_down = False
        self.store = SimulatedStore()
        (self.shard,) = self.store.create("index").shards
        cache = CachedQueries(
            self,  # it passes on what it is asked
            scope=Scope("default", ""),
            memory=AnswerMemory(1_000_000),
            times=CacheTimes(check_seconds=1.0),
            clock=lambda: self.seconds,
        )
        self.panel = Refreshing(
            cache, Reach.of(["default"]), BEGAN, lambda: BEGAN + timedelta(seconds=self.seconds)
        )

    def __getattr__(self, name: str) -> Any:
        if self.is_down:
            raise StoreUnavailableError("nobody answers")
        return getattr(self.store, name)

    def log(self, level: str = "info") -> None:
        self.logged += 1
        at_ms = T0_MS + int(self.seconds * 1000)
        self.shard.write(str(self.logged), {"@timestamp": at_ms, "log.level": level})
        self.shard.refresh()


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_what_is_there_is_counted_by_level(setting: Setting) -> None:
    setting.log("info")
    setting.log("error")
    answer = setting.panel.ask()

    assert (answer.records, dict(answer.by_level)) == (2, {"error": 1, "info": 1})
    assert (answer.namespace, answer.fresh, answer.age_seconds, answer.partial) == ("default", True, 0, False)
    assert answer.asked == answer.answered == answer.since == BEGAN


def test_within_a_second_of_a_check_an_answer_says_how_old_it_is(setting: Setting) -> None:
    setting.panel.ask()
    setting.log()
    setting.seconds = 0.5
    soon = setting.panel.ask()
    setting.seconds = 1.5
    later = setting.panel.ask()

    assert (soon.records, soon.fresh, soon.age_seconds) == (0, True, 0.5)
    assert (later.records, later.fresh, later.age_seconds) == (1, True, 0)


def test_while_the_store_is_down_the_last_answer_is_told_with_its_age(setting: Setting) -> None:
    setting.log()
    setting.panel.ask()
    setting.is_down = True
    setting.seconds = 60
    answer = setting.panel.ask()

    assert (answer.records, answer.fresh, answer.age_seconds) == (1, False, 60)
    setting.seconds = 301
    with pytest.raises(StoreUnavailableError):
        setting.panel.ask()


def test_an_answer_is_a_line_of_json(setting: Setting) -> None:
    assert setting.panel.ask().as_json() == {
        "namespace": "default",
        "asked": "2026-11-30T00:00:00+00:00",
        "answered": "2026-11-30T00:00:00+00:00",
        "since": "2026-11-30T00:00:00+00:00",
        "until": "2026-11-30T00:00:00+00:00",
        "records": 0,
        "by_level": {},
        "age_seconds": 0.0,
        "fresh": True,
        "partial": False,
    }
