"""What blocks on indices and on the cluster stop in elastic_lite and in the real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.elasticsearch_fixture import Store

BLOCKED = "cluster_block_exception"
FLOOD_STAGE = (
    "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block; "
    "for more information, see "
    "https://www.elastic.co/guide/en/elasticsearch/reference/8.19/fix-watermark-errors.html"
)
WORDS = {
    "write": "FORBIDDEN/8/index write (api)",
    "read_only": "FORBIDDEN/5/index read-only (api)",
    "read_only_allow_delete": FLOOD_STAGE,
    "metadata": "FORBIDDEN/9/index metadata (api)",
    "read": "FORBIDDEN/7/index read (api)",
}
CLUSTER_WORDS = {
    "read_only": "FORBIDDEN/6/cluster read-only (api)",
    "read_only_allow_delete": "FORBIDDEN/13/cluster read-only / allow delete (api)",
}
STATUS = {"read_only_allow_delete": 429}
WRITES = [{"index": {"_id": "2"}}, {"n": 2}, {"create": {}}, {"n": 3}, {"delete": {"_id": "1"}}]
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "put document": ("PUT", "/{}/_doc/3", {"n": 3}),
    "delete document": ("DELETE", "/{}/_doc/1", None),
    "get document": ("GET", "/{}/_doc/1", None),
    "get source": ("GET", "/{}/_source/1", None),
    "search": ("POST", "/{}*/_search", {}),
    "count": ("GET", "/{}/_count", None),
    "open point": ("POST", "/{}/_pit?keep_alive=1m", None),
    "get settings": ("GET", "/{}/_settings", None),
    "get mapping": ("GET", "/{}/_mapping", None),
    "get index": ("GET", "/{}", None),
    "list": ("GET", "/_cat/indices/{}?format=json", None),
    "put mapping": ("PUT", "/{}/_mapping", {"properties": {"z": {"type": "long"}}}),
    "put settings": ("PUT", "/{}/_settings", {"index.refresh_interval": "5s"}),
    "refresh": ("POST", "/{}/_refresh", None),
    "health": ("GET", "/_cluster/health/{}", None),
    "delete index": ("DELETE", "/{}", None),
}
DOCUMENT_WRITES = {"put document", "delete document"}
METADATA_WRITES = {"put mapping", "put settings", "delete index"}
STOPPED = {
    "write": DOCUMENT_WRITES,
    "read_only": DOCUMENT_WRITES | METADATA_WRITES,
    "read_only_allow_delete": DOCUMENT_WRITES,
    "metadata": METADATA_WRITES | {"get settings", "get mapping", "get index", "list"},
    "read": {"get document", "get source", "search", "count", "open point"},
}


@pytest.fixture
def index(store: Store) -> str:
    name = store.index({"n": {"type": "long"}})
    store.fill(name, {"1": {"n": 1}})
    return name


@pytest.fixture
def cluster(store: Store) -> Iterator[Store]:
    """A store whose cluster is unblocked again whatever happens."""
    yield store
    lifted = dict.fromkeys((f"cluster.blocks.{name}" for name in CLUSTER_WORDS), None)
    store.ok("PUT", "/_cluster/settings", {"persistent": lifted, "transient": lifted})


@pytest.fixture
def unblocked(store: Store) -> Iterator[list[str]]:
    """Names of indices and streams whose blocks are lifted at the end, so that they can be deleted."""
    names: list[str] = []
    yield names
    for name in names:
        for block in WORDS:
            store.call("PUT", f"/{name}/_settings", {f"index.blocks.{block}": None})


def block(store: Store, index: str, name: str, value: Any = True) -> None:
    """Change one block of an index."""
    store.ok("PUT", f"/{index}/_settings", {f"index.blocks.{name}": value})


def reason(store: Store, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and reason of a request that a block stops."""
    answer = store.call(method, path, body)
    error = answer.json()["error"]
    assert error["type"] == error["root_cause"][0]["type"] == BLOCKED
    return answer.status_code, error["reason"]


# Blocks on an index.


