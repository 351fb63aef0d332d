"""Groups errors by what they say without their numbers, and knows the most frequent in bounded memory."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

TEXT_CHARACTERS_MAX = 200
"""More of a message, or of a name, is neither looked at nor kept."""
PLACEHOLDER = "<*>"
_TEMPLATES_KNOWN_MAX = 512
# A number with what hangs on it: 17, 0x1f, 10.0.3.4:9200, 12:00:01, a UUID. It begins with a digit because
# expressions that begin with few characters are searched for three times as fast.
_NUMBER = re.compile(r"\d(?:[0-9a-fA-FxX]*\b|\d*)(?:[-.:][0-9a-fA-F]+\b)*")
# Of bytes: a text is translated with a table of characters that is filled anew for each.
_ANY_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_HEXADECIMAL = "abcdefABCDEF"

_HEAD = slice(TEXT_CHARACTERS_MAX)

ErrorKey = tuple[str, str, str]
"""Logger, template, and name of the exception's class; empty where there is none."""
ErrorText = tuple[str, str, bool, str]
"""Logger, beginning of a message, whether its arguments are still to be put in, and the exception's class."""


def error_text(logger: str, record: logging.LogRecord) -> ErrorText:
    """Return what a record says, without formatting it: no code of the application runs.

    Args:
        logger: Who logged it.
        record: The record.

    Raises:
        Exception: The record was made by hand, and wrongly.
    """
    message, arguments, exception = record.msg, record.args, ""
    if message.__class__ is str:
        text = message[_HEAD]
    elif isinstance(message, str):
        text = str.__getitem__(message, _HEAD)  # a plain string, whatever a class made of `str` does
    else:
        text = f"<{type(message).__name__}>"
    if record.exc_info and (kind := record.exc_info[0]) is not None:
        exception = kind.__name__[_HEAD]
    is_complete = arguments is None or (arguments.__class__ is tuple and not arguments)
    return logger, text, not is_complete, exception


def printable(text: str) -> str:
    """Return a text that every encoding of Unicode takes: half a surrogate pair is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def masked(text: str) -> str:
    """Return a text with a placeholder for each number, hexadecimal number, address and UUID.

    A hexadecimal number that has no digit is a word. Linear in the length of the text.
    """
    parts = _NUMBER.split(text)
    if len(parts) == 1:
        return text
    return PLACEHOLDER.join([*map(_without_hexadecimal_end, parts[:-1]), parts[-1]])


class Templates:
    """Templates of messages that were formatted before they came; remembers a few, as errors repeat."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def template(self, text: str) -> str:
        """Return a text's template.

        Args:
            text: The beginning of a message.
        """
        # What differs by its digits alone has one template: to find it again costs a tenth of finding it.
        alike = text.encode("utf-8", "surrogatepass").translate(_ANY_DIGIT)
        known = self._known.get(alike)
        if known is None:
            if len(self._known) >= _TEMPLATES_KNOWN_MAX:
                self._known.clear()
            known = self._known[alike] = masked(alike.decode("utf-8", "surrogatepass"))
        return known


@dataclass(frozen=True, slots=True)
class Hitter:
    """One of the most frequent keys.

    Attributes:
        key: What was counted.
        count: How often it came, at most; never less than the truth.
        overcount_max: By how much `count` may be too high.
    """

    key: ErrorKey
    count: int
    overcount_max: int


class HeavyHitters:
    """The most frequent keys of a stream, by Space-Saving (Metwally, Agrawal, El Abbadi: ICDT 2005).

    Of n keys told, every key that came more than `n / capacity` times is among those kept, and no count is
    too high by more than that. A key that finds no room takes the place of one with the lowest count, and
    goes on from it. Keys of one count are kept together, so that the lowest is known without looking at all.

    Args:
        capacity: Keys kept at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: dict[ErrorKey, int] = {}
        self._of_count: dict[int, dict[ErrorKey, int]] = {}
        """By count, the keys that have it, with the overcount of each; the first has had it longest."""
        self._lowest = 0
        self.told = 0

    def tell(self, key: ErrorKey, times: int = 1) -> None:
        """Count a key.

        Args:
            key: What came.
            times: How often.
        """
        self.told += times
        count = self._counts.get(key)
        if count is not None:
            overcount = self._of_count[count].pop(key)
        elif len(self._counts) < self._capacity:
            count = overcount = 0
        else:
            count = overcount = self._lowest
            given_up = next(iter(self._of_count[count]))
            del self._of_count[count][given_up], self._counts[given_up]
        self._counts[key] = count + times
        self._of_count.setdefault(count + times, {})[key] = overcount
        if count and not self._of_count[count]:
            del self._of_count[count]
        if not count or count == self._lowest:
            self._lowest = self._lowest_now(count + times)

    def _lowest_now(self, changed: int) -> int:
        if self._lowest in self._of_count:
            return min(self._lowest, changed)
        return min(self._of_count)

    @property
    def floor(self) -> int:
        """How often a key that is not kept came at most."""
        return self._lowest if len(self._counts) >= self._capacity else 0

    def hitters(self) -> dict[ErrorKey, Hitter]:
        """Return what is kept, by key."""
        return {
            key: Hitter(key, count, overcount)
            for count, keys in self._of_count.items()
            for key, overcount in keys.items()
        }


def merged(summaries: Sequence[HeavyHitters]) -> list[Hitter]:
    """Return the keys of several parts of one stream, the most frequent first.

    The counts stay upper bounds: a key that a full summary does not have may have come as often as its floor.

    Args:
        summaries: One for each part, in any order.
    """
    parts = [(summary.floor, summary.hitters()) for summary in summaries]
    keys = {key: None for _, hitters in parts for key in hitters}
    found = [_in_all(key, parts) for key in keys]
    return sorted(found, key=lambda hitter: (-hitter.count, hitter.key))


def _in_all(key: ErrorKey, parts: list[tuple[int, dict[ErrorKey, Hitter]]]) -> Hitter:
    each = [hitters.get(key, Hitter(key, floor, floor)) for floor, hitters in parts]
    return Hitter(key, sum(hitter.count for hitter in each), sum(hitter.overcount_max for hitter in each))


def _without_hexadecimal_end(text: str) -> str:
    """Return a text without the letters that a hexadecimal number begins with, where they begin a word."""
    left = text.rstrip(_HEXADECIMAL)
    return text if left and (left[-1].isalnum() or left[-1] == "_") else left
