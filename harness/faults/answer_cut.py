"""A service takes a request and answers, and the answer never arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from harness.faults.http_rule import HttpRule, requests_named, require_path, require_share
from harness.model.declarations import Arguments

Place: TypeAlias = Literal["before", "middle"]


@dataclass(frozen=True)
class AnswerCut(HttpRule):
    """The connection ends before the answer (`at: before`) or in the middle of it.

    Unlike a reset, which may hit the request, the service has taken each request that is hit: a store has
    committed it, a webhook's receiver has its message.

    Args:
        at: where the connection ends: `before` the answer or in the `middle` of it.
        share: the share of these requests that are hit, above 0 and at most 1.
        path: which requests: the last part of their path, or `*` for all.
    """

    at: Place = "before"
    share: float = 1.0
    path: str = "_bulk"
    kind: ClassVar[str] = "answer_cut"
    proofs: ClassVar[tuple[str, ...]] = ("cut_after_commit",)

    def __post_init__(self) -> None:
        """Refuse a share out of range and what is no path; raises ScenarioError."""
        require_share("share", self.share)
        require_path(self.path)

    @property
    def share_of_requests(self) -> float:
        """The share of requests whose answers are cut."""
        return self.share

    def arguments(self) -> Arguments:
        """Return where to cut, and which requests' answers."""
        return {"at": self.at, "path": self.path}

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many answers were cut."""
        cut = counters.get("cut_after_commit", 0)
        answers = requests_named(self.path, "answers")
        service = "the store" if self.path == "_bulk" else "the service"
        return f"{cut:,} {answers} were cut after {service} had answered 2xx"
