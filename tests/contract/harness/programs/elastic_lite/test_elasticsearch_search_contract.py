"""What elastic_lite and the real Elasticsearch both find: queries, order, pages, points in time."""

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
    "fl": {"type": "flattened"},
    "s": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
    "o": {"properties": {"p": {"type": "long"}}},
}
DOCUMENTS = {
    "1": {
        "n": 1,
        "k": "a",
        "t": "Hello World",
        "d": "2024-01-01",
        "b": True,
        "f": 1.5,
        "fl": {"x": "y", "z": {"w": 1}},
    },
    "2": {"n": 2, "k": ["a", "b"], "d": "2024-01-02T12:00:00+02:00", "o": {"p": 7}},
    "3": {"n": 3, "t": "hello there", "s": "Big Word", "o": [{"p": 8}, {"p": 9}]},
    "4": {"n": 4, "k": None, "f": -2.0, "b": False},
    "5": {"n": 5, "o.p": 10, "unmapped": {"deep": 1}},
}


@pytest.fixture
def filled(store: Store) -> str:
    index = store.name()
    store.ok("PUT", f"/{index}", {"mappings": {"dynamic": False, "properties": PROPERTIES}})
    store.fill(index, DOCUMENTS)
    return index


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"match_all": {}}, "12345"), ({"match_none": {}}, ""),
        ({"term": {"n": 1}}, "1"), ({"term": {"n": "1"}}, "1"), ({"term": {"n": {"value": 1}}}, "1"),
        ({"term": {"n": 1.5}}, ""), ({"term": {"k": "b"}}, "2"), ({"term": {"k": "A"}}, ""),
        ({"terms": {"k": ["a", "z"]}}, "12"), ({"ids": {"values": ["1", "5", "9"]}}, "15"),
        ({"term": {"_id": "2"}}, "2"),
        ({"range": {"n": {"gte": 2, "lt": 4}}}, "23"), ({"range": {"n": {"gt": 4}}}, "5"),
        ({"range": {"d": {"gte": "2023-12-31", "lt": "2024-01-02"}}}, "1"),
        ({"range": {"d": {"gt": "2024-01-02T09:59:59Z"}}}, "2"), ({"range": {"d": {"gte": "now-1d/d"}}}, ""),
        ({"range": {"d": {"gte": "2024-01-03||-1d/d"}}}, "2"), ({"range": {"k": {"gte": "b"}}}, "2"),
        ({"exists": {"field": "k"}}, "12"), ({"exists": {"field": "fl"}}, "1"),
        ({"exists": {"field": "o"}}, "235"),
        ({"exists": {"field": "unmapped"}}, ""), ({"term": {"unmapped.deep": 1}}, ""),
        ({"range": {"nothing": {"gt": 1}}}, ""),
        ({"term": {"t": "hello"}}, "13"), ({"term": {"t": "Hello"}}, ""),
        ({"match": {"t": "Hello nobody"}}, "13"),
        ({"match_phrase": {"t": "hello world"}}, "1"),
        ({"match": {"t": {"query": "hello world", "operator": "and"}}}, "1"),
        ({"term": {"fl": "y"}}, "1"), ({"term": {"fl.x": "y"}}, "1"),
        ({"term": {"fl.z.w": "1"}}, "1"), ({"term": {"fl.x": "1"}}, ""),
        ({"term": {"s.raw": "Big Word"}}, "3"), ({"term": {"s": "big"}}, "3"),
        ({"term": {"b": True}}, "1"), ({"term": {"b": "false"}}, "4"), ({"term": {"f": -2}}, "4"),
        ({"term": {"o.p": 9}}, "3"), ({"term": {"o.p": 10}}, "5"), ({"term": {"d": "2024-01-01"}}, "1"),
        ({"prefix": {"k": "a"}}, "12"), ({"wildcard": {"k": "*b"}}, "2"),
        ({"constant_score": {"filter": {"term": {"k": "a"}}}}, "12"),
        ({"bool": {}}, "12345"),
        ({"bool": {"must": [{"term": {"k": "a"}}], "must_not": {"ids": {"values": ["1"]}}}}, "2"),
        ({"bool": {"filter": {"term": {"k": "a"}}, "should": {"term": {"n": 9}}}}, "12"),
        ({"bool": {"should": [{"term": {"n": 1}}, {"term": {"n": 3}}]}}, "13"),
        ({"bool": {"should": [{"term": {"n": 1}}, {"term": {"k": "a"}}], "minimum_should_match": 2}}, "1"),
        ({"bool": {"must_not": [{"exists": {"field": "k"}}, {"term": {"n": 3}}]}}, "45"),
    ],
)  # fmt: skip
def test_query_finds_and_counts(store: Store, filled: str, query: Any, found: str) -> None:
    body = {"query": query, "sort": ["n"], "_source": False}

    assert "".join(store.ids(filled, body)) == found
    assert store.ok("POST", f"/{filled}/_count", {"query": query})["count"] == len(found)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"colour": {}}, "parsing_exception"),
        ({}, "illegal_argument_exception"),
        ({"term": {"n": 1, "k": 2}}, "parsing_exception"),
        ({"terms": {"k": "a"}}, "parsing_exception"),
        ({"bool": {"colour": []}}, "x_content_parse_exception"),
        ({"range": {"n": {"colour": 1}}}, "parsing_exception"),
        ({"term": {"n": "x"}}, "query_shard_exception"),
    ],
)
def test_bad_query_is_refused(store: Store, filled: str, query: Any, kind: str) -> None:
    assert store.refused("POST", f"/{filled}/_search", {"query": query}) == (400, kind)


