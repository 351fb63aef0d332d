"""Stores that the cache works on, behind one face: the simulated one, the embedded one, Elasticsearch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from logging_system.analytics.cache.snapshot_store import ElasticsearchSnapshots, SnapshotStore
from logging_system.analytics.store_queries import ElasticsearchQueries
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from tests.contract.elasticsearch_fixture import REQUEST_SECONDS_MAX, Store
from tests.simulation.cache.store import SimulatedStore

PROPERTIES = {
    "@timestamp": {"type": "date"},
    "level": {"type": "keyword"},
    "took": {"type": "long"},
    "ratio": {"type": "double"},
}


class OverHttp:
    """An index of Elasticsearch, or of what speaks like it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.target = store.index(PROPERTIES)
        self.snapshots: SnapshotStore = snapshots_at(store.url)

    def write(self, key: str, record: Mapping[str, Any]) -> None:
        self.store.ok("PUT", f"/{self.target}/_doc/{key}", dict(record))

    def delete(self, key: str) -> None:
        self.store.ok("DELETE", f"/{self.target}/_doc/{key}")

    def refresh(self) -> None:
        self.store.ok("POST", f"/{self.target}/_refresh")

    def make_again(self) -> None:
        self.store.ok("DELETE", f"/{self.target}")
        settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
        self.store.ok(
            "PUT", f"/{self.target}", {"settings": settings, "mappings": {"properties": PROPERTIES}}
        )


class InMemory:
    """An index of the simulated store."""

    def __init__(self) -> None:
        self.simulated = SimulatedStore()
        self.target = "docs"
        self.snapshots: SnapshotStore = self.simulated
        self.make_again()

    def write(self, key: str, record: Mapping[str, Any]) -> None:
        self.shard.write(key, dict(record))

    def delete(self, key: str) -> None:
        self.shard.delete(key)

    def refresh(self) -> None:
        self.shard.refresh()

    def make_again(self) -> None:
        (self.shard,) = self.simulated.create(self.target).shards


Written = InMemory | OverHttp
"""A store and one index in it, which a test writes to behind the cache's back."""


def snapshots_at(url: str, preference: str = "contract") -> ElasticsearchSnapshots:
    """The store at an address."""
    session = requests.Session()

    def ask(method: str, path: str, body: bytes, kind: str) -> HttpAnswer | NoAnswer:
        try:
            answer = session.request(
                method,
                url + path,
                data=body or None,
                headers={"Content-Type": kind},
                timeout=REQUEST_SECONDS_MAX,
            )
        except requests.RequestException as error:
            return NoAnswer(str(error))
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status_code, headers, answer.content)

    queries = ElasticsearchQueries(ask, preference=preference)
    return ElasticsearchSnapshots(queries, preference=preference)
