"""What elastic_lite and the real Elasticsearch both do: writing, reading by id, indices and the cluster."""

from __future__ import annotations

import gzip
import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch, helpers
from elasticsearch_fixture import JSON, NDJSON, Store, elasticsearch_url, eventually, store

__all__ = ["elasticsearch_url", "store"]

STAMP = "2024-01-01T00:00:00Z"
BODY_BYTES_MAX = 100 * 1024 * 1024
LEAVES = {
    "date": {"type": "date"},
    "long": {"type": "long"},
    "double": {"type": "double"},
    "boolean": {"type": "boolean"},
    "keyword": {"type": "keyword"},
    "text": {"type": "text"},
    "flattened": {"type": "flattened"},
    "object": {"properties": {"inner": {"type": "long"}}},
}


# Bulk: items.


def test_bulk_items_come_in_order_with_status_and_version(store: Store) -> None:
    index = store.index()
    lines = [
        {"create": {"_id": "a"}}, {"n": 1},
        {"create": {"_id": "a"}}, {"n": 2},
        {"index": {"_id": "a"}}, {"n": 3},
        {"index": {"_id": "b"}}, {"n": 4},
        {"delete": {"_id": "a"}},
    ]  # fmt: skip
    items = store.items(f"/{index}", lines)

    assert [item["_id"] for item in items] == ["a", "a", "a", "b", "a"]
    assert [item["status"] for item in items] == [201, 409, 200, 201, 200]
    assert [item.get("_version") for item in items] == [1, None, 2, 1, 3]
    assert [item.get("result") for item in items] == ["created", None, "updated", "created", "deleted"]
    assert [item.get("_seq_no") for item in items] == [0, None, 1, 2, 3]
    assert items[1]["error"]["type"] == "version_conflict_engine_exception"
    assert (
        items[1]["error"]["reason"] == "[a]: version conflict, document already exists (current version [1])"
    )


def test_bulk_names_its_index_in_actions_or_path_and_makes_it(store: Store) -> None:
    here, there = store.name(), store.name()
    items = store.items(f"/{here}", [{"create": {}}, {}, {"index": {"_index": there}}, {}])

    assert [item["_index"] for item in items] == [here, there]
    assert store.call("HEAD", f"/{there}").status_code == 200


def test_bulk_makes_an_id_of_its_own_for_each_document_without_one(store: Store) -> None:
    items = store.items(
        f"/{store.index()}", [{"create": {}}, {}, {"index": {}}, {}, {"create": {"_id": None}}, {}]
    )

    assert [item["status"] for item in items] == [201, 201, 201]
    assert len({item["_id"] for item in items}) == 3


def test_bulk_takes_a_numeric_id_for_its_spelling(store: Store) -> None:
    items = store.items(f"/{store.index()}", [{"create": {"_id": 5}}, {}])

    assert items[0]["_id"] == "5"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "yesterday"), ("date", "2024-02-30"), ("date", "2024-1-1"), ("date", "2024-01-01 00:00:00"),
        ("date", ""), ("date", True), ("date", {"a": 1}),
        ("long", "x"), ("long", True), ("long", 2**63), ("long", {"a": 1}), ("long", [1, "x"]),
        ("double", "NaN"), ("double", "x"), ("boolean", "yes"), ("boolean", 1),
        ("keyword", {"a": 1}), ("keyword", "x" * 32767), ("keyword", "é" * 16384), ("text", {"a": 1}),
        ("flattened", "x"), ("flattened", 1), ("flattened", {"a": "x" * 32767}), ("object", 1), ("object", "x"),
    ],
)  # fmt: skip
def test_value_that_a_field_cannot_hold_is_a_400_for_its_document_alone(
    store: Store, field: str, value: Any
) -> None:
    index = store.index(LEAVES)
    items = store.items(
        f"/{index}", [{"create": {"_id": "bad"}}, {field: value}, {"create": {"_id": "good"}}, {}]
    )

    assert [item["status"] for item in items] == [400, 201]
    assert items[0]["error"]["type"] == "document_parsing_exception"
    assert f"[{field}]" in items[0]["error"]["reason"]
    assert store.call("GET", f"/{index}/_doc/bad").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", 1), ("date", 1.5), ("date", "2024"), ("date", "1700000000000"), ("date", "2024-01-01T10"),
        ("date", "2024-01-01T00:00:00.123456789+02:00"), ("date", None), ("date", []),
        ("long", "12"), ("long", 1.5), ("long", ""), ("double", "1e3"), ("boolean", "true"), ("boolean", ""),
        ("keyword", True), ("keyword", [["a"], ["b"]]), ("text", "x" * 40000), ("flattened", {"a": [{"b": 1}]}),
        ("object", [{"inner": 1}, {"inner": "2"}]), ("new", {"deep": [None, "x"]}),
    ],
)  # fmt: skip
def test_value_that_a_field_coerces_is_taken_and_kept_as_sent(store: Store, field: str, value: Any) -> None:
    index = store.index(LEAVES)
    items = store.items(f"/{index}", [{"create": {"_id": "a"}}, {field: value}])

    assert items[0]["status"] == 201
    assert store.ok("GET", f"/{index}/_doc/a")["_source"] == {field: value}


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1', b'{"a":1,}', b'{"a":"x', b"{'a':1}", b'{"a":01}', b'{"a":NaN}', b'{"a":"\x01"}', b'{"a":"\xff"}',
        b'{"a":1,"a":2}', b'{"":1}', b'{"a..b":1}', b'{"_id":"x"}', b"",
    ],
)  # fmt: skip
def test_document_that_is_not_json_is_a_400_of_its_own(store: Store, line: bytes) -> None:
    items = store.items(f"/{store.index()}", [{"create": {"_id": "a"}}, line, {"create": {"_id": "b"}}, {}])

    assert [item["status"] for item in items] == [400, 201]
    assert items[0]["error"]["type"] == "document_parsing_exception"


