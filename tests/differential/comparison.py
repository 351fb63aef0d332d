"""Whether two answers are the same, ours is a refusal that names what it does not do, or ours is wrong."""

from __future__ import annotations

from enum import Enum
from typing import Any

import orjson

Json = dict[str, Any]
REFUSAL = "the embedded store does not support"
# What may differ between two servers that answer alike: times, names, identities, scores.
VOLATILE = frozenset(
    {
        "took", "_score", "max_score", "uuid", "index_uuid", "creation_date", "node", "cluster_name",
        "pit_id", "_scroll_id", "index.uuid",
        "index.creation_date", "index.version.created", "version", "cluster_uuid",
        "index.routing.allocation.include._tier_preference",
        "routing", "provided_name", "name",
        "skipped",  # shards that need not be asked: those are asked here too
        "number_of_pending_tasks", "task_max_waiting_in_queue_millis",  # of the moment, on a busy machine
        "active_shards_percent_as_number", "terminated_early", "active_shards", "active_primary_shards",
    }
)  # fmt: skip
PLACES = ("_doc", "_shard_doc")
OPENED = {"id", "_shards"}
"""What an answer has that opens a point in time: the id is each server's own."""


class Verdict(Enum):
    """What came of one request."""

    SAME = "same"
    REFUSED = "refused"
    WRONG = "wrong"


def judged(asked: Any, real: tuple[int, Any], ours: tuple[int, Any]) -> Verdict:
    """The verdict on one request.

    Args:
        asked: The request's body, which says whether hits have an order; text is looked into.
        real: Status and answer of the real Elasticsearch.
        ours: Status and answer of the embedded store.
    """
    if ours[0] >= 400 and REFUSAL in str(ours[1]):
        return Verdict.REFUSED
    if real[0] != ours[0]:
        return Verdict.WRONG
    if real[0] >= 400 and isinstance(real[1], dict) and "error" in real[1]:
        return (
            Verdict.SAME
        )  # which of several mistakes is told first, and in which words, is nobody's promise
    asked = body_of(asked)
    real, ours = (unordered(it) for it in (real, ours))
    if all_skipped(real[1]) and "total" not in ours[1]["hits"] and real[1]["hits"].get("total"):
        real = real[0], {**real[1], "hits": {**real[1]["hits"]}}
        del real[1]["hits"]["total"]
    has_order = isinstance(asked, dict) and not is_placed(asked.get("sort"))
    if isinstance(asked, dict) and asked.get("pit") and has_order:
        sorts = asked["sort"] if isinstance(asked["sort"], list) else [asked["sort"]]
        real, ours = (without_tie_break(it, len(sorts)) for it in (real, ours))
    if not has_order:
        real, ours = (without_places(it) for it in (real, ours))
    if isinstance(asked, dict) and type(asked.get("track_total_hits")) is int:
        real, ours = (status_with_bound(it) for it in (real, ours))
    alike = normal(real[1], has_order) == normal(ours[1], has_order)
    return Verdict.SAME if alike else Verdict.WRONG


def body_of(asked: Any) -> Any:
    """A body that was sent as text, where it is JSON."""
    try:
        return orjson.loads(asked) if isinstance(asked, str) else asked
    except orjson.JSONDecodeError:
        return None


def all_skipped(answer: Any) -> bool:
    """Whether no shard was asked, so that nothing found is counted even where no count was asked for."""
    shards = answer.get("_shards") if isinstance(answer, dict) and "hits" in answer else None
    return shards is not None and shards.get("skipped") == shards.get("total")


def is_placed(sort: Any) -> bool:
    """Whether hits come in no order that is promised: none was asked for, or that of their places."""
    first = sort[0] if isinstance(sort, list) and sort else sort
    name = next(iter(first), None) if isinstance(first, dict) else first
    return not name or name in PLACES


def unordered(answer: tuple[int, Any]) -> tuple[int, Any]:
    """An answer whose lines, or nodes, or id are each server's own in order or in name."""
    status, body = answer
    if isinstance(body, str):  # a table of `_cat`, which promises no order of its rows
        return status, sorted(body.splitlines())
    if isinstance(body, list):
        return status, sorted(body, key=str)
    if isinstance(body, dict) and body.keys() == OPENED:
        return status, {**body, "id": ""}
    if isinstance(body, dict) and isinstance(body.get("nodes"), dict):
        return status, {**body, "nodes": list(body["nodes"].values())}
    return answer


def without_places(answer: tuple[int, Any]) -> tuple[int, Any]:
    """An answer without what depends on where its documents lie.

    Of several shards, which one is first is no promise: a page that is shorter than what there is holds some
    hits of them, and only how many these are can be compared. A place itself is a number of a shard.
    """
    status, body = answer
    hits = body.get("hits") if isinstance(body, dict) else None
    if not isinstance(hits, dict) or not isinstance(hits.get("hits"), list):
        return answer
    listed = [{key: value for key, value in hit.items() if key != "sort"} for hit in hits["hits"]]
    if "_shards" not in body:  # filtered away, and with it what tells whether all are on the page
        return status, {**body, "hits": {**hits, "hits": []}}
    total = hits.get("total")
    count = total.get("value") if isinstance(total, dict) else total
    if body["_shards"].get("total", 1) > 1 and count != len(listed):
        listed = [{} for _ in listed]
    return status, {**body, "hits": {**hits, "hits": listed}}


def without_tie_break(answer: tuple[int, Any], length: int) -> tuple[int, Any]:
    """An answer under a point in time whose hits do not tell their place: it is a number of a shard."""
    status, body = answer
    for hit in body.get("hits", {}).get("hits", ()):
        if len(hit.get("sort", ())) > length:
            hit["sort"][length] = "place"
    return status, body


def status_with_bound(answer: tuple[int, Any]) -> tuple[int, Any]:
    """An answer without the relation of its total: a bound that is reached exactly is told either way."""
    total = answer[1].get("hits", {}).get("total")
    if isinstance(total, dict):
        total.pop("relation", None)
    return answer


def kind_of(answer: Any) -> str:
    """The type of an error; a bare sentence has none."""
    error = answer.get("error")
    if not isinstance(error, dict):
        return "plain"
    roots = error.get("root_cause") or [{}]
    return str(roots[0].get("type", error.get("type")))


def normal(value: Any, has_order: bool) -> Any:
    """An answer without what may differ; hits that were asked for in no order are in that of their ids."""
    if isinstance(value, dict):
        out = {key: normal(inner, has_order) for key, inner in value.items() if key not in VOLATILE}
        if "error" in out and isinstance(out["error"], dict):
            out["error"] = kind_of(out)
        if (
            isinstance(value.get("hits"), dict)
            and isinstance(value["hits"].get("hits"), list)
            and not has_order
        ):
            out["hits"]["hits"].sort(key=lambda hit: (str(hit.get("_index")), str(hit.get("_id"))))
        return out
    if isinstance(value, list):
        return [normal(inner, has_order) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return round(value, 6) if isinstance(value, float) else value