@pytest.mark.parametrize("name", WORDS)
def test_block_stops_what_it_is_for_and_nothing_else(
    store: Store, index: str, unblocked: list[str], name: str
) -> None:
    unblocked.append(index)
    block(store, index, name)
    stopped = set()
    for what, (method, path, body) in REQUESTS.items():
        answer = store.call(method, path.format(index), body)
        if answer.status_code in (403, 429):
            stopped.add(what)
            error = answer.json()["error"]
            assert answer.status_code == STATUS.get(name, 403)
            assert error["type"] == BLOCKED
            assert error["reason"] == f"index [{index}] blocked by: [{WORDS[name]}];"

    assert stopped == STOPPED[name]


@pytest.mark.parametrize("name", ["write", "read_only", "read_only_allow_delete"])
def test_bulk_tells_a_block_item_by_item(store: Store, index: str, unblocked: list[str], name: str) -> None:
    unblocked.append(index)
    other = store.index()
    block(store, index, name)
    lines = [*WRITES, {"index": {"_index": other, "_id": "1"}}, {"n": 1}, {"index": {"_id": "9"}}, b"{bad"]
    items = store.items(f"/{index}", lines)

    expected = {"type": BLOCKED, "reason": f"index [{index}] blocked by: [{WORDS[name]}];"}
    assert [item["status"] for item in items] == [STATUS.get(name, 403)] * 3 + [201, STATUS.get(name, 403)]
    assert [item.get("error") for item in items] == [expected] * 3 + [None, expected]
    assert [item["_index"] for item in items] == [index] * 3 + [other, index]
    assert items[1]["_id"]


@pytest.mark.parametrize("name", ["read", "metadata"])
def test_bulk_passes_a_block_that_is_not_for_writes(
    store: Store, index: str, unblocked: list[str], name: str
) -> None:
    unblocked.append(index)
    block(store, index, name)

    assert [item["status"] for item in store.items(f"/{index}", WRITES)] == [201, 201, 200]


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("value", [None, False, "false"])
def test_block_is_lifted_by_its_own_setting(store: Store, index: str, name: str, value: Any) -> None:
    block(store, index, name)
    block(store, index, name, value)
    shown = store.ok("GET", f"/{index}/_settings/index.blocks*?flat_settings=true")

    assert shown == ({} if value is None else {index: {"settings": {f"index.blocks.{name}": "false"}}})
    assert store.call("PUT", f"/{index}/_doc/3", {"n": 3}).status_code == 201
    assert store.ids(index, {}) == ["1"]


def test_other_settings_may_change_beside_the_read_only_block_only(
    store: Store, index: str, unblocked: list[str]
) -> None:
    unblocked.append(index)
    both = {"index.refresh_interval": "5s", "index.blocks.read_only": True}
    block(store, index, "read_only")
    store.ok("PUT", f"/{index}/_settings", both)
    block(store, index, "read_only", None)
    block(store, index, "metadata")

    refused = (403, f"index [{index}] blocked by: [{WORDS['metadata']}];")
    both = {"index.refresh_interval": "5s", "index.blocks.metadata": None}
    assert reason(store, "PUT", f"/{index}/_settings", both) == refused


def test_two_blocks_are_told_together(store: Store, index: str, unblocked: list[str]) -> None:
    unblocked.append(index)
    block(store, index, "read_only_allow_delete")
    block(store, index, "write")
    status, told = reason(store, "PUT", f"/{index}/_doc/3", {"n": 3})

    assert status == 403
    assert WORDS["write"] in told
    assert FLOOD_STAGE in told


def test_search_over_a_blocked_and_an_open_index_is_stopped(
    store: Store, index: str, unblocked: list[str]
) -> None:
    unblocked.append(index)
    other = store.index()
    store.fill(other, {"1": {"n": 1}})
    block(store, index, "read")
    wanted = [{"_index": index, "_id": "1"}, {"_index": other, "_id": "1"}]
    first, second = store.ok("POST", "/_mget", {"docs": wanted})["docs"]

    told = f"index [{index}] blocked by: [{WORDS['read']}];"
    assert reason(store, "POST", f"/{index},{other}/_search", {}) == (403, told)
    assert (first["error"]["type"], first["error"]["reason"]) == (BLOCKED, told)
    assert second["found"] is True