@pytest.mark.parametrize(
    ("sort", "found", "keys"),
    [
        (["n"], "12345", [[1], [2], [3], [4], [5]]),
        ([{"n": "desc"}], "54321", [[5], [4], [3], [2], [1]]),
        ([{"k": "desc"}, "n"], "21345", [["b", 2], ["a", 1], [None, 3], [None, 4], [None, 5]]),
        ([{"k": {"order": "asc", "missing": "_first"}}, {"n": "desc"}], "54321",
         [[None, 5], [None, 4], [None, 3], ["a", 2], ["a", 1]]),
        (["d", "n"], "12345",
         [[1704067200000, 1], [1704189600000, 2], [2**63 - 1, 3], [2**63 - 1, 4], [2**63 - 1, 5]]),
        ([{"b": "desc"}, "n"], "14235", [[1, 1], [0, 4], [-(2**63), 2], [-(2**63), 3], [-(2**63), 5]]),
        (["f", "n"], "41235", [[-2.0, 4], [1.5, 1], ["Infinity", 2], ["Infinity", 3], ["Infinity", 5]]),
        ([{"o.p": "desc"}, "n"], "53214", [[10, 5], [9, 3], [7, 2], [-(2**63), 1], [-(2**63), 4]]),
        ([{"nothing": {"unmapped_type": "long"}}, {"n": "desc"}], "54321",
         [[2**63 - 1, n] for n in (5, 4, 3, 2, 1)]),
    ],
)  # fmt: skip
def test_sort_orders_and_shows_its_keys(store: Store, filled: str, sort: Any, found: str, keys: Any) -> None:
    hits = store.ok("POST", f"/{filled}/_search", {"sort": sort})["hits"]["hits"]

    assert "".join(hit["_id"] for hit in hits) == found
    assert [hit["sort"] for hit in hits] == keys
    assert {hit["_score"] for hit in hits} == {None}


@pytest.mark.parametrize(
    ("sort", "kind"),
    [
        (["nothing"], "query_shard_exception"),
        (["t"], "illegal_argument_exception"),
        (["_id"], "illegal_argument_exception"),
        ([{"n": {"order": "sideways"}}], "x_content_parse_exception"),
    ],
)
def test_bad_sort_is_refused(store: Store, filled: str, sort: Any, kind: str) -> None:
    assert store.refused("POST", f"/{filled}/_search", {"sort": sort}) == (400, kind)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (True, DOCUMENTS["3"]), (False, None), (["n"], {"n": 3}), ("o.p", {"o": [{"p": 8}, {"p": 9}]}),
        ({"includes": ["n", "t"], "excludes": ["t"]}, {"n": 3}), ({"excludes": ["o", "s", "t"]}, {"n": 3}),
    ],
)  # fmt: skip
def test_source_is_filtered(store: Store, filled: str, source: Any, kept: Any) -> None:
    body = {"query": {"ids": {"values": ["3"]}}, "_source": source}
    hit = store.ok("POST", f"/{filled}/_search", body)["hits"]["hits"][0]

    assert hit.get("_source") == kept


def test_hit_shows_version_and_sequence_number_when_asked(store: Store, filled: str) -> None:
    body = {"version": True, "seq_no_primary_term": True, "_source": False, "query": {"term": {"n": 2}}}
    hit = store.ok("POST", f"/{filled}/_search", body)["hits"]["hits"][0]

    assert hit == {
        "_index": filled,
        "_id": "2",
        "_version": 1,
        "_seq_no": 1,
        "_primary_term": 1,
        "_score": 1.0,
    }


