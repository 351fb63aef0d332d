"""`garbage_answers`: a 200 for every request, with bytes that mean nothing; the service never sees it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.programs.http_interceptor.bulk import JSON
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request, made_up
from harness.programs.http_interceptor.rules.kind import Kind, require

_MARK_CHARACTERS_MAX = 100
_GARBAGE_BYTES = 512


@dataclass(frozen=True)
class GarbageAnswers(Kind):
    """Random bytes that claim to be JSON, behind a mark by which whoever set the rule knows them."""

    mark: str = ""
    path: ClassVar[str] = "*"

    def __post_init__(self) -> None:
        require(
            len(self.mark) <= _MARK_CHARACTERS_MAX and self.mark.isascii(),
            f"mark must have at most {_MARK_CHARACTERS_MAX} characters, all of ASCII",
        )

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Answer without the service."""
        note("garbage", 1)
        return made_up(200, b"OK", JSON, self.mark.encode() + rng.randbytes(_GARBAGE_BYTES))
