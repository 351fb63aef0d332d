"""Lines whose shapes a schedule plans: ordinary ones, usual errors, one of a kind, a new error."""

from __future__ import annotations

from random import Random

from harness.evidence.lines import LineSource

ORDINARY, USUAL_ERROR, UNIQUE, NEVER_LOGGED = ".", "e", "u", "n"
"""The letters of a plan."""

_CONSONANTS, _VOWELS = "bcdfglmnprstv", "aeiou"
_USUAL = (
    "payment {number} was refused by its bank",
    "no answer from the stock service within {number} ms",
    "session {number} has a token that is too old",
)


class ShapedLines:
    """The lines of a source, and instead of some of them those that a plan of shapes asks for.

    A usual error, and the new one, end in a line break: what follows on the next line is the record's
    identity, so that all of a kind begin with the same line but for its numbers.

    Args:
        lines: Where ordinary lines come from.
        seed: Of the others; each is a function of the seed and its sequence.
        shapes: The letter of each record's shape; what is numbered beyond it is ordinary.
    """

    def __init__(self, lines: LineSource, seed: int, shapes: str) -> None:
        self._lines, self._seed, self._shapes = lines, seed, shapes

    def text(self, sequence: int) -> str:
        """Return the text of this record, without its identity."""
        shape = self._shapes[sequence] if sequence < len(self._shapes) else ORDINARY
        if shape == ORDINARY:
            return self._lines.text(sequence)
        rng = Random(f"{self._seed}:{sequence}:shape")  # noqa: S311 - reproducible load, not a secret
        if shape == UNIQUE:
            return " ".join(_word(rng) for _ in range(rng.randint(4, 14)))
        number = rng.randint(1, 100_000)
        if shape == NEVER_LOGGED:
            return f"cannot open ledger {number}: its index is damaged\n"
        return rng.choice(_USUAL).format(number=number) + "\n"


def _word(rng: Random) -> str:
    """Return a word that no language has, or a number now and then."""
    if rng.random() < 0.15:
        return str(rng.randint(0, 10**6))
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.randint(2, 5)))
