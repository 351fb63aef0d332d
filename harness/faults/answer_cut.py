"""The store commits a request and answers, and the answer never arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from harness.faults.http_rule import HttpRule, require_share
from harness.model.declarations import Arguments

Place: TypeAlias = Literal["before", "middle"]


@dataclass(frozen=True)
class AnswerCut(HttpRule):
    """The connection ends before the answer (`at: before`) or in the middle of it.

    Unlike a reset, which may hit the request, the store has committed each request that is hit.

    Args:
        at: where the connection ends: `before` the answer or in the `middle` of it.
        share: the share of bulk requests that are hit, above 0 and at most 1.
    """

    at: Place = "before"
    share: float = 1.0
    kind: ClassVar[str] = "answer_cut"
    proofs: ClassVar[tuple[str, ...]] = ("cut_after_commit",)

    def __post_init__(self) -> None:
        """Refuse a share out of range; raises ScenarioError."""
        require_share("share", self.share)

    @property
    def share_of_requests(self) -> float:
        """The share of bulk requests whose answers are cut."""
        return self.share

    def arguments(self) -> Arguments:
        """Return where to cut."""
        return {"at": self.at}

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many answers were cut."""
        cut = counters.get("cut_after_commit", 0)
        return f"{cut:,} bulk answers were cut after the store had answered 2xx"
