"""Whole requests are refused: the storm of 429 that an overloaded store answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.http_rule import HttpRule, requests_named, require_path, require_share
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError
from harness.targets.capabilities import Interceptable

# Sent again unchanged, such a request is refused again.
_FOR_GOOD = frozenset({400, 406, 413, 415, 422})


@dataclass(frozen=True)
class RequestsRefused(HttpRule):
    """A share of requests gets `status` and never reaches the service: 429 of a store, 403 of a key server.

    `retry_after_seconds` above 0 asks for patience in a Retry-After header.

    Args:
        status: the HTTP status of the refusal, from 400 to 599.
        retry_after_seconds: the Retry-After header in seconds, from 0 (no header) to 3,600.
        share: the share of these requests that are hit, above 0 and at most 1.
        path: which requests: the last part of their path, or `*` for all.
    """

    status: int = 429
    retry_after_seconds: int = 0
    share: float = 1.0
    path: str = "_bulk"
    kind: ClassVar[str] = "requests_refused"
    proofs: ClassVar[tuple[str, ...]] = ("refused",)

    def __post_init__(self) -> None:
        """Refuse what is no error or no share.

        Raises:
            ScenarioError: a value is out of range.
        """
        require_share("share", self.share)
        if not 400 <= self.status <= 599:
            raise ScenarioError(f"status {self.status} is no error; write one from 400 to 599, such as 429")
        if not 0 <= self.retry_after_seconds <= 3600:
            raise ScenarioError(f"retry_after_seconds {self.retry_after_seconds} is not in 0 to 3600")
        require_path(self.path)

    @property
    def share_of_requests(self) -> float:
        """The share of requests that are refused."""
        return self.share

    def arguments(self) -> Arguments:
        """Return the status, the patience asked for, and which requests."""
        return {
            "status": self.status,
            "retry_after_seconds": self.retry_after_seconds,
            "path": self.path,
        }

    def poisoned(self, target: Interceptable) -> list[None]:
        """Say that a status which asks for no second try refuses for good, and names no record."""
        return [None] if self.status in _FOR_GOOD else []

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many were refused."""
        refused, seen = counters.get("refused", 0), counters.get("seen", 0)
        kind = requests_named(self.path, "requests")
        return f"{refused:,} of {seen:,} {kind} of the stack were answered with {self.status}"