def test_source_is_kept_byte_for_byte(store: Store) -> None:
    index = store.index()
    line = '{ "a" : 1.50, "b":"\\u00e9é\\n", "c": {"x.y":[ ]} }'.encode()
    store.items(f"/{index}", [{"create": {"_id": "a"}}, line])

    assert line in store.call("GET", f"/{index}/_doc/a").content


def test_new_fields_are_mapped_by_their_first_value_and_bind_later_documents(store: Store) -> None:
    index = store.name()
    first = {"n": 1, "f": 1.5, "b": True, "d": STAMP, "s": "text", "o": {"p": [1, 2]}, "empty": None}
    items = store.items(
        f"/{index}",
        [
            {"create": {}},
            first,
            {"create": {}},
            {"n": "x"},
            {"create": {}},
            {"o": 1},
            {"create": {}},
            {"d": "x"},
        ],
    )
    properties = store.ok("GET", f"/{index}/_mapping")[index]["mappings"]["properties"]

    assert [item["status"] for item in items] == [201, 400, 400, 400]
    assert properties == {
        "b": {"type": "boolean"},
        "d": {"type": "date"},
        "f": {"type": "float"},
        "n": {"type": "long"},
        "o": {"properties": {"p": {"type": "long"}}},
        "s": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}},
    }


def test_dynamic_false_keeps_new_fields_unmapped_and_strict_refuses_them(store: Store) -> None:
    loose, strict = store.name(), store.name()
    store.ok("PUT", f"/{loose}", {"mappings": {"dynamic": False, "properties": {}}})
    store.ok("PUT", f"/{strict}", {"mappings": {"dynamic": "strict", "properties": {}}})
    loosely = store.items(f"/{loose}", [{"create": {}}, {"n": 1}, {"create": {}}, {"n": "x"}])
    strictly = store.items(f"/{strict}", [{"create": {}}, {"n": 1}])

    assert [item["status"] for item in loosely] == [201, 201]
    assert store.ok("GET", f"/{loose}/_mapping")[loose]["mappings"] == {"dynamic": "false"}
    assert strictly[0]["status"] == 400
    assert strictly[0]["error"]["type"] == "strict_dynamic_mapping_exception"


def test_ignore_malformed_keeps_the_document(store: Store) -> None:
    index = store.index({"n": {"type": "long", "ignore_malformed": True}})
    store.fill(index, {"a": {"n": "x"}})

    assert store.ids(index, {"query": {"match_all": {}}}) == ["a"]
    assert store.ids(index, {"query": {"exists": {"field": "n"}}}) == []


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ({"create": {"_id": ""}}, "illegal_argument_exception"),
        ({"create": {"_index": "Upper"}}, "invalid_index_name_exception"),
        ({"create": {"_id": "a", "pipeline": "none-such"}}, "illegal_argument_exception"),
    ],
)
def test_action_that_cannot_be_done_is_a_400_of_its_own(store: Store, action: Any, kind: str) -> None:
    items = store.items(f"/{store.index()}", [action, {}, {"create": {}}, {}])

    assert [item["status"] for item in items] == [400, 201]
    assert items[0]["error"]["type"] == kind


def test_bulk_item_is_conditional_on_sequence_number(store: Store) -> None:
    index = store.index()
    condition = {"_id": "a", "if_seq_no": 0, "if_primary_term": 1}
    items = store.items(
        f"/{index}", [{"create": {"_id": "a"}}, {}, {"index": condition}, {}, {"index": condition}, {}]
    )

    assert [item["status"] for item in items] == [201, 200, 409]


