"""What was measured in this run, and the table made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.benchmarks.functions.pairs import PAIRS, Pair
from tests.benchmarks.page import markdown_table

HEAD = ("function", "ns each", "reference", "ns each", "ratio", "reference to itself")


@dataclass(frozen=True, slots=True)
class Round:
    """One round, in seconds of CPU: the reference twice, then the function, all with the same work."""

    reference: float
    again: float
    function: float

    @property
    def ratio(self) -> float:
        """How many times as long as the reference the function took."""
        return 2 * self.function / (self.reference + self.again)

    @property
    def noise(self) -> float:
        """How many times as long as the first time the reference took the second time."""
        return self.again / self.reference


@dataclass
class Measured:
    """The rounds of each pair, by its name."""

    rounds: dict[str, Sequence[Round]] = field(default_factory=dict)

    def table(self) -> str:
        """Return a Markdown table of the pairs that were measured; empty where none was."""
        rows = list(self._rows())
        return markdown_table(HEAD, rows) if rows else ""

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for pair in PAIRS:
            if rounds := self.rounds.get(pair.name):
                yield _row(pair, rounds)


def _row(pair: Pair, rounds: Sequence[Round]) -> tuple[str, ...]:
    article = "an" if pair.unit == "event" else "a"
    return (
        f"{pair.name}, {article} {pair.unit}",
        f"{min(each.function for each in rounds) / pair.units * 1e9:,.0f}",
        pair.reference_name,
        f"{min(each.reference for each in rounds) / pair.units * 1e9:,.0f}",
        _told([each.ratio for each in rounds]),
        _told([each.noise for each in rounds]),
    )


def _told(values: Sequence[float]) -> str:
    """Return the median and the quartiles, within which half of the rounds lie."""
    if len(values) < 2:
        return f"{values[0]:.2f}"
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f"{median(values):.2f} ({low:.2f} to {high:.2f})"
