"""`body_limit`: a request above a size is a 413, and the store never sees it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from harness.proxies.elastic_gate.messages import Answer, Note, Onward, Request, length_of
from harness.proxies.elastic_gate.rules.kind import Kind, require


@dataclass(frozen=True)
class BodyLimit(Kind):
    """A body of more than `bytes_max` bytes, as it travels, is too large.

    The answer is as Elasticsearch gives it: no body, no content type, and the connection goes on.
    """

    bytes_max: int = 1024 * 1024

    def __post_init__(self) -> None:
        require(self.bytes_max >= 1, f"bytes_max must be at least 1, got {self.bytes_max}")

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Let it pass, or say that it is too large."""
        if len(request.body) <= self.bytes_max:
            return await onward(request)
        note("too_large", 1)
        return Answer(413, b"Request Entity Too Large", (length_of(b""),), b"")
