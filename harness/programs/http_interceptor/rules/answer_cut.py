"""`answer_cut`: the service commits and answers, and the client's connection ends without its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request
from harness.programs.http_interceptor.rules.kind import Kind, require

_PLACES = {"before": 0.0, "middle": 0.5}


@dataclass(frozen=True)
class AnswerCut(Kind):
    """`at` says whether nothing of the answer leaves (`before`), or its head and half its body (`middle`)."""

    at: str = "before"
    path: str = "_bulk"

    def __post_init__(self) -> None:
        require(self.at in _PLACES, f"at must be one of {sorted(_PLACES)}, got {self.at!r}")

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Wait for the whole answer, then let the connection end."""
        answer = await onward(request)
        # Only a success says that something was committed.
        note("cut_after_commit" if 200 <= answer.status < 300 else "cut_after_error", 1)
        return replace(answer, sent_share=_PLACES[self.at])