@pytest.mark.parametrize(
    ("tracked", "total"),
    [
        (True, {"value": 5, "relation": "eq"}), (False, None), (2, {"value": 2, "relation": "gte"}),
        (5, {"value": 5, "relation": "eq"}),
    ],
)  # fmt: skip
def test_total_is_tracked_as_asked(store: Store, filled: str, tracked: Any, total: Any) -> None:
    hits = store.ok("POST", f"/{filled}/_search", {"size": 0, "track_total_hits": tracked})["hits"]

    assert hits.get("total") == total
    assert hits["hits"] == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"size": 10_001}, "illegal_argument_exception"),
        ({"from": 9_999, "size": 2}, "illegal_argument_exception"),
        ({"size": -1}, "illegal_argument_exception"),
        ({"from": -1}, "illegal_argument_exception"),
        ({"colour": 1}, "parsing_exception"),
        ({"search_after": [3]}, "illegal_argument_exception"),
        ({"search_after": [3, 4], "sort": ["n"]}, "illegal_argument_exception"),
        ({"search_after": [3], "sort": ["n"], "from": 1}, "action_request_validation_exception"),
    ],
)
def test_bad_page_is_refused(store: Store, filled: str, body: Any, kind: str) -> None:
    assert store.refused("POST", f"/{filled}/_search", body) == (400, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "number_format_exception"), (None, "parsing_exception"), ([1], "parsing_exception"),
        ({"a": 1}, "parsing_exception"), (10**12, "x_content_parse_exception"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["size", "from"])
def test_page_that_is_no_number_is_refused(
    store: Store, filled: str, key: str, value: Any, kind: str
) -> None:
    assert store.refused("POST", f"/{filled}/_search", {key: value}) == (400, kind)


@pytest.mark.parametrize(("depth", "status"), [(29, 200), (30, 400), (400, 400), (3_000, 400)])
def test_nested_queries_are_bounded(store: Store, filled: str, depth: int, status: int) -> None:
    query = b'{"bool":{"must":' * depth + b'{"match_all":{}}' + b"}}" * depth
    answer = store.call("POST", f"/{filled}/_search", b'{"query":' + query + b"}")

    assert answer.status_code == status


def test_wildcard_of_many_stars_is_answered(store: Store) -> None:
    index = store.index({"k": {"type": "keyword"}})
    store.fill(index, {"1": {"k": "a" * 40 + "b"}})

    assert store.ids(index, {"query": {"wildcard": {"k": "*a" * 15 + "*c"}}}) == []
    assert store.ids(index, {"query": {"wildcard": {"k": "*a" * 15 + "*b"}}}) == ["1"]


def test_document_of_many_lists_is_stored(store: Store, filled: str) -> None:
    deep = b'{"unmapped":' + b"[" * 900 + b"]" * 900 + b"}"

    assert store.call("PUT", f"/{filled}/_doc/9", deep).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"search_after": [3]},
        {"search_after": [3], "sort": ["n", "k"]},
        {"size": 10_001},
        {"from": 9_999, "size": 2},
        {"sort": ["_id"]},
        {"aggs": {"x": {"terms": {"field": "k", "order": {"nope": "asc"}}}}},
    ],
)
def test_what_only_shards_look_at_is_no_mistake_where_there_is_none(store: Store, body: Any) -> None:
    answer = store.ok("POST", "/nobody-has-this-*/_search", body)

    assert answer["hits"]["total"]["value"] == 0
    assert "aggregations" not in answer


def test_a_scroll_may_be_of_any_size_where_there_is_no_shard(store: Store) -> None:
    answer = store.ok("POST", "/nobody-has-this-*/_search?scroll=1m", {"size": 10_001, "sort": ["_id"]})
    store.call("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})

    assert answer["hits"]["hits"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"query": {"colour": {}}},
        {"query": {"bool": {"must": [{"term": {"k": {"colour": 1}}}]}}},
        {"query": {"range": {"d": {"gte": "2024", "format": "colour"}}}},
        {"aggs": {"x": {"filter": {"term": {"k": ["x"]}}}}},
        {"sort": None},
        {"version": "x"},
        {"timeout": "soon"},
        {"_source": [{"k": 1}]},
    ],
)
@pytest.mark.parametrize("where", ["one", "none"])
def test_what_cannot_be_read_is_a_400_whether_there_is_a_shard_or_not(
    store: Store, filled: str, where: str, body: Any
) -> None:
    target = filled if where == "one" else "nobody-has-this-*"

    assert store.call("POST", f"/{target}/_search", body).status_code == 400


