"""`poison_document`: chosen documents are refused for good, whenever and however often they come."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from harness.programs.http_interceptor.bulk import Item, NotBulkError, Refusal, answered_in_part, items_of
from harness.programs.http_interceptor.identity import DIGITS, Identity
from harness.programs.http_interceptor.messages import Answer, Note, Onward, Request
from harness.programs.http_interceptor.rules.kind import Kind, require

_MALFORMED = Refusal(400, "document_parsing_exception", "failed to parse field [poison] of type [long]")


@dataclass(frozen=True)
class PoisonDocument(Kind):
    """Every `every`-th record is poison, by the number that `pattern` finds in its source.

    Attributes:
        pattern: a regular expression whose first group is the record's number.
        digits: the characters that the number is written in, in the order of their value.
        sequence_path: where a document holds the number, for one in which the pattern finds none.
        every: a number that this divides is poison.
    """

    pattern: str = ""
    digits: str = DIGITS
    every: int = 100
    sequence_path: str = ""

    def __post_init__(self) -> None:
        require(self.every >= 1, f"every must be at least 1, got {self.every}")
        self._identity()

    async def handle(self, request: Request, onward: Onward, rng: Random, note: Note) -> Answer:
        """Refuse the poison, take the others onward."""
        try:
            items = items_of(request)
        except NotBulkError:
            note("not_bulk", 1)
            return await onward(request)
        numbers = [self.poisonous(item) for item in items]
        if all(number is None for number in numbers):
            return await onward(request)
        refusals = [None if number is None else _MALFORMED for number in numbers]
        answer, is_mixed = await answered_in_part(request, items, refusals, onward)
        for number in numbers if is_mixed else ():
            if number is not None:
                note("items_400", 1)
                note(f"record_{number}", 1)
        return answer

    def poisonous(self, item: Item) -> int | None:
        """Return the record's number where its document is poison."""
        number = self._identity().number_in(item)
        return number if number is not None and number % self.every == 0 else None

    def _identity(self) -> Identity:
        return Identity(self.pattern, self.digits, self.sequence_path)
