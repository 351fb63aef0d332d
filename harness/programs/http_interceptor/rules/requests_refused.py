"""`requests_refused`: the request is turned away as a whole, and the store never sees it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request
from harness.programs.http_interceptor.rules.kind import Kind, refused, require

_RETRY_AFTER_SECONDS_MAX = 3600
# What Elasticsearch calls them; a load balancer's own words would do as well.
_TYPES = {
    429: ("es_rejected_execution_exception", "rejected execution of coordinating operation"),
    403: ("cluster_block_exception", "index blocked by: [FORBIDDEN/8/index write (api)]"),
    503: ("cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized]"),
}


@dataclass(frozen=True)
class RequestsRefused(Kind):
    """A status from 400 to 599; `retry_after_seconds` above 0 asks for patience (RFC 9110, 10.2.3)."""

    status: int = 429
    retry_after_seconds: int = 0
    path: str = "_bulk"

    def __post_init__(self) -> None:
        require(400 <= self.status <= 599, f"status must be 400 to 599, got {self.status}")
        require(
            0 <= self.retry_after_seconds <= _RETRY_AFTER_SECONDS_MAX,
            f"retry_after_seconds must be 0 to {_RETRY_AFTER_SECONDS_MAX}, got {self.retry_after_seconds}",
        )

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Answer with the status."""
        note("refused", 1)
        kind, text = _TYPES.get(self.status, ("status_exception", "refused"))
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Error"
        after = (
            ((b"Retry-After", str(self.retry_after_seconds).encode()),) if self.retry_after_seconds else ()
        )
        return refused(self.status, phrase.encode(), kind, text, *after)