@pytest.mark.parametrize("boost", [None, True, "x", "", -1, [], {}])
def test_a_boost_that_is_no_amount_is_a_400(store: Store, filled: str, boost: Any) -> None:
    body = {"query": {"term": {"k": {"value": "x", "boost": boost}}}}

    assert store.call("POST", f"/{filled}/_search", body).status_code == 400


@pytest.mark.parametrize("after", ["x", True, ""])
@pytest.mark.parametrize("name", ["_doc", "_seq_no"])
def test_a_place_behind_which_nothing_can_lie_is_a_400(
    store: Store, filled: str, name: str, after: Any
) -> None:
    body = {"sort": [name], "search_after": [after]}

    assert store.call("POST", f"/{filled}/_search", body).status_code == 400


def test_pages_follow_from_and_search_after(store: Store, filled: str) -> None:
    by_from = store.ids(filled, {"sort": [{"n": "desc"}], "from": 1, "size": 2})
    by_key = store.ids(filled, {"sort": [{"n": "desc"}], "search_after": [4], "size": 2})
    by_date = store.ids(filled, {"sort": ["d", "n"], "search_after": ["2024-01-01", 9], "size": 2})
    by_text = store.ids(filled, {"sort": ["k", "n"], "search_after": ["a", 1]})

    assert by_from == ["4", "3"]
    assert by_key == ["3", "2"]
    assert by_date == ["2", "3"]
    assert by_text == ["2", "3", "4", "5"]


def test_parameters_say_the_same_as_the_body(store: Store, filled: str) -> None:
    answer = store.ok(
        "GET", f"/{filled}/_search?size=2&from=1&sort=n:desc&_source=false&rest_total_hits_as_int=true"
    )

    assert [hit["_id"] for hit in answer["hits"]["hits"]] == ["4", "3"]
    assert answer["hits"]["total"] == 5


def test_missing_index_is_a_404_and_a_pattern_without_one_is_empty(store: Store, filled: str) -> None:
    missing = store.name()

    assert store.refused("POST", f"/{missing}/_search", {}) == (404, "index_not_found_exception")
    assert store.refused("POST", f"/{filled},{missing}/_search", {}) == (404, "index_not_found_exception")
    assert store.ids(f"{missing}*", {}) == []
    assert store.ok("POST", f"/{missing}/_search?ignore_unavailable=true")["hits"]["hits"] == []
    assert store.count(f"{missing}*") == 0
    assert store.refused("POST", f"/{missing}*/_search?allow_no_indices=false", {}) == (
        404,
        "index_not_found_exception",
    )


def test_search_over_several_indices_sees_every_copy(store: Store) -> None:
    first, second = store.index(), store.index()
    for index in (first, second):
        store.fill(index, {"same": {}, index: {}})
    hits = store.ok("POST", f"/{first},{second}/_search", {})["hits"]["hits"]

    assert sorted((hit["_index"], hit["_id"]) for hit in hits) == sorted(
        (index, key) for index in (first, second) for key in ("same", index)
    )


def test_count_takes_a_query_only(store: Store, filled: str) -> None:
    assert store.refused("POST", f"/{filled}/_count", {"size": 1}) == (400, "parsing_exception")


# Points in time.


def page_through(store: Store, point: str, sort: Any, size: int) -> list[Any]:
    """Every hit of a point in time; bounded, because a page that repeats would go on for ever."""
    hits: list[Any] = []
    body = {"pit": {"id": point, "keep_alive": "1m"}, "sort": sort, "size": size}
    for _ in range(50):
        page = store.ok("POST", "/_search", body)["hits"]["hits"]
        if not page:
            return hits
        hits += page
        body["search_after"] = page[-1]["sort"]
    raise AssertionError("the pages did not end")


def test_point_in_time_stands_still_while_the_index_changes(store: Store, filled: str) -> None:
    point = store.point(filled)
    store.items(
        f"/{filled}",
        [{"index": {"_id": "1"}}, {"n": 70}, {"delete": {"_id": "2"}}, {"create": {"_id": "6"}}, {"n": 6}],
        "?refresh=true",
    )
    frozen = page_through(store, point, ["n"], 2)
    now = store.ids(filled, {"sort": ["n"]})

    assert [(hit["_id"], hit["_source"]["n"]) for hit in frozen] == [(key, int(key)) for key in "12345"]
    assert now == ["3", "4", "5", "6", "1"]


@pytest.mark.parametrize("sort", [["_shard_doc"], ["_doc"], ["k"], [{"n": "desc"}]])
def test_pages_of_a_point_in_time_hold_every_document_once(store: Store, filled: str, sort: Any) -> None:
    hits = page_through(store, store.point(filled), sort, 2)

    assert sorted(hit["_id"] for hit in hits) == ["1", "2", "3", "4", "5"]
    assert len({tuple(map(str, hit["sort"])) for hit in hits}) == 5


