"""What elastic_lite and the real Elasticsearch both answer to the common aggregations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

PROPERTIES = {
    "n": {"type": "long"},
    "k": {"type": "keyword"},
    "t": {"type": "text"},
    "d": {"type": "date"},
    "b": {"type": "boolean"},
    "f": {"type": "double"},
    "f32": {"type": "float"},
    "ip": {"type": "ip"},
    "s": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
}
DOCUMENTS = {
    "1": {
        "n": 1, "k": "a", "t": "x y", "d": "2024-01-01T00:00:30Z", "b": True, "f": 1.5, "f32": 0.1,
        "ip": "10.0.0.1", "s": "Big Word",
    },
    "2": {"n": 2, "k": ["a", "b", "a"], "d": "2024-01-01T00:01:10Z", "f": 2.25},
    "3": {"n": 3, "k": "c", "d": "2024-01-01T00:03:59.999Z", "b": False, "f": -2.0},
    "4": {"n": [4, 40], "k": "b", "b": True},
    "5": {"d": "2024-01-02T05:00:00Z", "n": 4},
}  # fmt: skip
MIDNIGHT_MS = 1_704_067_200_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def filled(store: Store) -> str:
    index = store.index(PROPERTIES)
    store.fill(index, DOCUMENTS)
    return index


def asked(store: Store, index: str, definition: Any, **search: Any) -> Any:
    """The answer of one aggregation."""
    body = {"size": 0, "aggs": {"a": definition}, **search}
    return store.ok("POST", f"/{index}/_search", body)["aggregations"]["a"]


def terms(*buckets: Any, other: int = 0) -> Any:
    """A terms answer."""
    return {"doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": list(buckets)}


def counts(answer: Any) -> list[tuple[Any, int]]:
    """Keys and counts of an answer's buckets, in order."""
    return [(bucket["key"], bucket["doc_count"]) for bucket in answer["buckets"]]


# Metrics.


@pytest.mark.parametrize(
    ("kind", "field", "found"),
    [
        ("min", "n", {"value": 1.0}), ("max", "n", {"value": 40.0}), ("sum", "n", {"value": 54.0}),
        ("avg", "n", {"value": 9.0}), ("avg", "f", {"value": 0.5833333333333334}),
        ("value_count", "n", {"value": 6}), ("value_count", "k", {"value": 5}),
        ("value_count", "ip", {"value": 1}), ("cardinality", "n", {"value": 5}),
        ("cardinality", "k", {"value": 3}), ("cardinality", "b", {"value": 2}),
        ("min", "d", {"value": MIDNIGHT_MS + 30_000.0, "value_as_string": "2024-01-01T00:00:30.000Z"}),
        ("avg", "d", {"value": 1704093384999.75, "value_as_string": "2024-01-01T07:16:24.999Z"}),
        ("sum", "d", {"value": 6816373539999.0, "value_as_string": "2186-01-01T05:05:39.999Z"}),
        ("max", "b", {"value": 1.0, "value_as_string": "true"}),
        ("min", "nothing", {"value": None}), ("avg", "nothing", {"value": None}),
        ("sum", "nothing", {"value": 0.0}), ("value_count", "nothing", {"value": 0}),
        ("cardinality", "nothing", {"value": 0}),
        ("stats", "n", {"count": 6, "min": 1.0, "max": 40.0, "avg": 9.0, "sum": 54.0}),
        ("stats", "nothing", {"count": 0, "min": None, "max": None, "avg": None, "sum": 0.0}),
    ],
)  # fmt: skip
def test_metric_is_computed(store: Store, filled: str, kind: str, field: str, found: Any) -> None:
    assert asked(store, filled, {kind: {"field": field}}) == found


def test_stats_of_a_date_are_spelled_too(store: Store, filled: str) -> None:
    answer = asked(store, filled, {"stats": {"field": "d"}})

    assert answer["count"] == 4
    assert answer["max"] == 1704171600000.0
    assert answer["max_as_string"] == "2024-01-02T05:00:00.000Z"
    assert answer["avg_as_string"] == "2024-01-01T07:16:24.999Z"


@pytest.mark.parametrize("kind", ["min", "max", "avg", "sum", "value_count", "cardinality", "stats"])
def test_metric_of_an_empty_index_is_that_of_nothing(store: Store, kind: str) -> None:
    empty = store.index(PROPERTIES)
    answer = asked(store, empty, {kind: {"field": "n"}})

    assert answer == asked(store, empty, {kind: {"field": "nothing"}})


