"""Which record a document is, by what the harness wrote into its line."""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson

from harness.programs.http_interceptor.bulk import Item
from harness.programs.http_interceptor.errors import ApiError

PATTERN_CHARACTERS_MAX = 200
DIGITS = "0123456789"
DIGITS_MAX = 36


@dataclass(frozen=True)
class Identity:
    """Finds a record's number in a document's source.

    Attributes:
        pattern: a regular expression whose first group is the record's number; letters count in either case.
        digits: the characters that the number is written in, in the order of their value.
    """

    pattern: str
    digits: str = DIGITS

    def __post_init__(self) -> None:
        """Refuse what finds no number.

        Raises:
            ApiError: it is empty, too long, no regular expression or has no group, or there are no two
                digits that differ (400).
        """
        if not 0 < len(self.pattern) <= PATTERN_CHARACTERS_MAX:
            raise ApiError(400, f"pattern must have 1 to {PATTERN_CHARACTERS_MAX} characters")
        try:
            groups = re.compile(self.pattern).groups
        except re.error as error:
            raise ApiError(400, f"pattern is no regular expression: {error}") from error
        if groups < 1:
            raise ApiError(400, "pattern must have a group that finds the record's number")
        if not 2 <= len(self.digits) == len(set(self.digits.lower())) <= DIGITS_MAX:
            raise ApiError(400, f"digits must be 2 to {DIGITS_MAX} characters that all differ")

    def number_in(self, item: Item) -> int | None:
        """Return the record's number; None where the document tells none."""
        try:
            # Written anew, so that no escape of the stack's own hides what is looked for.
            source = orjson.dumps(orjson.loads(item.source)).decode()
        except orjson.JSONDecodeError:
            return None
        found = re.search(self.pattern, source, re.IGNORECASE)
        return self._number(found[1]) if found and found[1] else None

    def _number(self, written: str) -> int | None:
        values = {digit: value for value, digit in enumerate(self.digits.lower())}
        number = 0
        for character in written.lower():
            if (value := values.get(character)) is None:
                return None
            number = number * len(values) + value
        return number
