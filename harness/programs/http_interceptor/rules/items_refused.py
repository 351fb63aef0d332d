"""`items_refused`: some items of a bulk are refused, each at its place in the store's real answer."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from harness.programs.http_interceptor.bulk import NotBulkError, Refusal, answered_in_part, items_of
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request
from harness.programs.http_interceptor.rules.kind import Kind, require

_TOO_MANY = Refusal(
    429, "es_rejected_execution_exception", "rejected execution of primary operation: queue is full"
)
_MALFORMED = Refusal(400, "document_parsing_exception", "failed to parse field")
_UNAVAILABLE = Refusal(503, "unavailable_shards_exception", "primary shard is not active")


@dataclass(frozen=True)
class ItemsRefused(Kind):
    """The share of items that get each status; the store sees only the others.

    An item that comes again is drawn again, so what is pushed back with 429 or 503 arrives in the end.
    """

    share_429: float = 0.0
    share_400: float = 0.0
    share_503: float = 0.0

    def __post_init__(self) -> None:
        shares = (self.share_429, self.share_400, self.share_503)
        require(all(share >= 0 for share in shares), f"shares must not be negative, got {shares}")
        require(0 < sum(shares) <= 1, f"the shares together must be above 0, at most 1, got {sum(shares)}")

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Refuse some items, take the others onward."""
        try:
            items = items_of(request)
        except NotBulkError:
            note("not_bulk", 1)
            return await onward(request)
        refusals = [self._drawn(rng.random()) for _ in items]
        if not any(refusals):
            return await onward(request)
        answer, is_mixed = await answered_in_part(request, items, refusals, onward)
        for refusal in refusals if is_mixed else ():
            note("items_passed" if refusal is None else f"items_{refusal.status}", 1)
        return answer

    def _drawn(self, chance: float) -> Refusal | None:
        limit = 0.0
        for share, refusal in (
            (self.share_429, _TOO_MANY),
            (self.share_400, _MALFORMED),
            (self.share_503, _UNAVAILABLE),
        ):
            limit += share
            if chance < limit:
                return refusal
        return None
