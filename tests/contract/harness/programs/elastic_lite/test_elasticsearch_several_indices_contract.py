"""Requests over several indices are answered as Elasticsearch answers them, or refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

REFUSAL = "the embedded store does not support"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("_search", {"query": {"term": {"x": "a"}}, "sort": ["n"]}),
        ("_count", {"query": {"term": {"x": "a"}}}),
        ("_search", {"sort": ["only"]}),
        ("_search?scroll=1m", {"sort": ["only"]}),
        ("_search", {"size": 0, "aggs": {"a": {"terms": {"field": "t"}}}}),
    ],
)
def test_request_that_fails_in_one_index_is_answered_from_the_other_or_refused(
    store: Store, path: str, body: Any
) -> None:
    good = store.index(
        {"x": {"type": "keyword"}, "n": {"type": "long"}, "only": {"type": "long"}, "t": {"type": "keyword"}}
    )
    bad = store.index({"x": {"type": "long"}, "n": {"type": "long"}, "t": {"type": "text"}})
    for index in (good, bad):
        store.ok("PUT", f"/{index}/_doc/1?refresh=true", {"n": 1})

    answer = store.call("POST", f"/{good},{bad}/{path}", body)

    if answer.status_code >= 400:
        assert REFUSAL in answer.text
        assert "where others fail" in answer.text
    else:
        assert answer.json()["_shards"]["failed"] == 1


def test_request_that_fails_in_every_index_is_a_400_of_the_first_failure(store: Store) -> None:
    indices = [store.index({"n": {"type": "long"}}) for _ in range(2)]
    for index in indices:
        store.ok("PUT", f"/{index}/_doc/1?refresh=true", {"n": 1})

    answer = store.call("POST", f"/{','.join(indices)}/_search", {"sort": ["nothing"]})

    assert answer.status_code == 400
    assert answer.json()["error"]["root_cause"][0]["reason"] == (
        "No mapping found for [nothing] in order to sort on"
    )


def test_terms_that_no_shard_tells_in_full_have_an_error_or_are_refused(store: Store) -> None:
    indices = [store.index({"n": {"type": "long"}}) for _ in range(2)]
    for index in indices:
        for number in range(3):
            store.ok("PUT", f"/{index}/_doc/{number}?refresh=true", {"n": number})
    terms = {"field": "n", "size": 2, "shard_size": 2}

    answer = store.call("POST", f"/{','.join(indices)}/_search", {"size": 0, "aggs": {"a": {"terms": terms}}})

    if answer.status_code >= 400:
        assert REFUSAL in answer.text
    else:
        assert answer.json()["aggregations"]["a"]["doc_count_error_upper_bound"] > 0
    by_key = {"size": 0, "aggs": {"a": {"terms": {**terms, "order": {"_key": "asc"}}}}}
    found = store.ok("POST", f"/{','.join(indices)}/_search", by_key)["aggregations"]["a"]
    assert [(it["key"], it["doc_count"]) for it in found["buckets"]] == [(0, 2), (1, 2)]


def test_search_after_without_a_value_for_the_tie_break_shows_none(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})
    for number in range(2):
        store.ok("PUT", f"/{index}/_doc/{number}?refresh=true", {"n": number})
    point = store.ok("POST", f"/{index}/_pit?keep_alive=1m")["id"]
    body = {"pit": {"id": point}, "sort": ["n"], "search_after": [0]}

    (hit,) = store.ok("POST", "/_search", body)["hits"]["hits"]

    assert hit["sort"] == [1]
    store.ok("DELETE", "/_pit", {"id": point})


def test_document_with_a_comment_is_taken_or_refused(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})

    answer = store.call("PUT", f"/{index}/_doc/1", b'{"n": 1 /* why */}')

    assert answer.status_code == 201 or REFUSAL in answer.text


def test_no_settings_are_no_change(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})

    answer = store.call("PUT", f"/{index}/_settings", {})

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "action_request_validation_exception"


def test_path_of_an_index_and_a_type_is_a_405(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})

    assert store.call("GET", f"/{index}/_nothing").status_code == 405
    assert store.call("POST", f"/{index}/_nothing", {}).status_code == 400


def test_health_does_not_wait_for_an_index_that_is_excluded(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})

    answer = store.ok("GET", f"/_cluster/health/{index}*,-{index}-nobody?timeout=0s")

    assert answer["timed_out"] is False
