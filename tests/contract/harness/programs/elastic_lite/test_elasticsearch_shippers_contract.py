"""What shippers and clients ask of a store before and beside their work: both stores give a useful answer."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan

from tests.contract.elasticsearch_fixture import Store

REFUSAL = "the embedded store does not support"
# As Filebeat's and Logstash's templates of ECS fields declare them, shortened.
TEMPLATE: dict[str, Any] = {
    "settings": {
        "index": {
            "codec": "best_compression",
            "refresh_interval": "5s",
            "mapping": {"total_fields": {"limit": 2000}},
            "query": {"default_field": ["message"]},
            "number_of_replicas": 0,
        }
    },
    "mappings": {
        "date_detection": False,
        "dynamic_templates": [
            {
                "labels": {
                    "path_match": "labels.*",
                    "match_mapping_type": "string",
                    "mapping": {"type": "keyword"},
                }
            },
            {
                "strings": {
                    "match_mapping_type": "string",
                    "mapping": {"type": "keyword", "ignore_above": 1024},
                }
            },
        ],
        "properties": {
            "@timestamp": {"type": "date"},
            "message": {"type": "text", "norms": False},
            "source.ip": {"type": "ip"},
            "geo.location": {"type": "geo_point"},
            "log": {"properties": {"level": {"type": "keyword", "ignore_above": 1024}}},
            "level": {"type": "alias", "path": "log.level"},
            "process": {"type": "nested", "properties": {"pid": {"type": "long"}}},
        },
    },
}


def test_every_hit_of_a_scan_comes_once(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})
    store.fill(index, {str(number): {"n": number} for number in range(25)})
    client = Elasticsearch(store.url)
    found = [hit["_id"] for hit in scan(client, index=index, query={"query": {"match_all": {}}}, size=4)]
    ordered = [
        hit["_source"]["n"]
        for hit in scan(client, index=index, query={"sort": [{"n": "desc"}]}, size=7, preserve_order=True)
    ]
    client.close()

    assert sorted(found, key=int) == [str(number) for number in range(25)]
    assert ordered == list(range(24, -1, -1))


def test_scroll_stands_still_while_the_index_changes_and_ends_when_closed(store: Store) -> None:
    index = store.index({"n": {"type": "long"}})
    store.fill(index, {str(number): {"n": number} for number in range(5)})
    first = store.ok("POST", f"/{index}/_search?scroll=1m", {"size": 2, "sort": ["n"]})
    store.ok("DELETE", f"/{index}/_doc/3?refresh=true")
    asked = {"scroll": "1m", "scroll_id": first["_scroll_id"]}
    pages = [store.ok("POST", "/_search/scroll", asked)["hits"] for _ in range(3)]
    closed = store.ok("DELETE", "/_search/scroll", {"scroll_id": first["_scroll_id"]})
    again = store.call("POST", "/_search/scroll", asked)

    assert [hit["_id"] for hit in first["hits"]["hits"]] == ["0", "1"]
    assert [[hit["_id"] for hit in page["hits"]] for page in pages] == [["2", "3"], ["4"], []]
    assert {page["total"]["value"] for page in pages} == {5}
    assert closed == {"succeeded": True, "num_freed": 1}
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("parameters", "body"),
    [("?scroll=1m", {"size": 0}), ("?scroll=1m&from=1", {}), ("?scroll=1m", {"track_total_hits": False})],
)
def test_scroll_that_makes_no_sense_is_refused(store: Store, parameters: str, body: Any) -> None:
    answer = store.refused("POST", f"/{store.index()}/_search{parameters}", body)

    assert answer == (400, "action_request_validation_exception")


def test_licence_is_active(store: Store) -> None:
    licence = store.ok("GET", "/_license?human=false")["license"]

    assert (licence["status"], licence["type"]) == ("active", "basic")


def test_node_tells_where_it_is_reached(store: Store) -> None:
    for path in ("/_nodes/http", "/_nodes/_all/http", "/_nodes/_local/http"):
        (node,) = store.ok("GET", path)["nodes"].values()

        assert node["http"]["publish_address"].count(":") == 1


@pytest.mark.parametrize(
    "parameters",
    ["wait_for_nodes=1", "wait_for_nodes=>=1", "wait_for_active_shards=0", "wait_for_events=languid"],
)
def test_health_waits_for_what_is_there(store: Store, parameters: str) -> None:
    assert store.ok("GET", f"/_cluster/health?{parameters}&timeout=5s")["timed_out"] is False


def test_health_tells_that_what_was_waited_for_did_not_come(store: Store) -> None:
    answer = store.call("GET", "/_cluster/health?wait_for_nodes=3&timeout=50ms")

    assert (answer.status_code, answer.json()["timed_out"]) == (408, True)


def test_template_of_a_shipper_maps_what_it_sends(store: Store) -> None:
    name = store.name("shipped")
    template = {"index_patterns": [name], "priority": 700, "template": TEMPLATE}
    store.ok("PUT", f"/_index_template/{name}", template)
    document = {
        "@timestamp": "2024-01-01T00:00:00Z", "message": "disk full", "source": {"ip": "10.0.0.7"},
        "log.level": "error", "labels": {"env": "prod"}, "agent": "2024-01-01", "process": [{"pid": 1}],
    }  # fmt: skip
    store.fill(name, {"1": document})
    queries = [
        {"term": {"source.ip": "10.0.0.0/24"}}, {"term": {"level": "error"}},
        {"term": {"labels.env": "prod"}},
        {"term": {"agent": "2024-01-01"}}, {"range": {"@timestamp": {"lte": "2024-01-01||/d"}}},
    ]  # fmt: skip

    assert [store.ids(name, {"query": query}) for query in queries] == [["1"]] * len(queries)


def test_embedded_store_refuses_by_name_what_it_does_not_do(elastic_lite_url: str) -> None:
    store = Store(elastic_lite_url)
    index = store.index({"d": {"type": "date"}, "t": {"type": "text"}})
    asked: list[tuple[str, str, Any, str]] = [
        (
            "POST",
            f"/{index}/_search",
            {"query": {"range": {"d": {"gte": 1, "time_zone": "+01:00"}}}},
            "time_zone",
        ),
        ("POST", f"/{index}/_search", {"min_score": 1}, "min_score"),
        ("POST", f"/{index}/_search", {"stored_fields": ["d"]}, "stored_fields"),
        ("POST", f"/{index}/_search?routing=a", {}, "routing"),
        ("PUT", f"/{index}/_doc/1?routing=a", {}, "routing"),
        ("PUT", f"/{index}/_mapping", {"runtime": {"x": {"type": "long"}}}, "runtime"),
        (
            "PUT",
            f"/{index}/_mapping",
            {"properties": {"x": {"type": "keyword", "normalizer": "y"}}},
            "normalizer",
        ),
        ("GET", "/_alias", None, "_alias"),
        ("POST", "/_reindex", {}, "_reindex"),
    ]
    answers = [(store.call(method, path, body), word) for method, path, body, word in asked]
    store.close()

    for answer, word in answers:
        reason = answer.json()["error"]["root_cause"][0]["reason"]
        assert answer.status_code == 400
        assert reason.startswith(REFUSAL)
        assert word in reason
        assert reason.endswith("; use --backend local")


def test_form_that_only_elasticsearch_speaks_is_refused(elastic_lite_url: str) -> None:
    store = Store(elastic_lite_url)
    answers = [
        store.call("GET", "/_cluster/health", None, Accept="application/yaml"),
        store.call("POST", "/_search", b"--- {}", "application/yaml"),
        store.call("GET", "/_cluster/health?format=yaml"),
    ]
    store.close()

    assert [answer.status_code for answer in answers] == [400] * 3
    assert all(REFUSAL in answer.text for answer in answers)
