"""Which record carries which canary, through which path, and where in its line: a function of its sequence.

Everyone who asks computes the same, so nothing has to be told: the application plants, the oracle knows the
spans, and the search knows what to look for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import quote

from harness.evidence.lines import LineSource
from harness.evidence.secrets.kinds import KINDS, Canary
from harness.model.protocols import ARGUMENT, EXCEPTION, EXTRA, MESSAGE, URL, Secret

INTERVAL = 4
"""One record in so many carries a canary; the others are what a mask must leave alone."""

IN_LINE = frozenset({MESSAGE, ARGUMENT, URL})
"""The paths that change the line; the others bring the canary beside it."""

PATHS = (MESSAGE, ARGUMENT, EXTRA, EXCEPTION, URL)


@dataclass(frozen=True, slots=True)
class Planted:
    """A record's canary: the path it takes, the canary, and what of the line (from, to) it stands at."""

    path: str
    canary: Canary
    from_character: int = 0
    to_character: int = 0


class PlantedLines:
    """Lines some of which carry canaries; implements LineSource.

    Args:
        lines: the lines without them.
        seed: of the run.
        run_id: of the run, so that no two runs look for the same values.
        kinds: words of `KINDS`.
        paths: of those in `PATHS`, the ones that the intake has.
    """

    def __init__(
        self, lines: LineSource, seed: int, run_id: str, kinds: Sequence[str], paths: Sequence[str]
    ) -> None:
        self._lines = lines
        self._seed = f"{seed}:{run_id}"
        self.canaries: Mapping[tuple[str, str], Canary] = {
            (kind, path): canary
            for path in paths
            for kind in kinds
            if (canary := _made(kind, path, Random(f"{self._seed}:{kind}:{path}"))) is not None  # noqa: S311
        }
        self._order = list(self.canaries)

    def text(self, sequence: int) -> str:
        """Return the text of a record, without its identity, with its canary in it where it has one."""
        text = self._lines.text(sequence)
        planted = self.planted(sequence)
        if planted is None or planted.path not in IN_LINE:
            return text
        at = self._place(sequence, text)
        return f"{text[:at]}{planted.canary.text} {text[at:]}"

    def planted(self, sequence: int) -> Planted | None:
        """Return the canary of a record and where it stands in its line; None where it has none.

        Args:
            sequence: the record's; every `INTERVAL`-th has a canary.
        """
        turn, rest = divmod(sequence, INTERVAL)
        if rest or not self._order:
            return None
        kind, path = self._order[turn % len(self._order)]
        canary = self.canaries[kind, path]
        if path not in IN_LINE:
            return Planted(path, canary)
        begin = self._place(sequence, self._lines.text(sequence)) + len(canary.before)
        return Planted(path, canary, begin, begin + len(canary.masked))

    def spans(self, sequence: int) -> tuple[tuple[int, int], ...]:
        """Return the parts (from, to) of a record's line that a mask may change, in characters from 0.

        Args:
            sequence: the record's; of one without a canary in its line no part.
        """
        planted = self.planted(sequence)
        if planted is None or not planted.to_character:
            return ()
        return ((planted.from_character, planted.to_character),)

    def secret(self, sequence: int) -> Secret | None:
        """Return what the intake has to bring beside the line, or to hand over apart from it.

        Args:
            sequence: the record's; None where it has no canary.
        """
        planted = self.planted(sequence)
        if planted is None:
            return None
        canary, begin, end = planted.canary, planted.from_character, planted.to_character
        # Every other argument is only half of the secret: whole it is in the formatted message alone.
        if planted.path == ARGUMENT and sequence // INTERVAL % 2:
            begin += (end - begin) // 2
        value = canary.masked if canary.key != "note" else canary.text
        return Secret(canary.kind, planted.path, canary.text, canary.key, value, begin, end)

    def _place(self, sequence: int, text: str) -> int:
        """Return where in a text the canary is put: before a word, at the beginning or at the end."""
        rng = Random(f"{self._seed}:{sequence}:place")  # noqa: S311 - reproducible load, not a secret
        words = [0, *(at + 1 for at, sign in enumerate(text[:-1]) if sign == " " and text[at + 1] != " ")]
        return rng.choice(words)


def _made(kind: str, path: str, rng: Random) -> Canary | None:
    """Return the canary of a kind for a path; None where the kind has no place in that path."""
    canary = KINDS[kind](rng)
    if path != URL:
        return canary
    if canary.in_query is None:
        return None
    name, value = canary.in_query
    quoted = quote(value, safe="")
    secrets = dict.fromkeys((*canary.secrets, *(quote(each, safe="") for each in canary.secrets)))
    return replace(
        canary,
        masked=quoted,
        secrets=tuple(secrets),
        before=f"GET https://shop.example/orders?page=2&{name}=",
        after="&sort=asc",
    )
