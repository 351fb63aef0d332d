"""Reads a bulk answer strictly: only what it proves beyond doubt counts as stored.

The rules follow Elasticsearch's bulk API: one item per action, in the order sent, each with its own status
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html). Proxies in between answer 200
with HTML, cut bodies short and repeat other requests' answers; none of that acknowledges anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from logging_system.delivery.commands import Item
from logging_system.delivery.outcomes import (
    Conflict,
    Delivered,
    DocumentOutcome,
    OneForEach,
    Redirected,
    Refused,
    RequestRefused,
    Retry,
    SameForAll,
    SendOutcome,
    Unknown,
)
from logging_system.delivery.runs import Run
from logging_system.sinks.elasticsearch.all_created import created_in
from logging_system.sinks.elasticsearch.http_answer import (
    HttpAnswer,
    NoAnswer,
    error_reason,
    excerpt,
    parsed,
    plain,
    retry_after_seconds,
)

SUSPECT_STATUS = 500
"""502, 503, 504 and 507 speak of the store by their meaning; they are never held against a document."""

_OPERATORS_MATTER = frozenset(
    {
        "cluster_block_exception",
        "security_exception",
        "index_not_found_exception",
        "index_closed_exception",
    }
)
"""A block, a missing privilege, an index missing or closed: an operator lifts it; no document is at fault."""

_STORE_TROUBLE = (
    "io_exception",
    "translog",
    "shard",
    "engine",
    "node_",
    "circuit_breaking",
    "timeout",
    "disk",
)
"""Words in the type of an error that speaks of the store, also where its status is `SUSPECT_STATUS`."""

_TURNED_AWAY = frozenset({401, 403, 404, 405, 407, 429})
"""Answers to a whole request that was refused before any document of it was looked at."""


def read_bulk_answer(
    answer: HttpAnswer | NoAnswer, items: Sequence[Item], runs: Sequence[Run]
) -> SendOutcome:
    """Say what the answer of a bulk request proves.

    Args:
        answer: What came back, or that nothing did.
        items: The documents, in the order sent.
        runs: The runs that they are made of.
    """
    index = created_in(answer, runs)
    if index is not None:
        return SameForAll(Delivered(index))
    return read_strictly(answer, [item.id for item in items])


def read_strictly(answer: HttpAnswer | NoAnswer, ids: Sequence[str]) -> SendOutcome:
    """Say the same as `read_bulk_answer`, item by item, whatever the answer is.

    Args:
        answer: What came back, or that nothing did.
        ids: The `_id` of each document, in the order sent. An answer that names others is a foreign one.
    """
    if isinstance(answer, NoAnswer):
        return Unknown(answer.reason, may_have_stored=answer.may_have_arrived)
    content = parsed(answer.body)
    if answer.is_success:
        return _read_success(answer, content, ids)
    if answer.status == 413 or (answer.status == 400 and "error" in content):
        reason = error_reason(content.get("error")) or f"HTTP {answer.status}"
        return RequestRefused(reason, answer.status, is_too_large=answer.status == 413)
    return Unknown(
        f"HTTP {answer.status}: {excerpt(answer.body)}",
        retry_after_seconds(answer.headers),
        may_have_stored=answer.status not in _TURNED_AWAY,
    )


def _read_success(answer: HttpAnswer, content: dict[str, object], ids: Sequence[str]) -> OneForEach | Unknown:
    items = content.get("items")
    asked_to_wait_seconds = retry_after_seconds(answer.headers)
    if not isinstance(content.get("errors"), bool) or not isinstance(items, list):
        reason = f"HTTP {answer.status} with a body that is not a bulk response: {excerpt(answer.body)}"
        return Unknown(reason, asked_to_wait_seconds)
    if len(items) != len(ids):
        return Unknown(
            f"bulk response with {len(items)} items for {len(ids)} documents", asked_to_wait_seconds
        )
    outcomes = [_read_item(item, document_id) for item, document_id in zip(items, ids, strict=True)]
    proved = tuple(outcome for outcome in outcomes if outcome is not None)
    if len(proved) != len(ids):
        return Unknown(
            "bulk response with an item that has no create status or is for another document",
            asked_to_wait_seconds,
        )
    return OneForEach(proved, asked_to_wait_seconds)


def _read_item(item: object, document_id: str) -> DocumentOutcome | None:
    created = item.get("create") if isinstance(item, dict) and len(item) == 1 else None
    status = created.get("status") if isinstance(created, dict) else None
    if not isinstance(created, dict) or not isinstance(status, int) or isinstance(status, bool):
        return None
    if created.get("_id", document_id) != document_id:
        return None  # another request's answer
    error = created.get("error")
    if 200 <= status < 300 and error is None:
        return Redirected() if created.get("failure_store") == "used" else Delivered(_index(created))
    if status == 409:
        # With op `create` and an id that only this record has: it is there from an attempt before.
        return Conflict(_index(created))
    reason = error_reason(error) or f"status {status}"
    return Refused(reason, status) if _is_final(status, error) else _retry(status, reason)


def _is_final(status: int, error: object) -> bool:
    """Tell whether an error of an item is the document's own, and stays."""
    if isinstance(error, dict) and plain(error.get("type")) in _OPERATORS_MATTER:
        return False
    return 400 <= status < 500 and status != 429


def _retry(status: int, reason: str) -> Retry:
    kind = reason.partition(":")[0]
    return Retry(
        reason,
        status,
        is_pushed_back=status in (429, 503),
        # What failed inside the store may have been stored by a shard that could not say so.
        may_have_stored=not 400 <= status < 500,
        is_suspect=status == SUSPECT_STATUS and not any(word in kind for word in _STORE_TROUBLE),
    )


def _index(created: dict[str, object]) -> str:
    name = created.get("_index")
    return name if isinstance(name, str) else ""
