"""Rules in front of a store, embedded and real: what the client is told, what was committed."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest
import requests

from harness.targets.interceptor_client import InterceptorClient, Rule
from tests.contract.elasticsearch_fixture import FREE, WAIT_SECONDS_MAX, Store


def intercepted(store: Store, interceptor_client: InterceptorClient) -> Store:
    """The same store through an interceptor of its own."""
    listen = interceptor_client.create("intercepted", FREE, urlsplit(store.url).netloc)
    return Store(f"http://{listen}", suffix=store.suffix, session=store.session)


def lines(*ids: str) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for each in ids:
        made += [{"create": {"_id": each}}, {"n": 1}]
    return made


def test_items_are_mixed_into_the_real_answer(store: Store, interceptor_client: InterceptorClient) -> None:
    through = intercepted(store, interceptor_client)
    index = store.index()
    store.fill(index, {"a3": {"n": 0}})
    interceptor_client.put_rule("intercepted", "mix", Rule("items_refused", {"share_429": 0.5}, seed=3))
    ids = [f"a{number}" for number in range(12)]
    items = through.items(f"/{index}", lines(*ids), "?refresh=true")
    statuses = {item["_id"]: item["status"] for item in items}
    refused = {each for each, status in statuses.items() if status == 429}
    conflicts = {each for each, status in statuses.items() if status == 409}

    assert list(statuses) == ids
    assert 0 < len(refused) < 12
    assert conflicts == {"a3"} - refused
    assert set(store.ids(index, {"size": 100})) == (set(ids) - refused) | {"a3"}
    assert interceptor_client.counters("intercepted", "mix")["items_429"] == len(refused)


@pytest.mark.parametrize("at", ["before", "middle"])
def test_cut_answer_leaves_the_store_committed_and_the_client_without_it(
    store: Store, interceptor_client: InterceptorClient, at: str
) -> None:
    through = intercepted(store, interceptor_client)
    index = store.index()
    interceptor_client.put_rule("intercepted", "cut", Rule("answer_cut", {"at": at}))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        through.bulk(f"/{index}", lines("a", "b"), "?refresh=true")
    interceptor_client.remove_rule("intercepted", "cut")

    assert store.count(index) == 2
    assert through.items(f"/{index}", lines("a"))[0]["status"] == 409


def test_lie_leaves_the_store_without_the_documents(
    store: Store, interceptor_client: InterceptorClient
) -> None:
    through = intercepted(store, interceptor_client)
    index = store.index()
    interceptor_client.put_rule("intercepted", "lie", Rule("lying_answers", {"lie": "html"}))
    answer = through.bulk(f"/{index}", lines("a"), "?refresh=true")
    store.call("POST", f"/{index}/_refresh")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert store.count(index) == 0


def test_rules_spare_other_paths_and_end_when_removed(
    store: Store, interceptor_client: InterceptorClient
) -> None:
    through = intercepted(store, interceptor_client)
    index = store.index()
    interceptor_client.put_rule(
        "intercepted", "storm", Rule("requests_refused", {"status": 429, "retry_after_seconds": 2})
    )
    refused = through.bulk(f"/{index}", lines("a"))
    spared = through.call("GET", "/_cluster/health")
    interceptor_client.remove_rule("intercepted", "storm")
    passed = through.items(f"/{index}", lines("a"))

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert spared.status_code == 200
    assert passed[0]["status"] == 201


def test_slow_rule_holds_answers_back(store: Store, interceptor_client: InterceptorClient) -> None:
    through = intercepted(store, interceptor_client)
    interceptor_client.put_rule("intercepted", "slow", Rule("slow_answers", {"delay_ms": 150.0}))
    started = time.monotonic()
    answer = through.call("GET", "/_cluster/health")

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.15


def test_expectation_of_a_bent_request_is_met_by_the_interceptor(
    store: Store, interceptor_client: InterceptorClient
) -> None:
    through = intercepted(store, interceptor_client)
    interceptor_client.put_rule("intercepted", "cap", Rule("body_limited", {"bytes_max": 10}))
    connection = http.client.HTTPConnection(urlsplit(through.url).netloc, timeout=WAIT_SECONDS_MAX)
    connection.request("POST", "/_bulk", body=b"x" * 100, headers={"Expect": "100-continue"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()

    assert (answer.status, content) == (413, b"")