def test_open_point_in_time_is_read_through_a_block(store: Store, index: str, unblocked: list[str]) -> None:
    unblocked.append(index)
    point = store.point(index)
    block(store, index, "read")

    assert len(store.ok("POST", "/_search", {"pit": {"id": point}})["hits"]["hits"]) == 1


def test_index_is_made_with_a_block(store: Store, unblocked: list[str]) -> None:
    name = store.index({}, **{"blocks.write": True})
    unblocked.append(name)

    assert reason(store, "PUT", f"/{name}/_doc/1", {})[0] == 403


@pytest.mark.parametrize(
    "settings", [{"index.blocks.write": "maybe"}, {"index.blocks.write": 1}, {"index.blocks.colour": True}]
)
def test_block_without_meaning_is_refused(store: Store, index: str, settings: Any) -> None:
    assert store.refused("PUT", f"/{index}/_settings", settings) == (400, "illegal_argument_exception")


# The API that puts a block on an index.


@pytest.mark.parametrize("name", ["write", "read", "read_only", "metadata"])
def test_block_is_put_on_by_name(store: Store, index: str, unblocked: list[str], name: str) -> None:
    unblocked.append(index)
    first = store.ok("PUT", f"/{index}/_block/{name}")

    named = [{"name": index, "blocked": True}]
    assert first == {"acknowledged": True, "shards_acknowledged": True, "indices": named}


def test_block_put_on_again_is_told_by_an_empty_list(store: Store, index: str, unblocked: list[str]) -> None:
    unblocked.append(index)
    store.ok("PUT", f"/{index}/_block/write")
    again = store.ok("PUT", f"/{index}/_block/write")

    assert again == {"acknowledged": True, "shards_acknowledged": False, "indices": []}


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/{}/_block/colour", (400, "illegal_argument_exception")),
        ("/{}/_block/read_only_allow_delete", (400, "action_request_validation_exception")),
        ("/{}-none/_block/write", (404, "index_not_found_exception")),
        ("/{}*/_block/write", (400, "illegal_argument_exception")),
        ("/_all/_block/write", (400, "illegal_argument_exception")),
    ],
)  # fmt: skip
def test_block_on_nothing_is_refused(store: Store, index: str, path: str, refusal: Any) -> None:
    assert store.refused("PUT", path.format(index)) == refusal
    assert store.call("DELETE", f"/{index}/_block/write").status_code == 405


def test_block_of_a_data_stream_is_not_put_on_by_name(store: Store) -> None:
    stream = store.stream()
    store.items(f"/{stream}", [{"create": {}}, {"@timestamp": 1}])

    assert store.refused("PUT", f"/{stream}/_block/write") == (404, "index_not_found_exception")


# Blocks on the backing indices of a data stream.


@pytest.mark.parametrize("name", ["write", "read_only_allow_delete"])
def test_blocked_data_stream_takes_writes_again_after_a_rollover(
    store: Store, unblocked: list[str], name: str
) -> None:
    stream = store.stream()
    unblocked.append(stream)
    (first,) = store.items(f"/{stream}", [{"create": {"_id": "1"}}, {"@timestamp": 1}])
    block(store, stream, name)
    (item,) = store.items(f"/{stream}", [{"create": {"_id": "2"}}, {"@timestamp": 1}])
    single = reason(store, "POST", f"/{stream}/_doc", {"@timestamp": 1})
    rolled = store.ok("POST", f"/{stream}/_rollover")
    (after,) = store.items(f"/{stream}", [{"create": {"_id": "2"}}, {"@timestamp": 1}])

    told = f"index [{first['_index']}] blocked by: [{WORDS[name]}];"
    assert (item["_index"], item["status"], item["error"]["reason"]) == (stream, STATUS.get(name, 403), told)
    assert single == (STATUS.get(name, 403), told)
    assert (after["status"], after["_index"]) == (201, rolled["new_index"])


@pytest.mark.parametrize("name", ["read_only", "metadata"])
@pytest.mark.parametrize("parameters", ["", "?dry_run"])
def test_data_stream_whose_metadata_is_blocked_is_not_rolled_over(
    store: Store, unblocked: list[str], name: str, parameters: str
) -> None:
    stream = store.stream()
    unblocked.append(stream)
    (first,) = store.items(f"/{stream}", [{"create": {"_id": "1"}}, {"@timestamp": 1}])
    block(store, stream, name)

    told = f"index [{first['_index']}] blocked by: [{WORDS[name]}];"
    assert reason(store, "POST", f"/{stream}/_rollover{parameters}") == (403, told)


