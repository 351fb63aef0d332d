"""What analytics asks of a store: days of a time zone, bounds, several searches at once, fields, sizes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.contract.elasticsearch_fixture import NDJSON, Store

Json = dict[str, Any]
MOMENTS = ("2024-03-30T22:30:00Z", "2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", "2024-04-01T00:00:00Z")
"""Around the change to summer time in Europe, at 01:00 UTC."""


@pytest.fixture
def filled(store: Store) -> str:
    index = store.index({"d": {"type": "date"}, "k": {"type": "keyword"}, "t": {"type": "text"}})
    store.fill(index, {str(at): {"d": moment, "k": f"k{at % 2}"} for at, moment in enumerate(MOMENTS)})
    return index


def counted(store: Store, index: str, **options: Any) -> list[tuple[str, int]]:
    body = {"size": 0, "aggs": {"a": {"date_histogram": {"field": "d", **options}}}}
    buckets = store.ok("POST", f"/{index}/_search", body)["aggregations"]["a"]["buckets"]
    return [(bucket["key_as_string"], bucket["doc_count"]) for bucket in buckets]


def test_days_begin_in_the_time_zone_and_have_as_many_hours_as_there(store: Store, filled: str) -> None:
    days = counted(store, filled, calendar_interval="day", time_zone="Europe/Berlin")

    assert days == [
        ("2024-03-30T00:00:00.000+01:00", 1),
        ("2024-03-31T00:00:00.000+01:00", 2),
        ("2024-04-01T00:00:00.000+02:00", 1),
    ]
    hours = counted(
        store,
        filled,
        calendar_interval="hour",
        time_zone="Europe/Berlin",
        hard_bounds={"min": "2024-03-31T00:00:00Z", "max": "2024-03-31T02:00:00Z"},
    )
    assert hours == [("2024-03-31T01:00:00.000+01:00", 1), ("2024-03-31T03:00:00.000+02:00", 1)]
    assert counted(store, filled, calendar_interval="quarter", time_zone="+05:30") == [
        ("2024-01-01T00:00:00.000+05:30", 3),
        ("2024-04-01T00:00:00.000+05:30", 1),
    ]


def test_extended_bounds_show_what_is_empty_also_where_nothing_is_found(store: Store, filled: str) -> None:
    bounds = {"min": "2024-04-01T00:00:00Z", "max": "2024-04-02T12:00:00Z"}
    asked = {"calendar_interval": "day", "min_doc_count": 0, "extended_bounds": bounds}

    assert [count for _, count in counted(store, filled, **asked)] == [1, 2, 1, 0]
    body = {
        "size": 0,
        "query": {"term": {"k": "none"}},
        "aggs": {"a": {"date_histogram": {"field": "d", **asked}}},
    }
    found = store.ok("POST", f"/{filled}/_search", body)["aggregations"]["a"]["buckets"]
    assert [bucket["doc_count"] for bucket in found] == [0, 0]
    swapped = {"calendar_interval": "day", "extended_bounds": {"min": bounds["max"], "max": bounds["min"]}}
    status, kind = store.refused(
        "POST", f"/{filled}/_search", {"aggs": {"a": {"date_histogram": {"field": "d", **swapped}}}}
    )
    assert (status, kind) == (400, "illegal_argument_exception")


def several(store: Store, *lines: Json, end: bytes = b"\n") -> Any:
    content = b"\n".join(map(orjson.dumps, lines)) + end
    return store.call("POST", "/_msearch", content, NDJSON)


def test_several_searches_fail_apart_but_are_read_together(store: Store, filled: str) -> None:
    missing, total = store.name("missing"), {"size": 0, "track_total_hits": True}
    answer = several(
        store,
        {"index": filled},
        total,
        {"index": missing},
        total,
        {"index": [missing, filled], "ignore_unavailable": True},
        {**total, "query": {"term": {"k": "k1"}}},
    )
    first, second, third = answer.json()["responses"]

    assert (first["status"], first["hits"]["total"]["value"]) == (200, 4)
    assert (second["status"], second["error"]["type"]) == (404, "index_not_found_exception")
    assert third["hits"]["total"]["value"] == 2
    assert several(store, {"index": filled}, total, end=b"").status_code == 400
    assert several(store, {"index": filled}, {"query": {"colour": {}}}).status_code == 400


def test_field_caps_tell_types_and_what_can_be_done_with_them(store: Store, filled: str) -> None:
    answer = store.ok("GET", f"/{filled}/_field_caps?fields=d,k,t,nothing")

    assert answer["indices"] == [filled]
    told = {
        name: (*kinds, kinds[next(iter(kinds))]["aggregatable"]) for name, kinds in answer["fields"].items()
    }
    assert told == {"d": ("date", True), "k": ("keyword", True), "t": ("text", False)}


def test_stats_tell_documents_and_bytes_of_each_index(store: Store, filled: str) -> None:
    answer = store.ok("GET", f"/{filled}/_stats/docs,store")

    assert answer["indices"][filled]["primaries"]["docs"]["count"] == 4
    assert answer["_all"]["primaries"]["docs"]["count"] == 4
    assert answer["indices"][filled]["total"]["store"]["size_in_bytes"] > 0
    assert store.call("GET", f"/{store.name('missing')}/_stats/docs,store").status_code == 404
