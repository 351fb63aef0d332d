"""Where shapes differ in one word: how many words tell that the word is a value.

Two lines that differ in one word say two things ("VM Started", "VM Paused"), until so many words were seen
in that place that nobody wrote them all into a program ("session of alice", "session of bob", …), or a
number was.

A *variation* is a shape without one of its words, and the place of that word. It is a number: the sum over
the tokens of each token's hash times its place's factor, with the wildcard's hash for the word's, and the
place. So the variations of a shape cost one pass over it, and those that a shape with a value there shows.

A line's *head* is its first words. Where so many shapes go on after the same head that nobody wrote them all,
what goes on is free text, one value whatever it is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from logging_system.coordination.learning.shapes import TOKENS_MAX, WILDCARD, Shape, is_word
from logging_system.coordination.learning.word_lists import SAY_WHAT_HAPPENED

WORDS_MIN = 6
"""So many different words in one place are values."""
FIRST_WORDS_MIN = 12
"""As above, where the line begins with them: that is what a message is about more often than a value."""

HEAD_WORDS = 4
"""So many words are a head, where at least two more follow."""
HEAD_SHAPES_MIN = 32
"""So many shapes of one head have free text behind it."""

_PARTICIPLE_CHARACTERS_MIN = 5

_PRIME = (1 << 61) - 1
_factors = random.Random(20260514)  # noqa: S311 - spreads places apart; the hashes of strings are the secret
_FACTORS = tuple(_factors.randrange(1, _PRIME) for _ in range(TOKENS_MAX + 1))


def number(shape: Shape) -> int:
    """Return a shape's own number; two shapes have the same by chance once in 10^18 pairs."""
    total = len(shape) * _FACTORS[-1]
    for token, factor in zip(shape, _FACTORS, strict=False):
        total += hash(token) * factor
    return total % _PRIME


def variations(shape: Shape) -> Iterator[tuple[int, int]]:
    """Yield the number of each variation of a shape, and how many words there make it a value.

    What has no other word has none: one word alone is all that a line says.
    """
    words = [place for place, token in enumerate(shape) if is_word(token)]
    if len(words) < 2:
        return
    places = [place for place in words if not _says_what_happened(shape[place])]
    whole, wildcard = number(shape), hash(WILDCARD)
    for place in places:
        words_min = WORDS_MIN if place else FIRST_WORDS_MIN
        varied = whole + (wildcard - hash(shape[place])) * _FACTORS[place]
        yield varied % _PRIME + place, words_min


def shown_by(shape: Shape) -> Iterator[int]:
    """Yield the number of each variation whose word is a value, as this shape has a value there."""
    whole = number(shape)
    for place, token in enumerate(shape):
        if token == WILDCARD:
            yield whole + place


def head(shape: Shape) -> tuple[int, int] | None:
    """Return the number of a shape's head and how many tokens it has; None for a shape that is too short."""
    words = [place for place, token in enumerate(shape) if is_word(token)]
    if len(words) < HEAD_WORDS + 2:
        return None
    length = words[HEAD_WORDS - 1] + 1
    return number(shape[:length]) - _PRIME, length  # below nought, where no other number is


def _says_what_happened(word: str) -> bool:
    """Tell whether a word is a verb or a state ("started", "pausing", "up"), which is never a value."""
    lower = word.lower().rstrip(".!")
    if lower in SAY_WHAT_HAPPENED:
        return True
    return len(lower) >= _PARTICIPLE_CHARACTERS_MIN and lower.endswith(("ed", "ing"))