# Bulk: whole requests.


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"create":{}}\n{"a":1}', "illegal_argument_exception"),
        (b"", "parse_exception"),
        (b"\n", "action_request_validation_exception"),
        (b'{"create":{"_id":"1"}}\n', "action_request_validation_exception"),
        (b'{"create":{}}\n{}\n{"publish":{}}\n{}\n', "illegal_argument_exception"),
        (b'{"create":{"colour":"red"}}\n{}\n', "illegal_argument_exception"),
        (b'{"create":1}\n{}\n', "illegal_argument_exception"),
        (b"[]\n{}\n", "illegal_argument_exception"),
        (b"x\n{}\n", "x_content_parse_exception"),
        (b'{"create":{"_id":"%s"}}\n{}\n' % (b"i" * 513), "action_request_validation_exception"),
        (b'{"create":{"version":3}}\n{}\n', "action_request_validation_exception"),
        (b'{"index":{"_id":"a","if_seq_no":3}}\n{}\n', "action_request_validation_exception"),
    ],
)
def test_malformed_bulk_is_refused_whole(store: Store, body: bytes, kind: str) -> None:
    index = store.index()
    answer = store.call("POST", f"/{index}/_bulk", body, NDJSON)
    store.ok("POST", f"/{index}/_refresh")

    assert answer.status_code == 400
    assert answer.json()["error"]["root_cause"][0]["type"] == kind
    assert store.count(index) == 0


def test_bulk_without_an_index_is_refused(store: Store) -> None:
    answer = store.bulk("", [{"create": {}}, {}])

    assert answer.status_code == 400
    assert "index is missing" in answer.json()["error"]["reason"]


def test_last_action_without_its_document_is_dropped_silently(store: Store) -> None:
    items = store.items(f"/{store.index()}", [{"create": {"_id": "a"}}, {}, {"create": {"_id": "b"}}])

    assert [item["_id"] for item in items] == ["a"]


def test_empty_lines_between_actions_are_skipped(store: Store) -> None:
    items = store.items(
        f"/{store.index()}", [b"", {"create": {"_id": "a"}}, {}, b"", {"create": {"_id": "b"}}, {}]
    )

    assert [item["_id"] for item in items] == ["a", "b"]


@pytest.mark.parametrize("parameters", ["?refresh=maybe", "?colour=red"])
def test_unknown_parameter_is_refused(store: Store, parameters: str) -> None:
    answer = store.bulk(f"/{store.index()}", [{"create": {}}, {}], parameters)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"


def test_body_of_another_media_type_is_refused(store: Store) -> None:
    answer = store.call("POST", f"/{store.index()}/_bulk", b'{"create":{}}\n{}\n', "text/plain")

    assert answer.status_code == 406
    assert answer.json() == {"error": "Content-Type header [text/plain] is not supported", "status": 406}


def test_versioned_media_types_are_spoken(store: Store) -> None:
    versioned = "application/vnd.elasticsearch+json; compatible-with=8"
    path, body = f"/{store.index()}/_bulk", b'{"create":{}}\n{}\n'
    answer = store.call(
        "POST", path, body, "application/vnd.elasticsearch+x-ndjson; compatible-with=8", Accept=versioned
    )
    newer = store.call("GET", "/_cluster/health", Accept=versioned.replace("8", "9"))

    assert answer.headers["Content-Type"] == "application/vnd.elasticsearch+json;compatible-with=8"
    assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    assert newer.status_code == 400
    assert newer.json()["error"]["type"] == "media_type_header_exception"


def test_gzip_is_read_and_written(store: Store) -> None:
    path = f"/{store.index()}/_bulk"
    body = gzip.compress(b'{"create":{"_id":"a"}}\n{}\n')
    packed = store.call("POST", path, body, NDJSON, Content_Encoding="gzip", Accept_Encoding="gzip")
    plain = store.call("GET", "/_cluster/health", Accept_Encoding="identity")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json()["items"][0]["create"]["status"] == 201
    assert "Content-Encoding" not in plain.headers


def test_body_that_says_it_is_too_large_is_a_413_before_it_is_sent(store: Store) -> None:
    connection = http.client.HTTPConnection(urlsplit(store.url).netloc, timeout=10)
    connection.putrequest("POST", f"/{store.index()}/_bulk")
    connection.putheader("Content-Type", NDJSON)
    connection.putheader("Content-Length", str(BODY_BYTES_MAX + 1))
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()

    assert answer.status == 413
    assert content == b""


