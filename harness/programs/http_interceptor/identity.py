"""Which record a document is: by what the harness wrote into its line, or by a field with its number."""

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
        sequence_path: the path, dots parting keys, of a field that holds the number in decimal; it counts
            where the pattern finds none, as in a document whose message is sealed. Empty = there is none.
    """

    pattern: str
    digits: str = DIGITS
    sequence_path: str = ""

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
        if len(self.sequence_path) > PATTERN_CHARACTERS_MAX:
            raise ApiError(400, f"sequence_path must have at most {PATTERN_CHARACTERS_MAX} characters")

    def number_in(self, item: Item) -> int | None:
        """Return the record's number; None where the document tells none."""
        try:
            document = orjson.loads(item.source)
        except orjson.JSONDecodeError:
            return None
        # Written anew, so that no escape of the stack's own hides what is looked for.
        found = re.search(self.pattern, orjson.dumps(document).decode(), re.IGNORECASE)
        if found and found[1]:
            return self._number(found[1])
        return _whole_number(_value_at(document, self.sequence_path)) if self.sequence_path else None

    def _number(self, written: str) -> int | None:
        values = {digit: value for value, digit in enumerate(self.digits.lower())}
        number = 0
        for character in written.lower():
            if (value := values.get(character)) is None:
                return None
            number = number * len(values) + value
        return number


def _value_at(document: object, path: str) -> object:
    """Return what stands at a path, whose keys may be nested or hold the dots; None for nothing."""
    if not isinstance(document, dict):
        return None
    if path in document:
        return document[path]
    key, dot, rest = path.partition(".")
    while dot:
        if key in document and (value := _value_at(document[key], rest)) is not None:
            return value
        following, dot, rest = rest.partition(".")
        key = f"{key}.{following}"
    return None


def _whole_number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= DIGITS_MAX:
        return int(value)
    return value if type(value) is int and value >= 0 else None