def test_point_in_time_adds_a_tie_break_that_may_be_left_out(store: Store, filled: str) -> None:
    point = store.point(filled)
    body = {"pit": {"id": point}, "sort": ["n"], "size": 2}
    first = store.ok("POST", "/_search", body)
    second = store.ok("POST", "/_search", {**body, "search_after": [2]})

    assert first["pit_id"] == point
    assert [len(hit["sort"]) for hit in first["hits"]["hits"]] == [2, 2]
    assert [hit["_id"] for hit in second["hits"]["hits"]] == ["3", "4"]


def test_point_in_time_over_a_data_stream_sees_every_copy(store: Store) -> None:
    stream = store.stream()
    lines = [{"create": {"_id": "a"}}, {"@timestamp": 1}]
    store.items(f"/{stream}", lines, "?refresh=true")
    store.ok("POST", f"/{stream}/_rollover")
    store.items(f"/{stream}", lines, "?refresh=true")
    hits = page_through(store, store.point(stream), ["_shard_doc"], 1)

    assert [hit["_id"] for hit in hits] == ["a", "a"]
    assert len({hit["_index"] for hit in hits}) == 2


def test_closed_point_in_time_is_gone(store: Store, filled: str) -> None:
    point = store.point(filled)
    closed = store.ok("DELETE", "/_pit", {"id": point})
    again = store.call("DELETE", "/_pit", {"id": point})

    assert closed == {"succeeded": True, "num_freed": 1}
    assert (again.status_code, again.json()) == (404, {"succeeded": False, "num_freed": 0})
    assert store.refused("POST", "/_search", {"pit": {"id": point}}) == (
        404,
        "search_context_missing_exception",
    )


def test_closed_point_in_time_over_a_deleted_index_has_no_shard_to_ask(store: Store, filled: str) -> None:
    point = store.point(filled)
    store.ok("DELETE", "/_pit", {"id": point})
    store.ok("DELETE", f"/{filled}")
    refused = store.call("POST", "/_search", {"pit": {"id": point}})
    again = store.call("DELETE", "/_pit", {"id": point})

    assert (refused.status_code, refused.json()["error"]["root_cause"][0]["type"]) == (
        503,
        "no_shard_available_action_exception",
    )
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("parameters", "kind"),
    [
        ("", "action_request_validation_exception"),
        ("?keep_alive=long", "illegal_argument_exception"),
        ("?keep_alive=48h", "illegal_argument_exception"),
    ],
)  # fmt: skip
def test_point_in_time_needs_a_lawful_keep_alive(
    store: Store, filled: str, parameters: str, kind: str
) -> None:
    assert store.refused("POST", f"/{filled}/_pit{parameters}") == (400, kind)


def test_point_in_time_is_searched_without_an_index(store: Store, filled: str) -> None:
    body = {"pit": {"id": store.point(filled)}}

    assert store.refused("POST", f"/{filled}/_search", body) == (400, "action_request_validation_exception")
    assert store.call("POST", "/_search", {"pit": {"id": "never-was-one"}}).status_code == 400
    assert store.refused("POST", "/_search", {"pit": {}}) == (400, "illegal_argument_exception")


def test_point_in_time_of_a_deleted_index_is_unavailable(store: Store) -> None:
    index = store.index()
    point = store.point(index)
    store.ok("DELETE", f"/{index}")

    assert store.call("POST", "/_search", {"pit": {"id": point}}).status_code == 503


def test_documents_come_in_the_order_of_their_writes_and_the_other_way_round(store):
    index = store.index()
    store.fill(index, {f"id-{n}": {"n": n} for n in range(5)})
    store.items(
        f"/{index}", [{"index": {"_id": "id-1"}}, {"n": 9}, {"delete": {"_id": "id-3"}}], "?refresh=true"
    )

    def ids(**search):
        return store.ids(index, {"size": 2, **search})

    assert ids(sort=[{"_seq_no": "asc"}]) == ["id-0", "id-2"]
    assert ids(sort=[{"_seq_no": "asc"}], search_after=[2]) == ["id-4", "id-1"]
    assert ids(sort=[{"_seq_no": "asc"}], search_after=[-1]) == ["id-0", "id-2"]
    assert ids(sort=[{"_seq_no": "asc"}], search_after=[5]) == []
    assert ids(sort=[{"_seq_no": "desc"}]) == ["id-1", "id-4"]
    assert ids(sort=[{"_seq_no": "desc"}], search_after=[2]) == ["id-0"]