def test_body_that_is_too_large_once_decompressed_is_a_413(store: Store) -> None:
    bomb = gzip.compress(b"\n" * (BODY_BYTES_MAX + 1))
    answer = store.call("POST", f"/{store.index()}/_bulk", bomb, NDJSON, Content_Encoding="gzip")

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("filter_path", "expected"),
    [
        (
            "errors,items.*.status",
            {"errors": True, "items": [{"create": {"status": 201}}, {"create": {"status": 409}}]},
        ),
        (
            "items.*.error.type",
            {"items": [{"create": {"error": {"type": "version_conflict_engine_exception"}}}]},
        ),
        ("**.type", {"items": [{"create": {"error": {"type": "version_conflict_engine_exception"}}}]}),
        ("items.create._id,-took", {"items": [{"create": {"_id": "a"}}, {"create": {"_id": "a"}}]}),
        ("it*.cr*te.st*s", {"items": [{"create": {"status": 201}}, {"create": {"status": 409}}]}),
        (
            "items,-items.create._*,-**.error,-**.result",
            {"items": [{"create": {"status": 201}}, {"create": {"status": 409}}]},
        ),
        ("errors,-errors", {}),
        ("nothing", {}),
    ],
)
def test_filter_path_keeps_what_it_names(store: Store, filter_path: str, expected: Any) -> None:
    lines = [{"create": {"_id": "a"}}, {}, {"create": {"_id": "a"}}, {}]
    answer = store.bulk(f"/{store.index()}", lines, f"?filter_path={filter_path}")

    assert answer.json() == expected


def test_filter_path_leaves_errors_whole(store: Store) -> None:
    answer = store.call("GET", f"/{store.name()}/_search?filter_path=took")

    assert answer.json()["error"]["type"] == "index_not_found_exception"


# Data streams.


def test_first_bulk_makes_the_data_stream_and_names_its_backing_index(store: Store) -> None:
    stream = store.stream()
    items = store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": STAMP}], "?refresh=true")
    resolved = store.ok("GET", f"/_resolve/index/{stream}")

    assert items[0]["_index"].startswith(f".ds-{stream}-")
    assert items[0]["_index"].endswith("-000001")
    assert resolved["indices"] == []
    assert resolved["data_streams"] == [
        {"name": stream, "backing_indices": [items[0]["_index"]], "timestamp_field": "@timestamp"}
    ]
    assert store.ids(stream, {}) == ["a"]


def test_data_stream_takes_creates_only(store: Store) -> None:
    stream = store.stream()
    lines = [
        {"index": {"_id": "a"}},
        {"@timestamp": STAMP},
        {"delete": {"_id": "a"}},
        {"create": {"_id": "a"}},
        {"@timestamp": STAMP},
    ]
    items = store.items(f"/{stream}", lines)

    assert [item["status"] for item in items] == [400, 400, 201]
    assert [item["_index"] for item in items[:2]] == [stream, stream]
    assert {item["error"]["type"] for item in items[:2]} == {"illegal_argument_exception"}
    assert {item["error"]["reason"] for item in items[:2]} == {
        "only write ops with an op_type of create are allowed in data streams"
    }


@pytest.mark.parametrize(
    "document", [{}, {"@timestamp": None}, {"@timestamp": [1, 2]}, {"@timestamp": "soon"}]
)
def test_document_without_one_timestamp_is_a_400(store: Store, document: Any) -> None:
    items = store.items(f"/{store.stream()}", [{"create": {}}, document])

    assert items[0]["status"] == 400
    assert items[0]["error"]["type"] == "document_parsing_exception"


def test_same_id_before_and_after_a_rollover_is_stored_twice(store: Store) -> None:
    stream = store.stream()
    lines = [{"create": {"_id": "a"}}, {"@timestamp": STAMP}]
    first = store.items(f"/{stream}", lines)
    rolled = store.ok("POST", f"/{stream}/_rollover")
    second = store.items(f"/{stream}", lines, "?refresh=true")
    store.ok("POST", f"/{stream}/_refresh")
    wanted = [{"_index": rolled["old_index"], "_id": "a"}, {"_index": rolled["new_index"], "_id": "a"}]
    found = store.ok("POST", "/_mget", {"docs": wanted})["docs"]

    assert [first[0]["_index"], second[0]["_index"]] == [rolled["old_index"], rolled["new_index"]]
    assert rolled["new_index"].endswith("-000002")
    assert store.count(stream) == 2
    assert store.ids(stream, {"query": {"ids": {"values": ["a"]}}}) == ["a", "a"]
    assert [document["found"] for document in found] == [True, True]


def test_backing_index_is_written_through_its_stream_only_and_stays_while_it_takes_writes(
    store: Store,
) -> None:
    stream = store.stream()
    backing = store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": STAMP}])[0]["_index"]
    lines = [{"create": {}}, {"@timestamp": STAMP}, {"index": {"_id": "a"}}, {"@timestamp": STAMP}]
    items = store.items(f"/{backing}", lines)

    assert [item["status"] for item in items] == [400, 400]
    assert store.refused("DELETE", f"/{backing}") == (400, "illegal_argument_exception")


