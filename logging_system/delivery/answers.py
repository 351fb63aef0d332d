"""Reads a bulk answer strictly: only what it proves beyond doubt counts as stored.

The rules follow Elasticsearch's bulk API: one item per action, in the order sent, each with its own status
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html). Proxies in between answer 200
with HTML, cut bodies short and repeat other requests' answers; none of that acknowledges anything.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer came; what happened to the request is unknown."""

    reason: str


class Fate(Enum):
    """What a bulk answer says of one document."""

    DELIVERED = "delivered"
    CONFLICT = "conflict"
    REDIRECTED = "redirected"
    RETRY = "retry"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One document's fate, and why where it is not simply stored."""

    fate: Fate
    status: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Every document of the request has a result, in the order sent."""

    items: tuple[ItemResult, ...]
    retry_after_seconds: float | None


@dataclass(frozen=True, slots=True)
class Unproved:
    """The answer acknowledges nothing: the whole request is sent again."""

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The server took offence at the request as a whole: some document or its size is at fault."""

    status: int
    reason: str


_RETRIED_403 = frozenset({"cluster_block_exception", "security_exception"})
"""A block and a missing privilege are lifted by an operator; neither is the document's fault."""


def judge(answer: Answer | NoAnswer, sent: int) -> Judged | Unproved | Refused:
    """Say what an answer proves.

    Args:
        answer: What came back, or that nothing did.
        sent: Number of documents in the request.
    """
    if isinstance(answer, NoAnswer):
        return Unproved(answer.reason)
    retry_after_seconds = _retry_after_seconds(answer.headers)
    content = _parse(answer.body)
    if 200 <= answer.status < 300:
        return _judge_success(answer, content, sent, retry_after_seconds)
    if answer.status == 413 or (answer.status == 400 and "error" in content):
        return Refused(answer.status, _error_reason(content.get("error")) or f"HTTP {answer.status}")
    return Unproved(f"HTTP {answer.status}: {_excerpt(answer.body)}", retry_after_seconds)


def _judge_success(
    answer: Answer, content: dict[str, object], sent: int, retry_after_seconds: float | None
) -> Judged | Unproved:
    items = content.get("items")
    if not isinstance(content.get("errors"), bool) or not isinstance(items, list):
        return Unproved(
            f"HTTP {answer.status} that is no bulk answer: {_excerpt(answer.body)}", retry_after_seconds
        )
    if len(items) != sent:
        return Unproved(f"{sent} documents sent, {len(items)} answered", retry_after_seconds)
    results = [_judge_item(item) for item in items]
    proved = tuple(result for result in results if result is not None)
    if len(proved) != sent:
        return Unproved("an item without a create status", retry_after_seconds)
    return Judged(proved, retry_after_seconds)


def _judge_item(item: object) -> ItemResult | None:
    created = item.get("create") if isinstance(item, dict) and len(item) == 1 else None
    status = created.get("status") if isinstance(created, dict) else None
    if not isinstance(created, dict) or not isinstance(status, int) or isinstance(status, bool):
        return None
    error = created.get("error")
    if 200 <= status < 300:
        if error is not None:
            return ItemResult(Fate.RETRY, status, _error_reason(error))
        redirected = created.get("failure_store") == "used"
        return ItemResult(Fate.REDIRECTED if redirected else Fate.DELIVERED, status)
    if status == 409:
        # With op `create` and an id that only this record has: it is there from an attempt before.
        return ItemResult(Fate.CONFLICT, status)
    return ItemResult(_fate_of_error(status, error), status, _error_reason(error) or f"status {status}")


def _fate_of_error(status: int, error: object) -> Fate:
    if status == 403 and isinstance(error, dict) and _plain(error.get("type")) in _RETRIED_403:
        return Fate.RETRY
    if 400 <= status < 500 and status != 429:
        return Fate.REJECTED
    return Fate.RETRY


def _parse(body: bytes) -> dict[str, object]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _error_reason(error: object) -> str:
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
