"""Where a stored text first differs from what was sent, and what stands there in both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_BEFORE_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference: its place, counted from 1, and both texts from a little before it on."""

    at_character: int
    expected: str
    found: str


def first_difference(found: str, forms: Iterable[str], characters_max: int) -> Difference:
    """Compare a stored text with the form of what was sent that it follows the longest.

    Args:
        found: as it was read back; it equals none of the forms.
        forms: what was sent, and what the stack may lawfully have made of it; at least one.
        characters_max: how many characters of each are kept, dots for what is left out not counted.

    Returns:
        Where the two part (in characters, from 1 on), and what stands around there in each.
    """
    agreed = {form: _agreed_characters(found, form) for form in forms}
    expected = max(agreed, key=lambda form: (agreed[form], form))
    at = agreed[expected]
    begin = max(0, at - _BEFORE_CHARACTERS)
    return Difference(
        at + 1, _cut_out(expected, begin, characters_max), _cut_out(found, begin, characters_max)
    )


def _agreed_characters(found: str, form: str) -> int:
    pairs = enumerate(zip(found, form, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(found), len(form)))


def _cut_out(text: str, begin: int, characters_max: int) -> str:
    end = begin + characters_max
    return f"{'…' if begin else ''}{text[begin:end]}{'…' if end < len(text) else ''}"