def test_data_stream_is_no_index_to_read_by_id_or_delete(store: Store) -> None:
    stream = store.stream()
    store.items(f"/{stream}", [{"create": {"_id": "a"}}, {"@timestamp": STAMP}])

    assert store.refused("GET", f"/{stream}/_doc/a") == (404, "index_not_found_exception")
    assert store.refused("DELETE", f"/{stream}") == (404, "index_not_found_exception")
    assert store.refused("PUT", f"/{stream}", {}) == (400, "illegal_argument_exception")


# Single documents.


def test_document_is_created_overwritten_deleted_and_created_again(store: Store) -> None:
    index = store.index()
    path = f"/{index}/_doc/a"
    answers = [
        store.call(method, path, body)
        for method, body in (
            ("PUT", {"n": 1}),
            ("PUT", {"n": 2}),
            ("DELETE", None),
            ("DELETE", None),
            ("PUT", {}),
        )
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 404, 201]
    assert [answer.json()["_version"] for answer in answers] == [1, 2, 3, 4, 5]
    assert [answer.json()["result"] for answer in answers] == [
        "created",
        "updated",
        "deleted",
        "not_found",
        "created",
    ]
    assert answers[0].headers["Location"] == path


@pytest.mark.parametrize("path", ["_create/a", "_doc/a?op_type=create"])
def test_create_of_an_existing_document_is_a_409(store: Store, path: str) -> None:
    index = store.index()
    first = store.call("PUT", f"/{index}/{path}", {})

    assert first.status_code == 201
    assert store.refused("PUT", f"/{index}/{path}", {}) == (409, "version_conflict_engine_exception")


def test_id_may_hold_a_slash_and_any_letter(store: Store) -> None:
    index = store.index()
    made = store.call("PUT", f"/{index}/_doc/a%2Fb%20%C3%A9", {"n": 1})
    found = store.ok("GET", f"/{index}/_doc/a%2Fb%20%C3%A9")

    assert made.json()["_id"] == "a/b é"
    assert found["_source"] == {"n": 1}


def test_document_is_read_by_id_whole_or_in_part(store: Store) -> None:
    index = store.index()
    store.ok("PUT", f"/{index}/_doc/a", {"n": 1, "o": {"p": 2, "q": 3}})
    path = f"/{index}/_doc/a"

    assert store.ok("GET", path) == {
        "_index": index, "_id": "a", "_version": 1, "_seq_no": 0, "_primary_term": 1, "found": True,
        "_source": {"n": 1, "o": {"p": 2, "q": 3}},
    }  # fmt: skip
    assert "_source" not in store.ok("GET", f"{path}?_source=false")
    assert store.ok("GET", f"{path}?_source_includes=o.*&_source_excludes=o.q")["_source"] == {"o": {"p": 2}}
    assert store.ok("GET", f"/{index}/_source/a") == {"n": 1, "o": {"p": 2, "q": 3}}
    assert store.call("HEAD", path).status_code == 200


def test_missing_document_and_missing_index_are_told_apart(store: Store) -> None:
    index, missing = store.index(), store.name()
    absent = store.call("GET", f"/{index}/_doc/a")

    assert (absent.status_code, absent.json()) == (404, {"_index": index, "_id": "a", "found": False})
    assert store.refused("GET", f"/{missing}/_doc/a") == (404, "index_not_found_exception")
    assert store.refused("DELETE", f"/{missing}") == (404, "index_not_found_exception")


def test_multi_get_answers_each_in_its_place(store: Store) -> None:
    index, missing = store.index(), store.name()
    store.ok("PUT", f"/{index}/_doc/a", {"n": 1})
    wanted = [{"_index": index, "_id": "a"}, {"_index": missing, "_id": "a"}, {"_index": index, "_id": "b"}]
    found = store.ok("POST", "/_mget", {"docs": wanted})["docs"]

    assert found[0]["_source"] == {"n": 1}
    assert found[1]["error"]["type"] == "index_not_found_exception"
    assert found[2] == {"_index": index, "_id": "b", "found": False}
    assert [it["found"] for it in store.ok("GET", f"/{index}/_mget", {"ids": ["b", "a"]})["docs"]] == [
        False,
        True,
    ]
    assert store.refused("POST", "/_mget", {"docs": []}) == (400, "action_request_validation_exception")


