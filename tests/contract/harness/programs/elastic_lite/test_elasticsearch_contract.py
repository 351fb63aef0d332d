"""What elastic_lite and the real Elasticsearch both do with indices, templates and the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

STAMP = "2024-01-01T00:00:00Z"

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


def test_template_name_that_starts_like_an_interface_is_refused(store: Store) -> None:
    body = {"index_patterns": ["nobody-*"]}

    assert store.refused("PUT", "/_index_template/_none", body) == (400, "invalid_index_template_exception")


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
