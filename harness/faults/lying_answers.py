"""A 200 that acknowledges nothing, for requests that the store never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from harness.faults.http_rule import HttpRule, require_share
from harness.model.declarations import Arguments

Words: TypeAlias = Literal["html", "truncated", "gzipped", "wrong_count", "empty"]


@dataclass(frozen=True)
class LyingAnswers(HttpRule):
    """A sign-in page, half a bulk answer, gzip without a header that says so, one item too few, or nothing.

    Whoever takes such an answer for an acknowledgement has lost the records.

    Args:
        lie: what is answered: a sign-in page (`html`), half an answer, gzip without its header, one item too
            few, or an empty body.
        share: the share of bulk requests that are hit, above 0 and at most 1.
    """

    lie: Words = "html"
    share: float = 1.0
    kind: ClassVar[str] = "lying_answers"
    proofs: ClassVar[tuple[str, ...]] = ("lied",)

    def __post_init__(self) -> None:
        """Refuse a share out of range; raises ScenarioError."""
        require_share("share", self.share)

    @property
    def share_of_requests(self) -> float:
        """The share of bulk requests that are lied to."""
        return self.share

    def arguments(self) -> Arguments:
        """Return the lie."""
        return {"lie": self.lie}

    def saw(self, counters: Mapping[str, int]) -> str:
        """Say how many requests and documents were lied about."""
        lied, documents = counters.get("lied", 0), counters.get("items_lied_about", 0)
        return (
            f"{lied:,} bulk requests of the stack with {documents:,} documents were answered with 200 "
            f"({self.lie}) and never reached the store"
        )