def test_metric_takes_a_value_for_documents_that_have_none(store: Store, filled: str) -> None:
    answer = asked(store, filled, {"stats": {"field": "f", "missing": 10}})

    assert (answer["count"], answer["sum"]) == (5, 21.75)


def test_percentiles_lie_between_their_neighbours(store: Store, filled: str) -> None:
    whole = asked(store, filled, {"percentiles": {"field": "n"}})["values"]
    listed = asked(store, filled, {"percentiles": {"field": "n", "percents": [50, 0], "keyed": False}})
    dates = asked(store, filled, {"percentiles": {"field": "d", "percents": [25]}})["values"]
    none = asked(store, filled, {"percentiles": {"field": "nothing", "percents": 99.9}})["values"]

    expected = {"1.0": 1.05, "5.0": 1.25, "25.0": 2.25, "50.0": 3.5, "75.0": 4.0, "95.0": 31.0, "99.0": 38.2}
    assert whole == pytest.approx(expected)
    assert listed["values"] == [{"key": 0.0, "value": 1.0}, {"key": 50.0, "value": 3.5}]
    assert dates == {"25.0": 1704067260000.0, "25.0_as_string": "2024-01-01T00:01:00.000Z"}
    assert none == {"99.9": None}


def test_metric_sees_what_the_query_finds_only(store: Store, filled: str) -> None:
    found = asked(store, filled, {"sum": {"field": "n"}}, query={"term": {"k": "a"}})
    nothing = asked(store, filled, {"min": {"field": "n"}}, query={"match_none": {}})

    assert (found, nothing) == ({"value": 3.0}, {"value": None})


# Terms.


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("k", [("a", 2), ("b", 2), ("c", 1)]), ("n", [(4, 2), (1, 1), (2, 1), (3, 1), (40, 1)]),
        ("f", [(-2.0, 1), (1.5, 1), (2.25, 1)]), ("f32", [(0.10000000149011612, 1)]),
        ("b", [(1, 2), (0, 1)]), ("ip", [("10.0.0.1", 1)]), ("s.raw", [("Big Word", 1)]), ("nothing", []),
    ],
)  # fmt: skip
def test_terms_count_documents_under_each_value(store: Store, filled: str, field: str, found: Any) -> None:
    answer = asked(store, filled, {"terms": {"field": field}})

    assert counts(answer) == found
    assert (answer["doc_count_error_upper_bound"], answer["sum_other_doc_count"]) == (0, 0)


def test_terms_of_an_empty_index_are_none(store: Store) -> None:
    assert asked(store, store.index(PROPERTIES), {"terms": {"field": "k"}}) == terms()


def test_terms_of_dates_and_booleans_are_spelled(store: Store, filled: str) -> None:
    dates = asked(store, filled, {"terms": {"field": "d", "size": 1}})
    flags = asked(store, filled, {"terms": {"field": "b"}})

    first = {"key": MIDNIGHT_MS + 30_000, "key_as_string": "2024-01-01T00:00:30.000Z", "doc_count": 1}
    assert dates == terms(first, other=3)
    assert [bucket["key_as_string"] for bucket in flags["buckets"]] == ["true", "false"]


@pytest.mark.parametrize(
    ("options", "found", "other"),
    [
        ({"size": 1}, [("a", 2)], 3), ({"size": "2"}, [("a", 2), ("b", 2)], 1),
        ({"order": {"_key": "desc"}}, [("c", 1), ("b", 2), ("a", 2)], 0),
        ({"order": {"_count": "asc"}}, [("c", 1), ("a", 2), ("b", 2)], 0),
        ({"order": [{"_count": "asc"}, {"_key": "desc"}]}, [("c", 1), ("b", 2), ("a", 2)], 0),
        ({"min_doc_count": 2}, [("a", 2), ("b", 2)], 0), ({"include": ["a", "c"]}, [("a", 2), ("c", 1)], 0),
        ({"exclude": ["a"]}, [("b", 2), ("c", 1)], 0),
        ({"missing": "none"}, [("a", 2), ("b", 2), ("c", 1), ("none", 1)], 0),
        ({"shard_size": 1, "execution_hint": "map"}, [("a", 2), ("b", 2), ("c", 1)], 0),
    ],
)  # fmt: skip
def test_terms_follow_their_options(store: Store, filled: str, options: Any, found: Any, other: int) -> None:
    answer = asked(store, filled, {"terms": {"field": "k", **options}})

    assert counts(answer) == found
    assert answer["sum_other_doc_count"] == other


