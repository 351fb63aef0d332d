"""What a store answers to a bulk request: nothing counts as stored that the answer does not prove.

An input is a status, headers and a body as HTTP writes them, without the protocol's version.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from logging_system.delivery.outcomes import (
    Conflict,
    Delivered,
    DocumentOutcome,
    OneForEach,
    Redirected,
    Refused,
    RequestRefused,
    Retry,
    Unknown,
)
from logging_system.sinks.elasticsearch.bulk_answer import read_strictly
from logging_system.sinks.elasticsearch.http_answer import (
    REASON_CHARACTERS_MAX,
    RETRY_AFTER_SECONDS_MAX,
    HttpAnswer,
)
from tests.fuzz.target import Target

IDS = tuple(f"00c0ffee-{number}" for number in range(3))
"""The documents that every input answers, in the order sent."""


def _seeds() -> Sequence[bytes]:
    stored = [_item(document_id, 201) for document_id in IDS]
    mixed = [
        _item(IDS[0], 409, error={"type": "version_conflict_engine_exception", "reason": "exists"}),
        _item(IDS[1], 429, error={"type": "es_rejected_execution_exception", "reason": "queue is full"}),
        _item(IDS[2], 400, error={"type": "document_parsing_exception", "reason": "[1:9] no date"}),
    ]
    blocked = [
        _item(IDS[0], 403, error={"type": "cluster_block_exception", "reason": "read-only"}),
        _item(IDS[1], 201, failure_store="used"),
        _item(IDS[2], 503, error={"type": "t", "reason": "r", "caused_by": {"type": "c", "reason": "d"}}),
    ]
    whole = {"error": {"type": "illegal_argument_exception", "reason": "Malformed action"}, "status": 400}
    return (
        _wire(200, "", {"took": 3, "errors": False, "items": stored}),
        _wire(200, "content-type: application/json\n", {"errors": True, "items": mixed}),
        _wire(200, "content-encoding: gzip\n", {"errors": True, "items": blocked}),
        _wire(400, "", whole),
        _wire(413, "connection: close\n", {"error": "too large"}),
        _wire(429, "retry-after: 7\n", {"error": {"type": "circuit_breaking_exception"}}),
        _wire(503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\n", {}),
        b"200\ncontent-type: text/html\n\n<html>It works!</html>",
    )


def _item(document_id: str, status: int, **rest: object) -> dict[str, object]:
    return {"create": {"_index": ".ds-logs-1", "_id": document_id, "status": status, **rest}}


def _wire(status: int, headers: str, content: object) -> bytes:
    return f"{status}\n{headers}\n".encode() + orjson.dumps(content)


def _check(body: bytes) -> bool:
    answer = _answer(body)
    outcome = read_strictly(answer, IDS)

    if isinstance(outcome, OneForEach | Unknown) and outcome.retry_after_seconds is not None:
        assert 0 <= outcome.retry_after_seconds <= RETRY_AFTER_SECONDS_MAX
    if isinstance(outcome, Unknown):
        return False
    if isinstance(outcome, RequestRefused):
        assert outcome.status == answer.status
        assert answer.status in (400, 413)
        assert outcome.is_too_large is (answer.status == 413)
        assert 0 < len(outcome.reason) <= REASON_CHARACTERS_MAX
        return False
    assert isinstance(outcome, OneForEach)
    assert 200 <= answer.status < 300
    content = orjson.loads(answer.body)
    assert content["errors"] is True or content["errors"] is False
    assert len(content["items"]) == len(outcome.outcomes) == len(IDS)
    for told, item, document_id in zip(outcome.outcomes, content["items"], IDS, strict=True):
        assert list(item) == ["create"]
        assert item["create"].get("_id", document_id) == document_id
        assert type(told) in _lawful(item["create"])
        if isinstance(told, Retry | Refused):
            assert told.status == item["create"]["status"]
            assert len(told.reason) <= REASON_CHARACTERS_MAX
    return True


def _lawful(created: dict[str, object]) -> set[type[DocumentOutcome]]:
    """Say what an item's own words allow: the table of the store's documentation, written a second time."""
    status = created["status"]
    if type(status) is not int:
        return set()
    if status == 409:
        return {Conflict}
    if 200 <= status <= 299:
        if created.get("error") is not None:
            return {Retry}
        return {Redirected} if created.get("failure_store") == "used" else {Delivered}
    if status in range(400, 500) and status != 429:
        return {Refused, Retry}
    return {Retry}


def _answer(body: bytes) -> HttpAnswer:
    head, _, rest = body.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    pairs = (line.partition(":") for line in lines)
    status = int(first) if len(first) < 10 and first.isascii() and first.isdigit() else 200
    return HttpAnswer(status, {name.strip().lower(): value for name, _, value in pairs}, rest)


BULK_ANSWER = Target(
    "bulk_answer",
    _seeds,
    _check,
    json=True,
    words=(
        b"retry-after: 99999999999999999999\n",
        b"retry-after: -1\n",
        "retry-after: ²\n".encode("latin-1"),
        b"200\n",
        b"201\n",
        b"400\n",
        b"413\n",
        b"429\n",
        b'"errors":false,',
        b'"items":[],',
        b'"status":201,',
        b'"create":{',
        b'"error":null,',
        b'"error":{"type":[]},',
        b'"failure_store":"used",',
        b"{},",
        b"null,",
        b"\n\n",
    ),
)
