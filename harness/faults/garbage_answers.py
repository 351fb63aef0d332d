"""Every request is answered with bytes that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.http_rule import HttpRule, require_share
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError


@dataclass(frozen=True)
class GarbageAnswers(HttpRule):
    """The bytes are random and claim to be JSON, whatever was asked.

    The service never sees the request. Whoever reads such an answer as a success has lost what it sent.

    Args:
        mark: what the bytes begin with; at most 100 characters of ASCII.
        share: the share of requests that are hit, above 0 and at most 1.
    """

    mark: str = ""
    share: float = 1.0
    kind: ClassVar[str] = "garbage_answers"
    proofs: ClassVar[tuple[str, ...]] = ("garbage",)

    def __post_init__(self) -> None:
        """Refuse a share or a mark out of range.

        Raises:
            ScenarioError: one is.
        """
        require_share("share", self.share)
        if len(self.mark) > 100 or not self.mark.isascii():
            raise ScenarioError(f"mark {self.mark[:100]!r} is not ASCII of at most 100 characters")

    @property
    def share_of_requests(self) -> float:
        """The share of requests that are answered with garbage."""
        return self.share

    def arguments(self) -> Arguments:
        """Return the mark."""
        return {"mark": self.mark}

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many requests were answered with garbage."""
        spoiled, seen = counters.get("garbage", 0), counters.get("seen", 0)
        return f"{spoiled:,} of {seen:,} requests were answered with garbage"