def test_terms_show_their_error_when_asked(store: Store, filled: str) -> None:
    definition = {"terms": {"field": "k", "size": 1, "show_term_doc_count_error": True}}
    answer = asked(store, filled, definition)

    assert answer["buckets"] == [{"key": "a", "doc_count": 2, "doc_count_error_upper_bound": 0}]


@pytest.mark.parametrize(
    ("order", "inner", "found"),
    [
        ({"m": "desc"}, {"max": {"field": "n"}}, "bca"), ({"m.avg": "asc"}, {"stats": {"field": "n"}}, "acb"),
        ({"m": "asc"}, {"avg": {"field": "f"}}, "cab"), ({"m": "desc"}, {"avg": {"field": "f"}}, "bac"),
        ({"m": "desc"}, {"filter": {"term": {"n": 3}}}, "cab"),
        ({"m.50": "desc"}, {"percentiles": {"field": "n"}}, "bca"),
    ],
)  # fmt: skip
def test_terms_are_ordered_by_what_is_inside(
    store: Store, filled: str, order: Any, inner: Any, found: str
) -> None:
    definition = {"terms": {"field": "k", "order": order}, "aggs": {"m": inner}}

    assert "".join(key for key, _ in counts(asked(store, filled, definition))) == found


def test_two_levels_inside_see_their_bucket_only(store: Store, filled: str) -> None:
    dates = {"first": {"min": {"field": "d"}}, "f": {"avg": {"field": "f"}}}
    inner = {"n": {"terms": {"field": "n"}, "aggregations": dates}}
    answer = asked(store, filled, {"terms": {"field": "k", "size": 2}, "aggs": inner})

    second = answer["buckets"][1]
    assert (second["key"], second["doc_count"]) == ("b", 2)
    assert second["n"] == terms(
        {
            "key": 2,
            "doc_count": 1,
            "first": {"value": MIDNIGHT_MS + 70_000.0, "value_as_string": "2024-01-01T00:01:10.000Z"},
            "f": {"value": 2.25},
        },
        {"key": 4, "doc_count": 1, "first": {"value": None}, "f": {"value": None}},
        {"key": 40, "doc_count": 1, "first": {"value": None}, "f": {"value": None}},
    )


def test_terms_reach_over_several_indices(store: Store, filled: str) -> None:
    other = store.index({"k": {"type": "keyword"}})
    store.fill(other, {"1": {"k": "c"}, "2": {"k": "c"}})
    without = store.index()
    answer = asked(store, f"{filled},{other},{without}", {"terms": {"field": "k"}})
    names = asked(store, f"{filled},{other}", {"terms": {"field": "_index"}})

    assert counts(answer) == [("c", 3), ("a", 2), ("b", 2)]
    assert counts(names) == [(filled, 5), (other, 2)]


# Histograms of dates.


