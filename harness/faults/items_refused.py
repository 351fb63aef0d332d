"""Single documents of a bulk are refused while their neighbours are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.http_rule import HttpRule
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError
from harness.targets.capabilities import Interceptable


@dataclass(frozen=True)
class ItemsRefused(HttpRule):
    """Shares of documents get a 429, 400 or 503 at their place in an answer that is a 200.

    A document that comes again is drawn again: what got 429 or 503 arrives in the end, what got 400 is a
    dead letter for a stack that believes it.

    Args:
        share_429: the share of documents that get a 429 (try again), from 0 to 1.
        share_400: the share of documents that get a 400 (refused for good), from 0 to 1.
        share_503: the share of documents that get a 503 (try again), from 0 to 1.
    """

    share_429: float = 0.0
    share_400: float = 0.0
    share_503: float = 0.0
    kind: ClassVar[str] = "items_refused"
    proofs: ClassVar[tuple[str, ...]] = ("items_429", "items_400", "items_503")

    def __post_init__(self) -> None:
        """Refuse what are no shares.

        Raises:
            ScenarioError: a share is negative, all are 0, or together they exceed 1.
        """
        shares = (self.share_429, self.share_400, self.share_503)
        if min(shares) < 0 or not 0 < sum(shares) <= 1:
            raise ScenarioError(
                f"share_429, share_400, share_503 are {shares}; write shares of documents that are together "
                "above 0 and at most 1"
            )

    def arguments(self) -> Arguments:
        """Return the share of each status."""
        return {"share_429": self.share_429, "share_400": self.share_400, "share_503": self.share_503}

    def poisoned(self, target: Interceptable) -> list[None]:
        """Say that some were refused for good by a 400, and that the interceptor does not tell which."""
        return [None] if target.altered(self.kind, self.proofs, 0.0).get("items_400", 0) else []

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many documents met each status."""
        met = ", ".join(
            f"{counters[proof]:,} documents with {proof[-3:]}" for proof in self.proofs if counters.get(proof)
        )
        passed = counters.get("items_passed", 0)
        return f"{met or 'no documents'} refused in bulk answers; {passed:,} documents passed to the store"