@pytest.mark.parametrize(("body", "kind"), [(b"", "parse_exception"), (b"{", "document_parsing_exception")])
def test_single_write_of_a_broken_body_is_a_400(store: Store, body: bytes, kind: str) -> None:
    assert store.refused("PUT", f"/{store.index()}/_doc/a", body) == (400, kind)


# Refresh.


def test_search_finds_a_document_after_a_refresh_and_reading_by_id_at_once(store: Store) -> None:
    index = store.index()
    store.items(f"/{index}", [{"create": {"_id": "a"}}, {"n": 1}])
    before = store.count(index), store.ids(index, {}), store.ok("GET", f"/{index}/_doc/a")["found"]
    store.ok("POST", f"/{index}/_refresh")

    assert before == (0, [], True)
    assert (store.count(index), store.ids(index, {})) == (1, ["a"])


def test_search_sees_the_old_version_until_the_refresh(store: Store) -> None:
    index = store.index()
    store.fill(index, {"a": {"n": 1}})
    store.items(f"/{index}", [{"index": {"_id": "a"}}, {"n": 2}, {"create": {"_id": "b"}}, {"n": 3}])
    body = {"query": {"match_all": {}}, "sort": ["n"]}
    before = [hit["_source"] for hit in store.ok("POST", f"/{index}/_search", body)["hits"]["hits"]]
    store.ok("POST", f"/{index}/_refresh")
    after = [hit["_source"] for hit in store.ok("POST", f"/{index}/_search", body)["hits"]["hits"]]

    assert before == [{"n": 1}]
    assert after == [{"n": 2}, {"n": 3}]


@pytest.mark.parametrize(("parameters", "forced"), [("?refresh=true", True), ("?refresh", True)])
def test_refresh_parameter_makes_the_write_searchable(store: Store, parameters: str, forced: bool) -> None:
    index = store.index()
    items = store.items(f"/{index}", [{"create": {}}, {}], parameters)

    assert items[0].get("forced_refresh", False) is forced
    assert store.count(index) == 1


def test_wait_for_answers_when_the_write_is_searchable(store: Store) -> None:
    index = store.index(refresh_interval="100ms")
    items = store.items(f"/{index}", [{"create": {}}, {}], "?refresh=wait_for")

    assert "forced_refresh" not in items[0]
    assert store.count(index) == 1


def test_refresh_interval_makes_writes_searchable_by_itself(store: Store) -> None:
    index = store.index(refresh_interval="200ms")
    store.items(f"/{index}", [{"create": {}}, {}])

    assert eventually(10.0, lambda: store.count(index) == 1)


def test_refresh_tells_its_shards(store: Store) -> None:
    index = store.index()

    assert store.ok("POST", f"/{index}/_refresh") == {"_shards": {"total": 1, "successful": 1, "failed": 0}}
    assert store.refused("POST", f"/{store.name()}/_refresh") == (404, "index_not_found_exception")


# Indices and templates.


def test_index_is_made_shown_and_deleted(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})
    shown = store.ok("GET", f"/{index}")[index]
    deleted = store.ok("DELETE", f"/{index}")

    assert shown["mappings"] == {"properties": {"n": {"type": "long"}}}
    assert shown["settings"]["index"]["number_of_shards"] == "1"
    assert shown["settings"]["index"]["number_of_replicas"] == "0"
    assert deleted == {"acknowledged": True}
    assert store.call("HEAD", f"/{index}").status_code == 404


@pytest.mark.parametrize("name", ["Upper", "_under", "a%20b", "a,b", "-dash"])
def test_bad_index_name_is_refused(store: Store, name: str) -> None:
    assert store.refused("PUT", f"/{name}", {}) == (400, "invalid_index_name_exception")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"colour": 1}, "parse_exception"),
        ({"mappings": {"properties": {"x": {"type": "colour"}}}}, "mapper_parsing_exception"),
        ({"settings": {"colour": 1}}, "illegal_argument_exception"),
    ],
)
def test_bad_index_body_is_refused(store: Store, body: Any, kind: str) -> None:
    assert store.refused("PUT", f"/{store.name()}", body) == (400, kind)


def test_index_that_exists_is_not_made_again(store: Store) -> None:
    assert store.refused("PUT", f"/{store.index()}", {}) == (400, "resource_already_exists_exception")


@pytest.mark.parametrize("pattern", ["*", "_all", "docs-*"])
def test_deletion_by_pattern_is_refused(store: Store, pattern: str) -> None:
    index = store.index()

    assert store.refused("DELETE", f"/{pattern}") == (400, "illegal_argument_exception")
    assert store.call("HEAD", f"/{index}").status_code == 200


