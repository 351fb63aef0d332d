"""Reads a bulk answer strictly: only what it proves beyond doubt counts as stored.

The rules follow Elasticsearch's bulk API: one item per action, in the order sent, each with its own status
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html). Proxies in between answer 200
with HTML, cut bodies short and repeat other requests' answers; none of that acknowledges anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import orjson

REASON_CHARACTERS_MAX = 500
RETRY_AFTER_SECONDS_MAX = 60.0
"""A server may ask for patience, not for an hour of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came: nothing decoded, nothing believed.

    Attributes:
        status: The HTTP status.
        headers: Header values by lower-case name.
        body: The body, transfer and content encoding removed.
        asked: For a look-up, the indices that the sink asked: what the answer must speak of.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came.

    Attributes:
        reason: What went wrong.
        may_have_arrived: False only where it is certain that no byte of the request reached the store.
    """

    reason: str
    may_have_arrived: bool = True


class Fate(Enum):
    """What a bulk answer says of one document."""

    DELIVERED = "delivered"
    CONFLICT = "conflict"
    REDIRECTED = "redirected"
    RETRY = "retry"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One document's fate, why where it is not simply stored, and the index that took it where one did."""

    fate: Fate
    status: int
    reason: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Every document of the request has a result, in the order sent."""

    items: tuple[ItemResult, ...]
    retry_after_seconds: float | None


@dataclass(frozen=True, slots=True)
class Unproved:
    """The answer acknowledges nothing: the whole request is sent again.

    Attributes:
        reason: What was wrong with it.
        retry_after_seconds: What the server asked for.
        may_have_stored: Whether the store may have taken documents all the same.
    """

    reason: str
    retry_after_seconds: float | None = None
    may_have_stored: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """The server took offence at the request as a whole: some document or its size is at fault."""

    status: int
    reason: str


_OPERATORS_MATTER = frozenset(
    {
        "cluster_block_exception",
        "security_exception",
        "index_not_found_exception",
        "index_closed_exception",
    }
)
"""A block, a missing privilege, an index missing or closed: an operator lifts it; no document is at fault."""

_TURNED_AWAY = frozenset({401, 403, 404, 405, 407, 429})
"""Answers to a whole request that was refused before any document of it was looked at."""


def judge(answer: Answer | NoAnswer, ids: Sequence[str]) -> Judged | Unproved | Refused:
    """Say what an answer proves.

    Args:
        answer: What came back, or that nothing did.
        ids: The `_id` of each document, in the order sent. An answer that names others is a foreign one.
    """
    if isinstance(answer, NoAnswer):
        return Unproved(answer.reason, may_have_stored=answer.may_have_arrived)
    retry_after_seconds = _retry_after_seconds(answer.headers)
    content = parsed(answer.body)
    if 200 <= answer.status < 300:
        return _judge_success(answer, content, ids, retry_after_seconds)
    if answer.status == 413 or (answer.status == 400 and "error" in content):
        return Refused(answer.status, error_reason(content.get("error")) or f"HTTP {answer.status}")
    may_have_stored = answer.status not in _TURNED_AWAY
    return Unproved(f"HTTP {answer.status}: {_excerpt(answer.body)}", retry_after_seconds, may_have_stored)


def _judge_success(
    answer: Answer, content: dict[str, object], ids: Sequence[str], retry_after_seconds: float | None
) -> Judged | Unproved:
    items = content.get("items")
    if not isinstance(content.get("errors"), bool) or not isinstance(items, list):
        return Unproved(
            f"HTTP {answer.status} that is no bulk answer: {_excerpt(answer.body)}", retry_after_seconds
        )
    if len(items) != len(ids):
        return Unproved(f"{len(ids)} documents sent, {len(items)} answered", retry_after_seconds)
    results = [_judge_item(item, document_id) for item, document_id in zip(items, ids, strict=True)]
    proved = tuple(result for result in results if result is not None)
    if len(proved) != len(ids):
        return Unproved("an item without a create status, or of another document", retry_after_seconds)
    return Judged(proved, retry_after_seconds)


def _judge_item(item: object, document_id: str) -> ItemResult | None:
    created = item.get("create") if isinstance(item, dict) and len(item) == 1 else None
    status = created.get("status") if isinstance(created, dict) else None
    if not isinstance(created, dict) or not isinstance(status, int) or isinstance(status, bool):
        return None
    if created.get("_id", document_id) != document_id:
        return None  # another request's answer
    error = created.get("error")
    if 200 <= status < 300 and error is None:
        if created.get("failure_store") == "used":
            return ItemResult(Fate.REDIRECTED, status)
        return ItemResult(Fate.DELIVERED, status, index=_index(created))
    if status == 409:
        # With op `create` and an id that only this record has: it is there from an attempt before.
        return ItemResult(Fate.CONFLICT, status, index=_index(created))
    return ItemResult(_fate_of_error(status, error), status, error_reason(error) or f"status {status}")


def _fate_of_error(status: int, error: object) -> Fate:
    if isinstance(error, dict) and _plain(error.get("type")) in _OPERATORS_MATTER:
        return Fate.RETRY
    if 400 <= status < 500 and status != 429:
        return Fate.REJECTED
    return Fate.RETRY


def _index(created: dict[str, object]) -> str:
    name = created.get("_index")
    return name if isinstance(name, str) else ""


def parsed(body: bytes) -> dict[str, object]:
    """Return the object that an answer's body holds; an empty one where it holds none."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def error_reason(error: object) -> str:
    """Return what an answer's `error` says, whatever its form, in at most `REASON_CHARACTERS_MAX`."""
    if error is None:
        return ""
    if not isinstance(error, dict):
        return _plain(error)[:REASON_CHARACTERS_MAX]
    cause = error.get("caused_by")
    reason = f"{_plain(error.get('type'))}: {_plain(error.get('reason'))}"
    if isinstance(cause, dict):
        reason += f" ({_plain(cause.get('type'))}: {_plain(cause.get('reason'))})"
    return reason[:REASON_CHARACTERS_MAX]


def _plain(value: object) -> str:
    # JSON may be nested deeper than `str` can follow, and no server's reason is an object.
    return "(nested)" if isinstance(value, dict | list) else str(value)


def _excerpt(body: bytes) -> str:
    return body[:120].decode("utf-8", "replace")


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the delay asked for (RFC 9110, 10.2.3); its form with a date needs a clock."""
    value = headers.get("retry-after", "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value), RETRY_AFTER_SECONDS_MAX)
