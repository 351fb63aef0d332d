"""Odd spellings of numbers, texts and dates are read as Elasticsearch reads them, or refused."""

from __future__ import annotations

import pytest

from tests.contract.elasticsearch_fixture import Store

REFUSAL = "the embedded store does not support"


def put(store: Store, index: str, value: str) -> int:
    """The status of writing a document whose field `x` is a piece of JSON."""
    answer = store.call("PUT", f"/{index}/_doc/1?refresh=true", f'{{"x":{value}}}'.encode())
    return answer.status_code


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", '" "'), ("long", '" 7 "'), ("long", '"1_000"'), ("double", '"\\u0663x"'),
        ("float", "3.5e38"),
        ("date", '"2024-01-01T10:00:00+19:00"'), ("date", '"\\u0662\\u0660\\u0662\\u0664-01-01"'),
        ("date", '"2024-01-01T24:00:00"'), ("ip", '"1.2.3"'), ("boolean", '"TRUE"'),
    ],
)  # fmt: skip
def test_value_that_its_type_cannot_hold_is_refused(store: Store, kind: str, value: str) -> None:
    index = store.index({"x": {"type": kind}})

    assert put(store, index, value) == 400


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("integer", '" 7 "', 7), ("long", '"1e3"', 1000), ("double", '"5."', 5.0),
        ("float", "123456789", 123456792.0),
        ("keyword", "1.5", "1.5"), ("keyword", "true", "true"),
        ("date", '"2024-01-01T10:00:00+18:00"', 1704038400000),
    ],
)  # fmt: skip
def test_value_is_read_as_it_is_spelled(store: Store, kind: str, value: str, shown: object) -> None:
    index = store.index({"x": {"type": kind}})

    assert put(store, index, value) == 201
    (hit,) = store.ok("POST", f"/{index}/_search", {"sort": ["x"]})["hits"]["hits"]
    assert hit["sort"] == [shown]


def test_length_of_a_keyword_counts_characters_beyond_16_bits_twice(store: Store) -> None:
    index = store.index({"x": {"type": "keyword", "ignore_above": 3}})

    assert put(store, index, '"a\\ud83d\\ude00b"') == 201
    assert store.ids(index, {"query": {"exists": {"field": "x"}}}) == []
    assert put(store, index, '"a\\ud83d\\ude00"') == 200
    assert store.ids(index, {"query": {"exists": {"field": "x"}}}) == ["1"]


def test_name_that_stands_twice_in_a_search_is_refused(store: Store) -> None:
    index = store.index({"x": {"type": "keyword"}})

    answer = store.call("POST", f"/{index}/_search", b'{"size":1,"size":2}')

    assert answer.status_code == 400


@pytest.mark.parametrize("spelled", ["1.50", "1e3", "-0", "123456789012345678901"])
def test_number_whose_text_matters_is_kept_as_spelled_or_refused(store: Store, spelled: str) -> None:
    index = store.index({"x": {"type": "keyword"}})
    answer = store.call("PUT", f"/{index}/_doc/1?refresh=true", f'{{"x":{spelled}}}'.encode())

    if answer.status_code >= 400:
        assert REFUSAL in answer.text
    else:
        assert store.ids(index, {"query": {"term": {"x": spelled}}}) == ["1"]


@pytest.mark.parametrize("bound", ["bad", "", "2024-01-01T24:00:00"])
def test_range_over_no_dates_whose_bound_is_none_finds_nothing_or_is_refused(
    store: Store, bound: str
) -> None:
    index = store.index({"x": {"type": "date"}})

    answer = store.call("POST", f"/{index}/_search", {"query": {"range": {"x": {"gte": bound}}}})

    if answer.status_code >= 400:
        assert REFUSAL in answer.text
    else:
        assert answer.json()["hits"]["hits"] == []


def test_half_a_surrogate_pair_is_stored_and_never_breaks_an_answer(store: Store) -> None:
    index = store.index({"x": {"type": "keyword"}})

    assert put(store, index, '"\\ud800"') == 201
    answer = store.call("POST", f"/{index}/_search", {"sort": ["x"], "_source": False})

    assert answer.status_code == 200 or REFUSAL in answer.text


@pytest.mark.parametrize(
    "values",
    [
        "[1.5, 1]", "[1, 1.5]", '["a", 1]', '["a", true]', '["2024-01-01", 1]', '["2024-01-01", "a"]',
        '[{"k": 1}, 1]',
    ],
)  # fmt: skip
def test_list_that_would_make_a_new_field_of_two_types_is_refused(store: Store, values: str) -> None:
    index = store.index({"known": {"type": "keyword"}})
    answer = store.call("PUT", f"/{index}/_doc/1", f'{{"new":{values}}}'.encode())

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "illegal_argument_exception"


@pytest.mark.parametrize("values", ["[1, 2]", '["a", null, "b"]', "[true, [false]]", '[{"k": 1}, {"k": 2}]'])
def test_list_of_like_values_makes_a_new_field(store: Store, values: str) -> None:
    index = store.index({"known": {"type": "keyword"}})

    assert store.call("PUT", f"/{index}/_doc/1", f'{{"new":{values}}}'.encode()).status_code == 201
