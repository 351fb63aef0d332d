"""Where the values of a masked line stand, and what stands there in a line."""

from __future__ import annotations

from collections.abc import Iterable

from logging_system.coordination.learning.masks import MASK
from logging_system.coordination.learning.shapes import WILDCARD, Shape, Token, tokens
from logging_system.coordination.learning.template import Template

_PLACES_MAX = 16_384
_CHARACTERS_OF_A_PLACE = 64
"""So many characters of a line count as much as a place."""

Places = tuple[tuple[str, ...], ...]
"""For each wildcard of a template, the text around what was masked."""


class ValuePlaces:
    """Remembers of some masked lines where their values stand, as lines repeat and finding it takes 40 µs."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Shape, Places]] = {}
        self._size = 0

    def of(self, masked_line: str, template: Template) -> Places | None:
        """Return where the values of a masked line stand; None when it has another template.

        Args:
            masked_line: The line.
            template: The template.
        """
        wanted = template.tokens
        known = self._known.get(masked_line)
        if known is not None and known[0] is wanted:
            return known[1]
        places = _places(masked_line, wanted, template.is_open)
        if places is not None:
            size = 1 + len(places) + len(masked_line) // _CHARACTERS_OF_A_PLACE
            if self._size + size > _PLACES_MAX:
                self._known.clear()
                self._size = 0
            self._size += size
            self._known[masked_line] = wanted, places
        return places


def filled(places: Places, taken_out: Iterable[str]) -> tuple[str, ...]:
    """Return what stands in a line for each wildcard.

    Args:
        places: Where the values of its masked line stand.
        taken_out: What was masked, from left to right.
    """
    remaining = iter(taken_out)
    return tuple(
        [
            around[0] if len(around) == 1 else _joined(around, [next(remaining, "") for _ in around[1:]])
            for around in places
        ]
    )


def _joined(around: tuple[str, ...], taken_out: list[str]) -> str:
    return around[0] + "".join([value + after for value, after in zip(taken_out, around[1:], strict=True)])


def _places(masked_line: str, wanted: Shape, is_open: bool) -> Places | None:
    parts = tokens(masked_line)
    if is_open and len(parts) >= len(wanted):
        rest = parts[len(wanted) - 1]
        parts = [*parts[: len(wanted) - 1], Token(WILDCARD, rest.begin, parts[-1].end, rest.spaced)]
    if len(parts) != len(wanted):
        return None
    places = []
    for part, token in zip(parts, wanted, strict=True):
        if token == WILDCARD:
            places.append(tuple(masked_line[part.begin : part.end].split(MASK)))
        elif token != part.text:
            return None
    return tuple(places)
