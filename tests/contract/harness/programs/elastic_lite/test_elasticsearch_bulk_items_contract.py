"""What elastic_lite and the real Elasticsearch both do with each item of a bulk."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

STAMP = "2024-01-01T00:00:00Z"
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
        ("flattened", "x"), ("flattened", 1), ("flattened", {"a": "x" * 32767}),
        ("object", 1), ("object", "x"),
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
        ("keyword", True), ("keyword", [["a"], ["b"]]), ("text", "x" * 40000),
        ("flattened", {"a": [{"b": 1}]}),
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
        b'{"a":1', b'{"a":1,}', b'{"a":"x', b"{'a':1}", b'{"a":01}', b'{"a":NaN}', b'{"a":"\x01"}',
        b'{"a":"\xff"}',
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