def test_deletion_of_several_is_all_or_nothing(store: Store) -> None:
    index, missing = store.index(), store.name()

    assert store.refused("DELETE", f"/{index},{missing}") == (404, "index_not_found_exception")
    assert store.call("HEAD", f"/{index}").status_code == 200
    assert store.ok("DELETE", f"/{index},{missing}?ignore_unavailable=true") == {"acknowledged": True}


def test_mapping_grows_and_never_changes_a_type(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})
    store.ok("PUT", f"/{index}/_mapping", {"properties": {"k": {"type": "keyword"}}})
    refused = store.refused("PUT", f"/{index}/_mapping", {"properties": {"n": {"type": "keyword"}}})

    assert refused == (400, "illegal_argument_exception")
    assert store.ok("GET", f"/{index}/_mapping")[index]["mappings"]["properties"] == {
        "k": {"type": "keyword"},
        "n": {"type": "long"},
    }


def test_settings_change_where_they_may(store: Store) -> None:
    index = store.index()
    store.ok("PUT", f"/{index}/_settings", {"index": {"refresh_interval": "7s"}})
    shown = store.ok("GET", f"/{index}/_settings?flat_settings=true")[index]["settings"]

    assert shown["index.refresh_interval"] == "7s"
    assert store.refused("PUT", f"/{index}/_settings", {"number_of_shards": 5}) == (
        400,
        "illegal_argument_exception",
    )


def test_index_gets_its_template_composed_with_the_later_part_winning(store: Store) -> None:
    base, template, index = store.name("base"), store.name("template"), store.name()
    part = {
        "settings": {"number_of_replicas": 0},
        "mappings": {"properties": {"a": {"type": "long"}, "b": {"type": "long"}}},
    }
    own = {"mappings": {"dynamic": "strict", "properties": {"b": {"type": "keyword"}}}}
    store.ok("PUT", f"/_component_template/{base}", {"template": part})
    store.ok(
        "PUT",
        f"/_index_template/{template}",
        {"index_patterns": [index], "priority": 501, "composed_of": [base], "template": own},
    )
    store.ok("PUT", f"/{index}/_doc/1", {"a": 1})
    shown = store.ok("GET", f"/{index}")[index]

    assert shown["mappings"] == {
        "dynamic": "strict",
        "properties": {"a": {"type": "long"}, "b": {"type": "keyword"}},
    }
    assert shown["settings"]["index"]["number_of_replicas"] == "0"
    assert store.refused("DELETE", f"/_component_template/{base}") == (400, "illegal_argument_exception")


def test_template_of_higher_priority_wins_and_of_the_same_is_refused(store: Store) -> None:
    low, high, index = store.name("low"), store.name("high"), store.name()
    for name, priority in ((low, 601), (high, 602)):
        mappings = {"properties": {name: {"type": "long"}}}
        body = {"index_patterns": [f"{index}*"], "priority": priority, "template": {"mappings": mappings}}
        store.ok("PUT", f"/_index_template/{name}", body)
    store.ok("PUT", f"/{index}", {})
    clash = {"index_patterns": ["docs-*"], "priority": 602}

    assert list(store.ok("GET", f"/{index}/_mapping")[index]["mappings"]["properties"]) == [high]
    assert store.refused("PUT", f"/_index_template/{store.name('clash')}", clash) == (
        400,
        "illegal_argument_exception",
    )


def test_template_is_shown_as_kept_and_gone_when_deleted(store: Store) -> None:
    name = store.name("template")
    body = {"index_patterns": f"{name}-*", "priority": 3, "template": {"settings": {"number_of_shards": 2}}}
    store.ok("PUT", f"/_index_template/{name}", body)
    shown = store.ok("GET", f"/_index_template/{name}")["index_templates"]
    existed = store.call("HEAD", f"/_index_template/{name}").status_code
    store.ok("DELETE", f"/_index_template/{name}")

    assert shown[0]["name"] == name
    assert shown[0]["index_template"]["index_patterns"] == [f"{name}-*"]
    assert shown[0]["index_template"]["template"] == {"settings": {"index": {"number_of_shards": "2"}}}
    assert existed == 200
    assert store.call("HEAD", f"/_index_template/{name}").status_code == 404
    assert store.refused("DELETE", f"/_index_template/{name}") == (404, "index_template_missing_exception")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"priority": 1}, "illegal_argument_exception"),
        ({"index_patterns": []}, "illegal_argument_exception"),
        ({"index_patterns": ["nobody-*"], "colour": 1}, "x_content_parse_exception"),
        ({"index_patterns": ["nobody-*"], "composed_of": ["none-such"]}, "invalid_index_template_exception"),
    ],
)
def test_bad_template_is_refused(store: Store, body: Any, kind: str) -> None:
    assert store.refused("PUT", f"/_index_template/{store.name('template')}", body) == (400, kind)


