"""`body_limited`: a request above a size is a 413, and the store never sees it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from harness.programs.http_interceptor.bulk import NotBulkError, items_of
from harness.programs.http_interceptor.identity import DIGITS, Identity
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request, length_of
from harness.programs.http_interceptor.rules.kind import Kind, require


@dataclass(frozen=True)
class BodyLimited(Kind):
    """A body of more than `bytes_max` bytes, as it travels, is too large.

    The answer is as Elasticsearch gives it: no body, no content type, and the connection goes on. A document
    that was too large all by itself fits into no smaller request: it is refused for good, and counted by its
    number.

    Attributes:
        bytes_max: the largest body that passes.
        pattern: a regular expression whose first group is the record's number; empty = none is counted.
        digits: the characters that the number is written in, in the order of their value.
        sequence_path: where a document holds the number, for one in which the pattern finds none.
    """

    bytes_max: int = 1024 * 1024
    pattern: str = ""
    digits: str = DIGITS
    sequence_path: str = ""

    def __post_init__(self) -> None:
        require(self.bytes_max >= 1, f"bytes_max must be at least 1, got {self.bytes_max}")
        if self.pattern:
            self._identity()

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Let it pass, or say that it is too large."""
        if len(request.body) <= self.bytes_max:
            return await onward(request)
        note("too_large", 1)
        if self.pattern:
            self._note_lone_record(request, note)
        return Answer(413, b"Request Entity Too Large", (length_of(b""),), b"")

    def _note_lone_record(self, request: Request, note: Note) -> None:
        try:
            items = items_of(request)
        except NotBulkError:
            note("unnamed", 1)
            return
        if len(items) == 1:
            number = self._identity().number_in(items[0])
            note("unnamed" if number is None else f"record_{number}", 1)

    def _identity(self) -> Identity:
        return Identity(self.pattern, self.digits, self.sequence_path)