# Blocks on the cluster.


@pytest.mark.parametrize("scope", ["persistent", "transient"])
@pytest.mark.parametrize("name", CLUSTER_WORDS)
def test_blocked_cluster_refuses_whole_requests(cluster: Store, index: str, name: str, scope: str) -> None:
    cluster.ok("PUT", "/_cluster/settings", {scope: {f"cluster.blocks.{name}": True}})
    made = cluster.name()
    bulk = cluster.bulk(f"/{index}", WRITES)
    found = {
        what: reason(cluster, method, path.format(index), body)
        for what, (method, path, body) in REQUESTS.items()
        if what in DOCUMENT_WRITES | METADATA_WRITES - {"delete index"}
    }
    found["new document"] = reason(cluster, "PUT", f"/{made}/_doc/1", {})
    found["template"] = reason(cluster, "PUT", f"/_index_template/{made}", {"index_patterns": [made]})
    found["component"] = reason(cluster, "PUT", f"/_component_template/{made}", {"template": {}})
    setting = {"persistent": {"action.auto_create_index": "true"}}
    found["cluster settings"] = reason(cluster, "PUT", "/_cluster/settings", setting)
    found["block"] = reason(cluster, "PUT", f"/{index}/_block/write")
    found["create"] = reason(cluster, "PUT", f"/{made}", {})

    words = f"blocked by: [{CLUSTER_WORDS[name]}];"
    where = {"put mapping": index, "block": index, "create": made}
    assert (bulk.status_code, bulk.json()["error"]["reason"]) == (403, words)
    assert found == {
        what: (403, f"index [{where[what]}] {words}" if what in where else words) for what in found
    }


@pytest.mark.parametrize("name", CLUSTER_WORDS)
def test_blocked_cluster_is_still_read(cluster: Store, index: str, name: str) -> None:
    cluster.ok("PUT", "/_cluster/settings", {"persistent": {f"cluster.blocks.{name}": True}})

    for what in REQUESTS.keys() - DOCUMENT_WRITES - METADATA_WRITES:
        method, path, body = REQUESTS[what]
        cluster.ok(method, path.format(index), body)


def test_blocked_cluster_lets_an_index_go_where_the_block_says_so(cluster: Store, index: str) -> None:
    cluster.ok("PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}})
    kept = reason(cluster, "DELETE", f"/{index}")
    changed = {"cluster.blocks.read_only": None}
    cluster.ok("PUT", "/_cluster/settings", {"persistent": changed})
    cluster.ok("PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only_allow_delete": True}})
    gone = cluster.call("DELETE", f"/{index}")

    assert kept == (403, f"index [{index}] blocked by: [{CLUSTER_WORDS['read_only']}];")
    assert gone.status_code == 200


def test_cluster_block_is_lifted_by_a_request_that_does_nothing_else(cluster: Store, index: str) -> None:
    key = "cluster.blocks.read_only"
    cluster.ok("PUT", "/_cluster/settings", {"persistent": {key: True}})
    again = reason(cluster, "PUT", "/_cluster/settings", {"persistent": {key: True}})
    mixed = reason(
        cluster, "PUT", "/_cluster/settings", {"persistent": {key: None, "action.auto_create_index": None}}
    )
    lifted = cluster.ok("PUT", "/_cluster/settings", {"persistent": {key: False}})

    told = (403, f"blocked by: [{CLUSTER_WORDS['read_only']}];")
    assert (again, mixed) == (told, told)
    assert lifted["persistent"] == {"cluster": {"blocks": {"read_only": "false"}}}
    assert cluster.call("PUT", f"/{index}/_doc/3", {"n": 3}).status_code == 201


@pytest.mark.parametrize("setting", [{"cluster.blocks.read_only": "maybe"}, {"cluster.blocks.colour": True}])
def test_cluster_block_without_meaning_is_refused(cluster: Store, setting: Any) -> None:
    body = {"persistent": setting}

    assert cluster.refused("PUT", "/_cluster/settings", body) == (400, "illegal_argument_exception")
