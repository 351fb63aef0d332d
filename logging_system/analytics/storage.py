"""What each namespace costs: documents, bytes on disk, indices, and how long they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from logging_system.analytics.answers import Partial
from logging_system.analytics.reach import Reach
from logging_system.analytics.store_queries import QueryRefusedError
from logging_system.records.namespaces import namespace_of_stream, stream_of_index

_SAFE = ",*-"


class StoreFacts(Protocol):
    """Asks a store what is no search; `ElasticsearchQueries` fits it."""

    def asked(self, method: str, path: str) -> Mapping[str, Any]:
        """Return the JSON object that a request is answered with.

        Args:
            method: Of HTTP, such as `GET`.
            path: Of the request, quoted already, with its query.

        Raises:
            StoreQueryError: There is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class NamespaceStorage:
    """What one namespace costs.

    Attributes:
        namespace: Its name.
        documents: How many the store holds, each once however many copies there are.
        stored_bytes: On the store's disks, copies included.
        indices: Backing indices.
        streams: Data streams.
        retention: How long the store keeps them, such as `30d`; empty where nothing limits that, every value,
            separated by commas, where its streams differ; None where the store does not say.
    """

    namespace: str
    documents: int
    stored_bytes: int
    indices: int
    streams: int
    retention: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """What namespaces cost, the largest first.

    Attributes:
        namespaces: Each of them.
        partial: Why that is only a part; None where it is all.
    """

    namespaces: tuple[NamespaceStorage, ...]
    partial: Partial | None


def storage(facts: StoreFacts, reach: Reach) -> Storage:
    """Ask what namespaces cost.

    Args:
        facts: Asks the store.
        reach: The data streams.

    Returns:
        The namespaces, those that take the most first, and what the answer lacks.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store told of an index that was not asked for.
    """
    found: dict[str, NamespaceStorage] = {}
    failed = total = 0
    for target in reach.target.split(","):
        answer = _asked_if_there(facts, f"/{quote(target, safe=_SAFE)}/_stats/docs,store")
        shards = answer.get("_shards", {})
        failed += int(shards.get("failed", 0))
        total += int(shards.get("total", 0))
        retentions = _retentions(facts, target) if answer.get("indices") else {}
        _add(found, answer, retentions, reach)
    partial = Partial(False, failed, total) if failed else None
    ordered = sorted(found.values(), key=lambda each: (-each.stored_bytes, each.namespace))
    return Storage(tuple(ordered), partial)


def _add(
    found: dict[str, NamespaceStorage],
    answer: Mapping[str, Any],
    retentions: Mapping[str, str] | None,
    reach: Reach,
) -> None:
    by_space: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for index, told in answer.get("indices", {}).items():
        by_space.setdefault(reach.check(index), []).append((stream_of_index(index), told))
    for name, indices in by_space.items():
        streams = dict.fromkeys(stream for stream, _ in indices)
        kept = dict.fromkeys((retentions or {}).get(each, "") for each in streams)
        retention = ",".join(each or "unlimited" for each in kept) if any(kept) else ""
        found[name] = NamespaceStorage(
            name,
            sum(int(told["primaries"]["docs"]["count"]) for _, told in indices),
            sum(int(told["total"]["store"]["size_in_bytes"]) for _, told in indices),
            len(indices),
            len(streams),
            None if retentions is None else retention,
        )


def _retentions(facts: StoreFacts, target: str) -> dict[str, str] | None:
    try:
        answer = facts.asked("GET", f"/_data_stream/{quote(target, safe=_SAFE)}")
    except QueryRefusedError:
        return None  # the minimal distribution of Elasticsearch cannot say
    kept = {}
    for stream in answer.get("data_streams", []):
        lifecycle = stream.get("lifecycle")
        told = lifecycle.get("effective_retention", lifecycle.get("data_retention")) if lifecycle else None
        if isinstance(told, str) and namespace_of_stream(stream["name"]):
            kept[stream["name"]] = told
    return kept


def _asked_if_there(facts: StoreFacts, path: str) -> Mapping[str, Any]:
    try:
        return facts.asked("GET", path)
    except QueryRefusedError as error:
        if error.status == 404:
            return {}
        raise