def test_template_of_a_living_data_stream_cannot_be_deleted(store: Store) -> None:
    stream = store.stream()
    store.items(f"/{stream}", [{"create": {}}, {"@timestamp": STAMP}])

    assert store.refused("DELETE", f"/_index_template/{stream}") == (400, "illegal_argument_exception")


def test_cat_lists_indices_with_their_documents(store: Store) -> None:
    index = store.index()
    store.fill(index, {"a": {}, "b": {}})
    rows = store.ok("GET", f"/_cat/indices/{index}?format=json&h=index,docs.count,pri,rep,health")

    assert rows == [{"index": index, "docs.count": "2", "pri": "1", "rep": "0", "health": "green"}]


# Cluster.


def test_health_has_the_shape_that_clients_read(store: Store) -> None:
    health = store.ok("GET", f"/_cluster/health/{store.index()}?wait_for_status=green&timeout=10s")

    assert health["status"] == "green"
    assert health["timed_out"] is False
    assert health["number_of_nodes"] == 1
    assert health["active_primary_shards"] == health["active_shards"] == 1
    assert health["active_shards_percent_as_number"] == 100.0


def test_health_of_an_index_with_a_replica_stays_yellow(store: Store) -> None:
    index = store.index(number_of_replicas=1)
    answer = store.call("GET", f"/_cluster/health/{index}?wait_for_status=green&timeout=100ms")

    assert answer.status_code == 408
    assert (answer.json()["status"], answer.json()["timed_out"]) == ("yellow", True)


def test_nodes_tell_their_version(store: Store) -> None:
    nodes = store.ok("GET", "/_nodes/_local?filter_path=nodes.*.version")["nodes"]

    assert list(nodes.values()) == [{"version": "8.19.0"}]


def test_cluster_settings_are_kept_and_taken_back(store: Store) -> None:
    name = "cluster.max_shards_per_node"
    put = store.ok("PUT", "/_cluster/settings", {"persistent": {name: 1234}})
    shown = store.ok("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    store.ok("PUT", "/_cluster/settings", {"persistent": {name: None}})

    assert put == {
        "acknowledged": True,
        "persistent": {"cluster": {"max_shards_per_node": "1234"}},
        "transient": {},
    }
    assert shown[name] == "1234"
    assert name not in store.ok("GET", "/_cluster/settings?flat_settings=true")["persistent"]
    assert store.refused("PUT", "/_cluster/settings", {"persistent": {"colour": 1}}) == (
        400,
        "illegal_argument_exception",
    )


def test_unknown_path_and_wrong_method_are_told_apart(store: Store) -> None:
    unknown = store.call("GET", "/a/b/c/d")
    wrong = store.call("DELETE", "/_search")

    assert (unknown.status_code, unknown.json()) == (
        400,
        {"error": "no handler found for uri [/a/b/c/d] and method [GET]"},
    )
    assert wrong.status_code == 405
    assert wrong.json()["status"] == 405
    assert set(wrong.headers["Allow"].split(",")) == {"GET", "POST"}
    assert store.refused("GET", "/_colour") == (400, "invalid_index_name_exception")


# The Python client, unchanged.


def test_python_client_writes_searches_and_pages(store: Store) -> None:
    stream = store.stream({"n": {"type": "long"}})
    with Elasticsearch(store.url, request_timeout=30, max_retries=0, http_compress=True) as client:
        actions = (
            {"_op_type": "create", "_index": stream, "_id": str(n), "@timestamp": STAMP, "n": n}
            for n in range(250)
        )
        written, errors = helpers.bulk(client, actions, chunk_size=100, refresh="true", raise_on_error=False)
        repeated = client.bulk(index=stream, operations=[{"create": {"_id": "0"}}, {"@timestamp": STAMP}])
        point = client.open_point_in_time(index=stream, keep_alive="1m")["id"]
        found: list[int] = []
        after = None
        for _ in range(10):
            page = client.search(
                pit={"id": point, "keep_alive": "1m"}, size=100, sort=["_shard_doc"], search_after=after,
                track_total_hits=False,
            )  # fmt: skip
            if not page["hits"]["hits"]:
                break
            found += [hit["_source"]["n"] for hit in page["hits"]["hits"]]
            after = page["hits"]["hits"][-1]["sort"]
        closed = client.close_point_in_time(id=point)
        counted = client.count(index=stream, query={"range": {"n": {"lt": 10}}})["count"]

    assert (written, errors) == (250, [])
    assert repeated["items"][0]["create"]["status"] == 409
    assert sorted(found) == list(range(250))
    assert closed["succeeded"] is True
    assert counted == 10


def test_json_media_type_is_the_default(store: Store) -> None:
    assert store.call("GET", "/_cluster/health").headers["Content-Type"] == JSON
