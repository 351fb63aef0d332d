"""Where shapes differ in one word: how many words tell that the word is a value.

Two lines that differ in one word say two things ("VM Started", "VM Paused"), until so many words were seen
in that place that nobody wrote them all into a program ("session of alice", "session of bob", …), or a
number was.

A *variation* is a shape without one of its words. It is a number: the sum over the tokens of each token's
hash times its place's factor, with the wildcard's hash in place of the word's. So the variations of a shape
cost one pass over it, and a shape that has the wildcard in that place has the same number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from logging_system.coordination.learning.shapes import TOKENS_MAX, WILDCARD, Shape, is_word

WORDS_MIN = 6
"""So many different words in one place are values."""
FIRST_WORDS_MIN = 12
"""As above, where the line begins with them: that is what a message is about more often than a value."""

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
    places = [place for place, token in enumerate(shape) if is_word(token)]
    if len(places) < 2:
        return
    whole, wildcard = number(shape), hash(WILDCARD)
    for place in places:
        words_min = WORDS_MIN if place else FIRST_WORDS_MIN
        yield (whole + (wildcard - hash(shape[place])) * _FACTORS[place]) % _PRIME, words_min
