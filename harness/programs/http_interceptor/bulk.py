"""Bulk requests and answers taken apart and put together again.

A bulk is NDJSON: an action, and a source but for `delete`; its answer has an item for each action, in order
(https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from harness.programs.http_interceptor.messages import Answer, Onward, Request, made_up, value_of

JSON = b"application/json"
BODY_BYTES_MAX = 128 * 1024 * 1024
"""More than the largest request that a store takes by default (100 MiB)."""


class NotBulkError(Exception):
    """The body is no bulk request that can be taken apart: it is left to the store to say so."""


@dataclass(frozen=True, slots=True)
class Item:
    """One action with its source, both as they were written, and what an answer says of them."""

    lines: bytes
    operation: str
    index: str
    id: str

    @property
    def source(self) -> bytes:
        """The document's line; empty for a deletion."""
        return self.lines.partition(b"\n")[2].rstrip(b"\n")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error that one item gets instead of the store's result."""

    status: int
    kind: str
    reason: str

    def item(self, item: Item) -> dict[str, Any]:
        """Return the item of the answer."""
        error = {"type": self.kind, "reason": self.reason}
        if self.kind == "document_parsing_exception":
            error["caused_by"] = {"type": "illegal_argument_exception", "reason": self.reason}  # type: ignore[assignment]
        answer = {"_index": item.index, "_id": item.id, "status": self.status, "error": error}
        return {item.operation: answer}


def items_of(request: Request) -> list[Item]:
    """Take a bulk request apart.

    Raises:
        NotBulkError: it is none, or is encoded in a way this interceptor does not read.
    """
    default_index = _index_in(request.target)
    lines = [line for line in _plain(request).split(b"\n") if line.strip()]
    items, place = [], 0
    while place < len(lines):
        operation, meta = _action(lines[place])
        size = 1 if operation == "delete" else 2
        text = b"\n".join(lines[place : place + size]) + b"\n"
        items.append(Item(text, operation, meta.get("_index") or default_index, str(meta.get("_id") or "")))
        place += size
    return items


def _plain(request: Request) -> bytes:
    encoding = value_of(request.headers, b"content-encoding").lower()
    if encoding in (b"", b"identity"):
        return request.body
    if encoding != b"gzip":
        raise NotBulkError(f"content encoding {encoding!r}")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(request.body, BODY_BYTES_MAX)
    except zlib.error as error:
        raise NotBulkError(str(error)) from error
    if not unpacker.eof:
        raise NotBulkError("gzip that does not end, or is too large")
    return plain


def _action(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        action = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NotBulkError(str(error)) from error
    if not isinstance(action, dict) or len(action) != 1:
        raise NotBulkError("an action line is no object of one action")
    operation, meta = next(iter(action.items()))
    if not isinstance(meta, dict):
        raise NotBulkError("an action without an object")
    return operation, meta


def _index_in(target: bytes) -> str:
    parts = urlsplit(target.decode("latin-1")).path.strip("/").split("/")
    return parts[0] if len(parts) > 1 else ""


async def answered_in_part(
    request: Request, items: Sequence[Item], refusals: Sequence[Refusal | None], onward: Onward
) -> tuple[Answer, bool]:
    """Send on what is not refused, and put the refusals at their places in the store's own answer.

    Where the store refuses the rest as a whole, or answers something that cannot be taken apart, the client
    is told exactly that.

    Returns:
        The answer, and whether the refusals are in it.
    """
    through = [item for item, refusal in zip(items, refusals, strict=True) if refusal is None]
    if not through:
        return _all_refused(items, refusals), True
    body = b"".join(item.lines for item in through)
    part = Request(request.method, _telling_all_items(request.target), request.headers, request.body)
    answer = await onward(part.with_body(body, b"content-encoding", b"accept-encoding"))
    told = _items_in(answer)
    if told is None or len(told) != len(through):
        return answer, False
    content = orjson.loads(answer.body)
    left = iter(told)
    content["items"] = [
        next(left) if refusal is None else refusal.item(item)
        for item, refusal in zip(items, refusals, strict=True)
    ]
    content["errors"] = True
    return answer.with_body(orjson.dumps(content)), True


def _all_refused(items: Sequence[Item], refusals: Sequence[Refusal | None]) -> Answer:
    told = [refusal.item(item) for item, refusal in zip(items, refusals, strict=True) if refusal is not None]
    body = orjson.dumps({"took": 0, "errors": True, "items": told})
    return made_up(200, b"OK", JSON, body)


def _items_in(answer: Answer) -> list[Any] | None:
    if answer.status != 200:
        return None
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    items = content.get("items") if isinstance(content, dict) else None
    return items if isinstance(items, list) else None


def _telling_all_items(target: bytes) -> bytes:
    """Drop a `filter_path` that would leave items out: each must be there to be put at its place."""
    parts = urlsplit(target.decode("latin-1"))
    filters = ",".join(parse_qs(parts.query).get("filter_path", [])).split(",")
    if not any(filters) or {"items", "items.*", "items.*.status", "*"} & set(filters):
        return target
    kept = "&".join(part for part in parts.query.split("&") if not part.startswith("filter_path="))
    return f"{parts.path}?{kept}".rstrip("?").encode("latin-1")


def all_created(items: Sequence[Item]) -> bytes:
    """Return an answer that claims each item was created."""
    told = [
        {item.operation: {"_index": item.index, "_id": item.id, "result": "created", "status": 201}}
        for item in items
    ]
    return orjson.dumps({"took": 3, "errors": False, "items": told})


def packed(body: bytes) -> bytes:
    """Return a body gzipped, the same bytes each time."""
    return gzip.compress(body, mtime=0)
