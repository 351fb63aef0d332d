"""Shows rules a text as a person reads it: characters that look alike become one, unseen ones are left out.

A name in full width, a Cyrillic letter in `password`, a no-break space in a card's number and a
soft hyphen in a name hide nothing from a reader, so they must hide nothing from a rule.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from logging_system.masking.rule import Span

_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width space, non-joiner, joiner, word joiner, and the mark of byte order."""
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212"
_LETTERS = {
    "АВЕЅІЈКМНОРСТХаеѕіјорсухһԁԛԝ": "ABESIJKMHOPCTXaesijopcyxhdqw",  # noqa: RUF001 - Cyrillic, which is the point
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧορνι": "ABEZHIKMNOPTYXopvi",  # noqa: RUF001 - Greek
}
_ALIKE = (
    {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}  # full width
    | dict.fromkeys(map(ord, _SPACES), " ")
    | dict.fromkeys(map(ord, _HYPHENS), "-")
    | {ord(shown): meant for alike in _LETTERS.items() for shown, meant in zip(*alike, strict=True)}
    | {ord("⇒"): "→"}
    | {first + digit: str(digit) for first in (0x660, 0x6F0) for digit in range(10)}  # Arabic and Persian
)
_WITHOUT = dict.fromkeys(map(ord, _UNSEEN))

GATE = (
    rb"\xc2[\xa0\xad]|\xe2(?:\x80[\x80-\x94\xaf]|\x81[\x9f\xa0]|\x87\x92|\x88\x92)|\xe3\x80\x80|\xef(?:[\xbc\xbd]|\xbb\xbf)"
    rb"|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|[A-Za-z][\xce-\xd4]|[\xce-\xd4][\x80-\xbf][A-Za-z]"
)
"""Where one of these may stand: letters of other alphabets only beside Latin ones."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A text as it is read.

    Attributes:
        text: What rules look at.
        seen_before: For each character that was left out, how many seen ones stand before it, in order.
    """

    text: str
    seen_before: Sequence[int] = ()

    def span(self, start: int, end: int) -> Span:
        """Return where something stands in the text as it is, with what was left out within it.

        Args:
            start: Where it begins in `text`.
            end: Where it ends there, exclusive.
        """
        if not self.seen_before or end <= start:
            return start, end
        return self._place(start), self._place(end - 1) + 1

    def _place(self, place: int) -> int:
        return place + bisect_right(self.seen_before, place)


def plain(text: str) -> Plain:
    """Return a text as it is read; itself where all of it is ASCII."""
    if text.isascii():
        return Plain(text)
    alike = text.translate(_ALIKE)
    unseen = [place for place, each in enumerate(alike) if each in _UNSEEN]
    if not unseen:
        return Plain(alike)
    seen_before = [place - rank for rank, place in enumerate(unseen)]
    return Plain(alike.translate(_WITHOUT), seen_before)
