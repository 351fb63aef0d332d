"""Rules of the gate in front of a store, embedded and real: what the client is told, what was committed."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest
import requests

from harness.targets.interceptor_client import ElasticGateClient, Rule
from tests.contract.elasticsearch_fixture import FREE, WAIT_SECONDS_MAX, Store


def gated(store: Store, gate_client: ElasticGateClient) -> Store:
    """The same store through a gate of its own."""
    listen = gate_client.create("gated", FREE, urlsplit(store.url).netloc)
    return Store(f"http://{listen}", suffix=store.suffix, session=store.session)


def lines(*ids: str) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for each in ids:
        made += [{"create": {"_id": each}}, {"n": 1}]
    return made


def test_items_are_mixed_into_the_real_answer(store: Store, gate_client: ElasticGateClient) -> None:
    through = gated(store, gate_client)
    index = store.index()
    store.fill(index, {"a3": {"n": 0}})
    gate_client.put_rule("gated", "mix", Rule("mixed_items", {"share_429": 0.5}, seed=3))
    ids = [f"a{number}" for number in range(12)]
    items = through.items(f"/{index}", lines(*ids), "?refresh=true")
    statuses = {item["_id"]: item["status"] for item in items}
    refused = {each for each, status in statuses.items() if status == 429}
    conflicts = {each for each, status in statuses.items() if status == 409}

    assert list(statuses) == ids
    assert 0 < len(refused) < 12
    assert conflicts == {"a3"} - refused
    assert set(store.ids(index, {"size": 100})) == (set(ids) - refused) | {"a3"}
    assert gate_client.counters("gated", "mix")["items_429"] == len(refused)


@pytest.mark.parametrize("at", ["before", "middle"])
def test_cut_answer_leaves_the_store_committed_and_the_client_without_it(
    store: Store, gate_client: ElasticGateClient, at: str
) -> None:
    through = gated(store, gate_client)
    index = store.index()
    gate_client.put_rule("gated", "cut", Rule("cut_answer", {"at": at}))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        through.bulk(f"/{index}", lines("a", "b"), "?refresh=true")
    gate_client.remove_rule("gated", "cut")

    assert store.count(index) == 2
    assert through.items(f"/{index}", lines("a"))[0]["status"] == 409


def test_lie_leaves_the_store_without_the_documents(store: Store, gate_client: ElasticGateClient) -> None:
    through = gated(store, gate_client)
    index = store.index()
    gate_client.put_rule("gated", "lie", Rule("lie", {"lie": "html"}))
    answer = through.bulk(f"/{index}", lines("a"), "?refresh=true")
    store.call("POST", f"/{index}/_refresh")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert store.count(index) == 0


def test_rules_spare_other_paths_and_end_when_removed(store: Store, gate_client: ElasticGateClient) -> None:
    through = gated(store, gate_client)
    index = store.index()
    gate_client.put_rule("gated", "storm", Rule("refuse", {"status": 429, "retry_after_seconds": 2}))
    refused = through.bulk(f"/{index}", lines("a"))
    spared = through.call("GET", "/_cluster/health")
    gate_client.remove_rule("gated", "storm")
    passed = through.items(f"/{index}", lines("a"))

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert spared.status_code == 200
    assert passed[0]["status"] == 201


def test_slow_rule_holds_answers_back(store: Store, gate_client: ElasticGateClient) -> None:
    through = gated(store, gate_client)
    gate_client.put_rule("gated", "slow", Rule("slow", {"delay_ms": 150.0}))
    started = time.monotonic()
    answer = through.call("GET", "/_cluster/health")

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.15


def test_expectation_of_a_bent_request_is_met_by_the_gate(
    store: Store, gate_client: ElasticGateClient
) -> None:
    through = gated(store, gate_client)
    gate_client.put_rule("gated", "cap", Rule("body_limit", {"bytes_max": 10}))
    connection = http.client.HTTPConnection(urlsplit(through.url).netloc, timeout=WAIT_SECONDS_MAX)
    connection.request("POST", "/_bulk", body=b"x" * 100, headers={"Expect": "100-continue"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()

    assert (answer.status, content) == (413, b"")
