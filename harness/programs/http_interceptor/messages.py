"""A whole request and a whole answer, as rules see them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names as they were written, in their order."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the client; `body` is as it travelled, content encoding included."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes

    def with_body(self, body: bytes, *dropped: bytes) -> Request:
        """Return the request with another body and without the named headers (lower case)."""
        headers = without(self.headers, b"content-length", b"transfer-encoding", *dropped)
        return replace(self, headers=(*headers, length_of(body)), body=body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to the client.

    Attributes:
        sent_share: how much of the body leaves before the connection ends: None = all of it, and the
            connection goes on; 0 = neither head nor body.
    """

    status: int
    reason: bytes
    headers: Headers
    body: bytes
    sent_share: float | None = None

    def with_body(self, body: bytes) -> Answer:
        """Return the answer with another body, whose length its head tells."""
        headers = without(self.headers, b"content-length", b"transfer-encoding", b"content-encoding")
        return replace(self, headers=(*headers, length_of(body)), body=body)


Onward: TypeAlias = Callable[[Request], Coroutine[Any, Any, Answer]]
"""Takes a request to the next rule, and in the end to the store, and brings its answer."""

Note: TypeAlias = Callable[[str, int], None]
"""Adds to one of the rule's counters."""

_PRODUCT = (b"X-elastic-product", b"Elasticsearch")


def made_up(
    status: int, reason: bytes, content_type: bytes, body: bytes, *headers: tuple[bytes, bytes]
) -> Answer:
    """Return an answer of the interceptor itself, with the product header that clients check."""
    return Answer(
        status, reason, (_PRODUCT, *headers, (b"content-type", content_type), length_of(body)), body
    )


def without(headers: Sequence[tuple[bytes, bytes]], *names: bytes) -> Headers:
    """Return the headers but for those names (lower case)."""
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def value_of(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    """Return the first value of a header (lower case), empty where it is not there."""
    return next((value for name, value in headers if name.lower() == wanted), b"")


def length_of(body: bytes | bytearray) -> tuple[bytes, bytes]:
    """Return the header that tells a body's length."""
    return (b"content-length", str(len(body)).encode())
