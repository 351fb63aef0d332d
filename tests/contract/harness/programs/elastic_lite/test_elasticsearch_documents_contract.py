"""What elastic_lite and the real Elasticsearch both do with streams, documents and refreshes."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import Elasticsearch, helpers

from tests.contract.elasticsearch_fixture import JSON, Store, eventually

STAMP = "2024-01-01T00:00:00Z"

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