@pytest.mark.parametrize(
    ("interval", "found"),
    [
        ({"calendar_interval": "day"}, [(0, 3), (DAY_MS, 1)]),
        ({"calendar_interval": "1d"}, [(0, 3), (DAY_MS, 1)]),
        ({"calendar_interval": "hour", "min_doc_count": 1}, [(0, 3), (29 * HOUR_MS, 1)]),
        ({"calendar_interval": "minute", "min_doc_count": 1},
         [(0, 1), (60_000, 1), (180_000, 1), (29 * HOUR_MS, 1)]),
        ({"calendar_interval": "week"}, [(0, 4)]), ({"calendar_interval": "month"}, [(0, 4)]),
        ({"calendar_interval": "year"}, [(0, 4)]),
        ({"fixed_interval": "12h"}, [(0, 3), (DAY_MS // 2, 0), (DAY_MS, 1)]),
        ({"fixed_interval": "2d"}, [(-DAY_MS, 3), (DAY_MS, 1)]),
        ({"fixed_interval": "500ms", "min_doc_count": 1},
         [(30_000, 1), (70_000, 1), (239_500, 1), (29 * HOUR_MS, 1)]),
        ({"calendar_interval": "day", "order": {"_key": "desc"}}, [(DAY_MS, 1), (0, 3)]),
        ({"calendar_interval": "day", "order": {"_count": "asc"}}, [(DAY_MS, 1), (0, 3)]),
        ({"calendar_interval": "day", "missing": "2024-01-02"}, [(0, 3), (DAY_MS, 2)]),
    ],
)  # fmt: skip
def test_dates_are_counted_in_intervals(store: Store, filled: str, interval: Any, found: Any) -> None:
    answer = asked(store, filled, {"date_histogram": {"field": "d", **interval}})

    assert counts(answer) == [(MIDNIGHT_MS + offset_ms, number) for offset_ms, number in found]


def test_empty_intervals_between_are_counted_too(store: Store, filled: str) -> None:
    definition = {
        "date_histogram": {"field": "d", "calendar_interval": "1h"},
        "aggs": {"s": {"sum": {"field": "n"}}},
    }
    answer = asked(store, filled, definition)

    assert len(answer["buckets"]) == 30
    assert answer["buckets"][1] == {
        "key_as_string": "2024-01-01T01:00:00.000Z",
        "key": MIDNIGHT_MS + HOUR_MS,
        "doc_count": 0,
        "s": {"value": 0.0},
    }


def test_intervals_are_keyed_and_written_as_asked(store: Store, filled: str) -> None:
    definition = {"field": "d", "calendar_interval": "day", "keyed": True, "format": "yyyy-MM-dd"}
    answer = asked(store, filled, {"date_histogram": definition})

    assert answer["buckets"]["2024-01-02"] == {
        "key_as_string": "2024-01-02",
        "key": MIDNIGHT_MS + DAY_MS,
        "doc_count": 1,
    }


@pytest.mark.parametrize("field", ["d", "nothing"])
def test_no_dates_make_no_intervals(store: Store, field: str) -> None:
    definition = {"date_histogram": {"field": field, "fixed_interval": "1h"}}

    assert asked(store, store.index(PROPERTIES), definition) == {"buckets": []}


def test_intervals_hold_terms_which_hold_metrics(store: Store, filled: str) -> None:
    kept = {"k": {"terms": {"field": "k"}, "aggs": {"m": {"max": {"field": "n"}}}}}
    definition = {"date_histogram": {"field": "d", "calendar_interval": "day"}, "aggs": kept}
    first, second = asked(store, filled, definition)["buckets"]

    found = [(bucket["key"], bucket["m"]["value"]) for bucket in first["k"]["buckets"]]
    assert found == [("a", 2.0), ("b", 2.0), ("c", 3.0)]
    assert second["k"] == terms()


def test_more_buckets_than_allowed_are_refused(store: Store, filled: str) -> None:
    body = {"aggs": {"a": {"date_histogram": {"field": "d", "fixed_interval": "1ms"}}}}
    answer = store.call("POST", f"/{filled}/_search", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["caused_by"]["type"] == "too_many_buckets_exception"


# Filters, missing values, ranges.


def test_filter_counts_what_matches(store: Store, filled: str) -> None:
    definition = {"filter": {"term": {"k": "a"}}, "aggs": {"m": {"max": {"field": "n"}}}}

    assert asked(store, filled, definition) == {"doc_count": 2, "m": {"value": 2.0}}


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ({"filters": {"y": {"term": {"b": True}}, "x": {"term": {"k": "a"}}}},
         {"x": {"doc_count": 2}, "y": {"doc_count": 2}}),
        ({"filters": [{"term": {"k": "a"}}, {"match_all": {}}]}, [{"doc_count": 2}, {"doc_count": 5}]),
        ({"filters": {"x": {"term": {"k": "a"}}}, "keyed": False}, [{"key": "x", "doc_count": 2}]),
        ({"filters": {"x": {"term": {"k": "a"}}}, "other_bucket": True},
         {"x": {"doc_count": 2}, "_other_": {"doc_count": 3}}),
        ({"filters": [{"term": {"k": "a"}}], "other_bucket_key": "rest"},
         [{"doc_count": 2}, {"doc_count": 3}]),
    ],
)  # fmt: skip
def test_filters_count_side_by_side(store: Store, filled: str, definition: Any, found: Any) -> None:
    assert asked(store, filled, {"filters": definition}) == {"buckets": found}


@pytest.mark.parametrize(("field", "found"), [("k", 1), ("n", 0), ("b", 2), ("s.raw", 4), ("nothing", 5)])
def test_missing_counts_documents_without_a_value(store: Store, filled: str, field: str, found: int) -> None:
    assert asked(store, filled, {"missing": {"field": field}}) == {"doc_count": found}


RANGES = [{"from": 4}, {"to": 2}, {"from": 2, "to": 4}]


def test_ranges_hold_their_lower_bound_only(store: Store, filled: str) -> None:
    definition = {"range": {"field": "n", "ranges": RANGES}, "aggs": {"m": {"avg": {"field": "f"}}}}

    assert asked(store, filled, definition)["buckets"] == [
        {"key": "*-2.0", "to": 2.0, "doc_count": 1, "m": {"value": 1.5}},
        {"key": "2.0-4.0", "from": 2.0, "to": 4.0, "doc_count": 2, "m": {"value": 0.125}},
        {"key": "4.0-*", "from": 4.0, "doc_count": 2, "m": {"value": None}},
    ]


def test_ranges_are_keyed_and_named_as_asked(store: Store, filled: str) -> None:
    ranges = [{"to": 2, "key": "low"}, {"from": "2", "to": 2e7}]
    answer = asked(store, filled, {"range": {"field": "n", "ranges": ranges, "keyed": True}})

    assert answer["buckets"] == {
        "low": {"to": 2.0, "doc_count": 1},
        "2.0-2.0E7": {"from": 2.0, "to": 2e7, "doc_count": 4},
    }


def test_ranges_of_dates_are_spelled(store: Store, filled: str) -> None:
    answer = asked(store, filled, {"range": {"field": "d", "ranges": [{"from": MIDNIGHT_MS + DAY_MS}]}})

    assert answer["buckets"] == [
        {
            "key": "2024-01-02T00:00:00.000Z-*",
            "from": MIDNIGHT_MS + float(DAY_MS),
            "from_as_string": "2024-01-02T00:00:00.000Z",
            "doc_count": 1,
        }
    ]


@pytest.mark.parametrize("field", ["n", "nothing"])
def test_ranges_of_nothing_are_empty(store: Store, field: str) -> None:
    definition = {"range": {"field": field, "ranges": RANGES}}
    answer = asked(store, store.index(PROPERTIES), definition)

    assert [bucket["doc_count"] for bucket in answer["buckets"]] == [0, 0, 0]


# The request around them.


def test_aggregations_stand_beside_the_hits(store: Store, filled: str) -> None:
    body = {"size": 1, "track_total_hits": False, "query": {"term": {"k": "b"}}}
    body["aggs"] = {"a": {"min": {"field": "n"}, "meta": {"why": 1}}}
    answer = store.ok("POST", f"/{filled}/_search", body)

    assert len(answer["hits"]["hits"]) == 1
    assert answer["aggregations"] == {"a": {"meta": {"why": 1}, "value": 2.0}}


def test_types_stand_before_names_when_asked(store: Store, filled: str) -> None:
    inner = {"m": {"max": {"field": "n"}}}
    kinds = {"k": "sterms", "n": "lterms", "f": "dterms", "b": "lterms", "nothing": "sterms"}
    aggs = {field: {"terms": {"field": field, "order": {"m": "asc"}}, "aggs": inner} for field in kinds}
    body = {"size": 0, "aggs": {**aggs, "p": {"percentiles": {"field": "n"}}}}
    answer = store.ok("POST", f"/{filled}/_search?typed_keys=true", body)["aggregations"]

    assert set(answer) == {f"{kind}#{field}" for field, kind in kinds.items()} | {"tdigest_percentiles#p"}
    assert answer["sterms#k"]["buckets"][0]["max#m"] == {"value": 2.0}


def test_pattern_without_an_index_aggregates_nothing(store: Store) -> None:
    body = {"aggs": {"a": {"terms": {"field": "k"}}}}

    assert "aggregations" not in store.ok("POST", f"/{store.name()}*/_search", body)


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        ({"nosuch": {"field": "n"}}, "parsing_exception"), ({"term": {"field": "n"}}, "parsing_exception"),
        ({}, "parsing_exception"), ([], "parsing_exception"), ({"terms": "k"}, "parsing_exception"),
        ({"meta": {"x": 1}}, "parsing_exception"),
        ({"terms": {"field": "k"}, "min": {"field": "n"}}, "parsing_exception"),
        ({"terms": {"field": "k"}, "aggs": {"b": {"zz": {"field": "n"}}}}, "parsing_exception"),
        ({"min": {"field": "n"}, "aggs": {"b": {"max": {"field": "n"}}}}, "illegal_argument_exception"),
        ({"min": {}}, "illegal_argument_exception"), ({"terms": {}}, "illegal_argument_exception"),
        ({"terms": {"field": ["k"]}}, "x_content_parse_exception"),
        ({"min": {"field": "n", "colour": 1}}, "x_content_parse_exception"),
        ({"min": {"field": "k"}}, "illegal_argument_exception"),
        ({"percentiles": {"field": "ip"}}, "illegal_argument_exception"),
        ({"terms": {"field": "t"}}, "illegal_argument_exception"),
        ({"missing": {"field": "s"}}, "illegal_argument_exception"),
        ({"date_histogram": {"field": "k", "fixed_interval": "1h"}}, "illegal_argument_exception"),
        ({"terms": {"field": "k", "size": 0}}, "x_content_parse_exception"),
        ({"terms": {"field": "k", "order": {"_key": "up"}}}, "parsing_exception"),
        ({"cardinality": {"field": "k", "precision_threshold": -1}}, "x_content_parse_exception"),
        ({"percentiles": {"field": "n", "percents": [150]}}, "x_content_parse_exception"),
        ({"percentiles": {"field": "n", "percents": []}}, "x_content_parse_exception"),
        ({"date_histogram": {"field": "d"}}, "illegal_argument_exception"),
        ({"date_histogram": {"field": "d", "interval": "1h"}}, "x_content_parse_exception"),
        ({"date_histogram": {"field": "d", "calendar_interval": "2d"}}, "x_content_parse_exception"),
        ({"date_histogram": {"field": "d", "fixed_interval": "1w"}}, "x_content_parse_exception"),
        ({"date_histogram": {"field": "d", "fixed_interval": "1.5h"}}, "x_content_parse_exception"),
        ({"date_histogram": {"field": "d", "fixed_interval": "0s"}}, "illegal_argument_exception"),
        ({"date_histogram": {"field": "d", "fixed_interval": "1d", "calendar_interval": "day"}},
         "x_content_parse_exception"),
        ({"filter": {}}, "illegal_argument_exception"), ({"filter": {"zz": {}}}, "parsing_exception"),
        ({"filters": {"filters": []}}, "illegal_argument_exception"),
        ({"filters": {"filters": [{"match_all": {}}], "zz": 1}}, "parsing_exception"),
        ({"range": {"field": "n"}}, "illegal_argument_exception"),
        ({"range": {"field": "n", "ranges": [{"to": 1, "zz": 1}]}}, "x_content_parse_exception"),
        ({"range": {"field": "n", "ranges": [{"to": "zz"}]}}, "number_format_exception"),
        ({"range": {"field": "k", "ranges": RANGES}}, "illegal_argument_exception"),
    ],
)  # fmt: skip
def test_aggregation_without_meaning_is_refused(
    store: Store, filled: str, definition: Any, kind: str
) -> None:
    assert store.refused("POST", f"/{filled}/_search", {"aggs": {"a": definition}}) == (400, kind)


@pytest.mark.parametrize("name", ["", "a[b", "a>b"])
def test_bad_name_is_refused(store: Store, filled: str, name: str) -> None:
    body = {"aggs": {name: {"min": {"field": "n"}}}}

    assert store.refused("POST", f"/{filled}/_search", body) == (400, "parsing_exception")


@pytest.mark.parametrize(
    ("order", "inner"),
    [
        ({"zz": "asc"}, {}), ({"m": "asc"}, {"m": {"stats": {"field": "n"}}}),
        ({"m.zz": "asc"}, {"m": {"stats": {"field": "n"}}}), ({"m": "asc"}, {"m": {"terms": {"field": "n"}}}),
    ],
)  # fmt: skip
def test_order_by_what_is_not_there_is_refused(store: Store, filled: str, order: Any, inner: Any) -> None:
    body = {"aggs": {"a": {"terms": {"field": "k", "order": order}, "aggs": inner}}}
    answer = store.call("POST", f"/{filled}/_search", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["caused_by"]["reason"].startswith("Invalid aggregation order path")
