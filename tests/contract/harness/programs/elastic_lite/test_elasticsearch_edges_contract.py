"""Edges that once were answered in another way: halves of characters, dots at ends, patterns, `missing`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

REFUSAL = "the embedded store does not support"


def write(store: Store, index: str, document: str) -> Any:
    """The answer to a document given as a piece of JSON."""
    return store.call("PUT", f"/{index}/_doc/1?refresh=true", document.encode())


@pytest.mark.parametrize("half", ["\\ud800", "\\udc00"])
def test_half_a_surrogate_pair_in_a_keyword_is_a_question_mark(store: Store, half: str) -> None:
    index = store.index({"x": {"type": "keyword"}})
    assert write(store, index, f'{{"x":"a{half}b"}}').status_code == 201

    found = store.ok("POST", f"/{index}/_search", {"query": {"term": {"x": "a?b"}}, "sort": ["x"]})

    assert [hit["sort"] for hit in found["hits"]["hits"]] == [["a?b"]]


def test_half_a_surrogate_pair_in_a_flattened_field_is_a_replacement_character(store: Store) -> None:
    index = store.index({"x": {"type": "flattened"}})
    assert write(store, index, '{"x":{"k":"a\\ud800"}}').status_code == 201

    assert store.ids(index, {"query": {"term": {"x.k": "a\ufffd"}}}) == ["1"]


def test_half_a_surrogate_pair_stands_between_two_words(store: Store) -> None:
    index = store.index({"x": {"type": "text"}})
    assert write(store, index, '{"x":"aa\\ud800bb"}').status_code == 201

    assert store.ids(index, {"query": {"term": {"x": "aa"}}}) == ["1"]
    assert store.ids(index, {"query": {"term": {"x": "bb"}}}) == ["1"]


def test_text_cut_inside_of_a_character_is_kept_and_its_last_word_is_not_found(store: Store) -> None:
    index = store.index({"x": {"type": "text"}})
    assert write(store, index, '{"x":"cut here\\ud83d"}').status_code == 201

    answer = store.call("POST", f"/{index}/_search", {"query": {"term": {"x": "here"}}})

    assert store.call("GET", f"/{index}/_doc/1").status_code == 200
    assert REFUSAL in answer.text or answer.json()["hits"]["hits"] == []


def test_half_a_surrogate_pair_in_a_name_or_an_id_is_taken_or_refused_in_words(store: Store) -> None:
    index = store.index({"x": {"type": "flattened"}})

    for answer in (
        write(store, index, '{"new\\ud800":1}'),
        write(store, index, '{"x":{"a\\ud800":"b"}}'),
        store.bulk(f"/{index}", [b'{"index":{"_id":"b\\ud800"}}', {"y": 1}]),
    ):
        assert answer.status_code < 300 or REFUSAL in answer.text


def test_path_that_is_no_utf_8_names_the_same_document_or_is_refused_in_words(store: Store) -> None:
    index = store.index()
    written = store.call("PUT", f"/{index}/_doc/a%ED%A0%80", {"x": 1})

    if written.status_code >= 400:
        assert REFUSAL in written.text
    else:
        assert written.json()["_id"] == "a\ufffd"


@pytest.mark.parametrize("document", ['{"a.":1}', '{"a..":1}', '{"o":{"a.":1}}', '{"a.":{"b":1}}'])
def test_field_name_that_ends_in_a_dot_is_taken_or_refused_in_words(store: Store, document: str) -> None:
    answer = write(store, store.index(), document)

    assert answer.status_code == 201 or REFUSAL in answer.text


@pytest.mark.parametrize("document", ['{".a":1}', '{"a..b":1}', '{".":1}', '{"":1}', '{"a. .b":1}'])
def test_field_name_with_nothing_between_two_dots_is_an_error(store: Store, document: str) -> None:
    answer = write(store, store.index(), document)

    assert answer.status_code == 400
    assert REFUSAL not in answer.text


def test_mapping_with_a_name_that_ends_in_a_dot_is_taken_or_refused_in_words(store: Store) -> None:
    answer = store.call("PUT", f"/{store.name()}", {"mappings": {"properties": {"x.": {"type": "keyword"}}}})

    assert answer.status_code == 200 or REFUSAL in answer.text


def test_name_of_a_multi_field_has_no_dot(store: Store) -> None:
    properties = {"x": {"type": "keyword", "fields": {"y.": {"type": "keyword"}}}}

    answer = store.call("PUT", f"/{store.name()}", {"mappings": {"properties": properties}})

    assert answer.status_code == 400
    assert "cannot contain '.'" in answer.text


def test_index_name_may_end_in_a_dot(store: Store) -> None:
    name = store.name() + "."
    store.used.append(name)

    assert store.call("PUT", f"/{name}/_doc/1?refresh=true", {"x": 1}).status_code == 201
    assert store.count(name) == 1


def test_head_of_nothing_is_found_where_a_get_of_it_shows_nothing(store: Store) -> None:
    nobody = store.name("nobody")

    assert store.call("HEAD", f"/{nobody}*").status_code == 200
    assert store.call("HEAD", f"/{nobody}?ignore_unavailable=true").status_code == 200
    assert store.call("HEAD", f"/{nobody}").status_code == 404
    assert store.call("HEAD", f"/{nobody}*?allow_no_indices=false").status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("family", ["_index_template", "_component_template"])
def test_pattern_that_fits_no_template_is_not_found(store: Store, family: str, method: str) -> None:
    nobody = store.name("nobody")

    assert store.call(method, f"/{family}/{nobody}*").status_code == 404
    assert store.call("GET", f"/{family}").status_code == 200


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("long", "x"), ("long", ""), ("long", 1.5), ("long", "1.5"), ("integer", 5_000_000_000),
        ("date", "x"), ("date", 1.5), ("boolean", 1), ("boolean", ""), ("boolean", "x"), ("ip", "x"),
        ("flattened", "x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("documents", [0, 1])
def test_missing_that_is_no_value_of_its_field_is_an_error_or_refused_in_words(
    store: Store, kind: str, missing: Any, documents: int
) -> None:
    index = store.index({"x": {"type": kind}})
    if documents:
        store.fill(index, {"1": {"u": 1}})
    body = {"size": 0, "aggs": {"a": {"terms": {"field": "x", "missing": missing}}}}

    answer = store.call("POST", f"/{index}/_search", body)

    if answer.status_code == 200:  # of Elasticsearch: it keeps a fraction that the field would cut
        buckets = answer.json()["aggregations"]["a"]["buckets"]
        assert [bucket["doc_count"] for bucket in buckets] == [1] * documents
        assert kind != "date" or not documents or buckets[0]["key"] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("kind", "missing", "key"),
    [("long", 7, 7), ("long", "7", 7), ("double", 1.5, 1.5), ("boolean", True, 1), ("keyword", "x", "x")],
)
def test_missing_counts_as_the_value_of_a_document_without_one(
    store: Store, kind: str, missing: Any, key: Any
) -> None:
    index = store.index({"x": {"type": kind}})
    store.fill(index, {"1": {"u": 1}})
    body = {"size": 0, "aggs": {"a": {"terms": {"field": "x", "missing": missing}}}}

    buckets = store.ok("POST", f"/{index}/_search", body)["aggregations"]["a"]["buckets"]

    assert [(bucket["key"], bucket["doc_count"]) for bucket in buckets] == [(key, 1)]


@pytest.mark.parametrize(
    "spelled",
    [
        "7", " 7 ", "+7", "-0", "7\t", "1_000", "9223372036854775808", "1.5", " 1.5", ".5", "5.", "1e3",
        "1.5d", "0x10", "0x1p3", "NaN", "Infinity", "\u0663", "", " ", "a", "1,5", "--1", "1" * 30,
    ],
)  # fmt: skip
def test_text_that_reads_as_a_number_makes_the_same_new_field(store: Store, spelled: str) -> None:
    kinds = {"7": "long", "+7": "long", "-0": "long", "1_000": "text", "": "text", " ": "text", "a": "text"}
    kinds |= {"1,5": "text", "--1": "text", "0x10": "text"}
    index = store.index()
    store.ok("PUT", f"/{index}/_mapping", {"numeric_detection": True})
    answer = store.call("PUT", f"/{index}/_doc/1", {"new": spelled})

    if answer.status_code >= 400:
        assert REFUSAL in answer.text or spelled in ("NaN", "Infinity")
    else:
        properties = store.ok("GET", f"/{index}/_mapping")[index]["mappings"]["properties"]
        assert properties["new"]["type"] == kinds.get(spelled, "float" if spelled != "\u0663" else "long")


@pytest.mark.parametrize("key", ["include", "exclude"])
def test_a_word_among_the_terms_of_numbers_is_no_empty_answer(store: Store, key: str) -> None:
    index = store.index({"n": {"type": "long"}})
    answer = store.call("POST", f"/{index}/_search", {"aggs": {"x": {"terms": {"field": "n", key: ["a"]}}}})

    assert answer.status_code == 400
    assert "number_format_exception" in answer.text or REFUSAL in answer.text
