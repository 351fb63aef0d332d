"""What the cache's correctness rests on, asked of the simulated store, the embedded one and Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_answer import comparable_part
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope
from logging_system.analytics.cache.paging import pages
from logging_system.analytics.cache.store_states import CopyState, TargetState
from logging_system.analytics.cache.validity import evidence_aggregation
from logging_system.analytics.store_queries import QueryRefusedError
from tests.contract.elasticsearch_fixture import Store, eventually
from tests.contract.logging_system.analytics.stores import InMemory, OverHttp, Written

T0 = 1_700_000_000_000
HOUR = {"range": {"@timestamp": {"gte": T0, "lt": T0 + 3_600_000}}}
ASKED = {
    "levels": {"terms": {"field": "level"}, "aggs": {"most": {"max": {"field": "took"}}}},
    "top": {"terms": {"field": "level", "size": 4, "order": {"_key": "asc"}, "missing": "none"}},
    "sum": {"sum": {"field": "took"}},
    "first": {"min": {"field": "@timestamp"}},
    "none": {"max": {"field": "nothing"}},
    "count": {"value_count": {"field": "took"}},
    "bad": {"filters": {"filters": {"errors": {"term": {"level": "error"}}, "all": {"match_all": {}}}}},
    "without": {"missing": {"field": "took"}, "aggs": {"levels": {"terms": {"field": "level"}}}},
    "minutes": {
        "date_histogram": {"field": "@timestamp", "fixed_interval": "1m"},
        "aggs": {
            "levels": {"terms": {"field": "level", "size": 1}},
            "most": {"max": {"field": "took"}},
            "distinct": {"cardinality": {"field": "level"}},
            "errors": {"filter": {"term": {"level": "error"}}},
            "sum": {"sum": {"field": "took"}},
        },
    },
}


@pytest.fixture(
    params=[
        "simulated",
        "elastic_lite_url",
        pytest.param("real_elasticsearch_url", marks=pytest.mark.servers),
    ]
)
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    if request.param == "simulated":
        yield InMemory()
        return
    store = Store(request.getfixturevalue(request.param))
    yield OverHttp(store)
    store.close()


def record(seconds: int, level: str = "info", took: int = 1) -> dict[str, object]:
    return {"@timestamp": T0 + 1000 * seconds, "level": level, "took": took}


def state(written: Written) -> TargetState:
    found = written.snapshots.states(written.target)
    assert found is not None
    return found


def copy(written: Written) -> CopyState:
    (index,) = state(written).indices.values()
    (only,) = index.copies
    return only


def cache_of(written: Written) -> CachedQueries:
    return CachedQueries(
        written.snapshots,
        scope=Scope("default", "reader"),
        memory=AnswerMemory(1_000_000),
        times=CacheTimes(check_seconds=0.0),
        whole_number_fields=("took",),
    )


def question(**aggregations: object) -> dict[str, object]:
    return {"size": 0, "track_total_hits": True, "query": HOUR, "aggs": aggregations or ASKED}


def check_exact(cache: CachedQueries, written: Written, body: dict[str, object]) -> None:
    answer = cache.answer(written.target, body)

    assert answer.fresh
    assert comparable_part(answer.body) == comparable_part(written.snapshots.search(written.target, body))


def test_a_write_moves_the_sequence_number_and_a_refresh_the_count(written: Written) -> None:
    empty = copy(written)
    written.write("a", record(1))
    unseen = copy(written)
    written.refresh()
    seen = copy(written)

    assert (empty.written, unseen.written, seen.written) == (-1, 0, 0)
    assert (empty.processed, unseen.processed) == (-1, 0)
    assert empty.refreshes == unseen.refreshes < seen.refreshes


def test_nothing_moves_where_nothing_happens(written: Written) -> None:
    written.write("a", record(1))
    written.refresh()
    before = state(written)
    written.snapshots.search(written.target, question())

    assert state(written) == before


def test_a_refresh_that_the_store_makes_by_itself_moves_the_count(written: Written) -> None:
    if isinstance(written, InMemory):
        pytest.skip("the simulated store does nothing by itself")
    body = {"size": 0, "track_total_hits": True}
    written.store.ok("PUT", f"/{written.target}/_settings", {"index": {"refresh_interval": "1s"}})
    before = copy(written)
    written.write("a", record(1))
    search = written.snapshots.search
    assert eventually(10, lambda: search(written.target, body)["hits"]["total"]["value"] == 1)

    assert copy(written).refreshes > before.refreshes


def test_a_delete_and_a_second_version_move_the_sequence_number(written: Written) -> None:
    written.write("a", record(1))
    written.write("a", record(2))
    written.delete("a")

    assert copy(written).written == 2


def test_an_index_made_again_under_its_name_is_another_one(written: Written) -> None:
    before = state(written)
    written.make_again()
    after = state(written)

    assert set(after.indices) == set(before.indices)
    assert after.definition != before.definition


def test_a_point_in_time_shows_what_a_search_saw_when_it_was_opened(written: Written) -> None:
    written.write("a", record(1))
    written.refresh()
    point = written.snapshots.open_point(written.target, 60)
    written.write("b", record(2))
    written.refresh()
    body = {"size": 0, "track_total_hits": True, "query": HOUR}
    held = written.snapshots.search("", {**body, "pit": {"id": point}})

    assert held["hits"]["total"]["value"] == 1
    assert written.snapshots.search(written.target, body)["hits"]["total"]["value"] == 2
    written.snapshots.close_point(point)
    with pytest.raises(QueryRefusedError) as refused:
        written.snapshots.search("", {**body, "pit": {"id": point}})
    assert refused.value.status == 404


def test_searches_tell_sequence_numbers(written: Written) -> None:
    for number in range(3):
        written.write(str(number), record(number))
    written.write("0", record(5))
    written.refresh()
    low = {"range": {"_seq_no": {"lte": 1}}}
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [{"term": {"_index": written.target}}, low]}},
        "aggs": {"evidence": evidence_aggregation()},
    }
    found = written.snapshots.search(written.target, body)

    assert found["hits"]["total"]["value"] == 1  # number 0 has a later version, number 2 a higher number
    (bucket,) = found["aggregations"]["evidence"]["buckets"]
    assert (bucket["key"], bucket["newest"]["value"]) == (written.target, 1.0)


@pytest.mark.parametrize("body", [question(), question(hour=ASKED["levels"]), {**question(), "aggs": {}}])
def test_an_answer_in_pieces_is_the_stores_own(written: Written, body: dict[str, object]) -> None:
    cache = cache_of(written)
    check_exact(cache, written, body)
    for number, (seconds, level) in enumerate([(0, "info"), (61, "error"), (600, "warn"), (3599, "info")]):
        written.write(str(number), record(seconds, level, took=number))
    check_exact(cache, written, body)
    written.refresh()
    check_exact(cache, written, body)
    written.write("late", {"@timestamp": T0 + 5_000, "level": "debug"})
    written.refresh()
    check_exact(cache, written, body)
    written.delete("1")
    check_exact(cache, written, body)
    written.refresh()
    check_exact(cache, written, body)
    written.write("2", record(700, "error", took=9))
    written.refresh()
    check_exact(cache, written, body)

    if body.get("aggs"):
        assert cache.statistics.passed == 0
    assert cache.statistics.pieces_held > 0
    written.make_again()
    check_exact(cache, written, body)
    cache.close()


def test_a_late_record_is_seen_and_the_other_pieces_are_kept(written: Written) -> None:
    for seconds in range(0, 3600, 60):
        written.write(str(seconds), record(seconds))
    written.refresh()
    cache = cache_of(written)
    check_exact(cache, written, question())
    written.write("late", record(90))
    written.refresh()
    before = cache.statistics
    check_exact(cache, written, question())
    after = cache.statistics

    assert after.pieces_asked - before.pieces_asked == 1
    assert after.voided == before.voided
    cache.close()


def test_a_refused_question_is_refused_through_the_cache(written: Written) -> None:
    if isinstance(written, InMemory):
        pytest.skip("the simulated store refuses no question")
    cache = cache_of(written)
    body = question(bad={"max": {"field": "level"}})

    with pytest.raises(QueryRefusedError):
        cache.search(written.target, body)


def test_pages_show_one_moment_whatever_is_written_meanwhile(written: Written) -> None:
    if isinstance(written, InMemory):
        pytest.skip("the simulated store shows no hits")
    for number in range(7):
        written.write(str(number), record(number % 3))  # some at the same moment
    written.refresh()
    found = []
    body = {"query": HOUR, "sort": [{"@timestamp": "asc"}]}
    for page in pages(written.snapshots, written.target, body, page_hits=2, pages_max=10):
        found.append([hit["_id"] for hit in page])
        written.write(f"later {len(found)}", record(1))
        written.delete(str(len(found)))
        written.refresh()

    assert [len(page) for page in found] == [2, 2, 2, 1]
    assert sorted(key for page in found for key in page) == [str(number) for number in range(7)]
