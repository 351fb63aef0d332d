from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.analytics.following import Follower
from logging_system.analytics.reach import ForeignAnswerError, Reach
from logging_system.analytics.store_queries import StoreUnavailableError
from tests.unit.logging_system.analytics.kept_store import KeptStore

START = datetime(2026, 11, 30, tzinfo=UTC)
REACH = Reach.of(["main"])
LATENESS = 10


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(-3, 25)), max_size=40),
    st.lists(st.integers(1, 20), min_size=4, max_size=12),
    st.sets(st.integers(0, 40), max_size=6),
)
def test_each_line_is_shown_once_and_none_within_the_lateness_is_missed(
    records: list[tuple[int, int]], pauses: list[int], failures: set[int]
) -> None:
    """Whatever the order in which records are found, the pauses between looks and the answers that fail.

    A record's own time may lie ahead of the clock, as that of another machine does.
    """
    documents = [
        (at(moment + late), at(moment), f"{number}") for number, (moment, late) in enumerate(records)
    ]
    store = KeptStore(sorted(documents))
    follower = Follower(store, REACH, START, lateness_seconds=LATENESS)
    shown: list[str] = []
    now = 0.0
    for number, pause in enumerate([*pauses, 400, 400]):
        now += pause
        store.now, store.failing = at(now), number in failures
        try:
            shown += [line.message for line in follower.look(store.now)]
        except StoreUnavailableError:
            assert number in failures
    store.failing, store.now = 0, at(now + 1)
    shown += [line.message for line in follower.look(store.now)]

    assert len(shown) == len(set(shown))
    in_time = {f"{number}" for number, (_, late) in enumerate(records) if late <= LATENESS}
    assert in_time <= set(shown)
    assert not store.open_points
    # Those below the point from which the last look read.
    follower_start = now + 1 - LATENESS
    old = [f"{number}" for number, (moment, _) in enumerate(records) if moment < follower_start]
    assert follower.count_missed() == len(set(old) - set(shown))


def test_a_look_that_breaks_off_is_gone_on_with_by_the_next() -> None:
    store = KeptStore([(at(0), at(number / 1000), f"{number}") for number in range(1_500)], now=at(5))
    follower = Follower(store, REACH, START, lateness_seconds=1)
    looked = follower.look(at(5))
    shown = [next(looked).message for _ in range(1_000)]
    store.failing = 1
    with pytest.raises(StoreUnavailableError):
        next(looked)
    store.now = at(60)
    shown += [line.message for line in follower.look(at(60))]

    assert shown == [f"{number}" for number in range(1_500)]


def test_what_a_failed_shard_holds_is_read_again() -> None:
    store = KeptStore([(at(1), at(1), "a")], now=at(60))
    store.lacking = {
        "_shards": {"total": 2, "failed": 1, "failures": [{"reason": {"type": "x", "reason": "y"}}]}
    }
    follower = Follower(store, REACH, START, lateness_seconds=1)

    assert [line.message for line in follower.look(at(60))] == ["a"]
    assert str(follower.partial) == "1 of 2 shards failed; x: y"
    store.documents.append((at(0), at(2), "of the other shard"))
    store.lacking = {}
    assert [line.message for line in follower.look(at(90))] == ["of the other shard"]
    assert follower.partial is None


def test_lines_that_are_remembered_are_bounded() -> None:
    store = KeptStore([(at(0), at(number), f"{number}") for number in range(100)], now=at(100))
    follower = Follower(store, REACH, START, lateness_seconds=1_000, shown_max=50)
    shown = [line.message for line in follower.look(at(100))]
    shown += [line.message for line in follower.look(at(101))]

    assert shown == [f"{number}" for number in range(100)]
    assert len(follower._shown) <= 51


def test_a_line_of_another_namespace_ends_the_look() -> None:
    store = KeptStore([(at(0), at(0), "a")], now=at(9), index=".ds-logs-shop-other-2026.11.30-000001")

    with pytest.raises(ForeignAnswerError):
        list(Follower(store, REACH, START, lateness_seconds=1).look(at(9)))
