"""What was measured in this run, and the table made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.benchmarks.functions.pairs import PAIRS, Pair
from tests.benchmarks.page import markdown_table

REFERENCE, FUNCTION, AGAIN = "reference", "function", "reference again"
ROLES = (REFERENCE, FUNCTION, AGAIN)
HEAD = ("function", "ns each", "reference", "ns each", "ratio", "reference to itself")


@dataclass
class Measured:
    """The best round of each function and of its reference, before and after it, in seconds."""

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)

    def table(self) -> str:
        """Return a Markdown table of the pairs that were measured whole; empty where none was."""
        rows = list(self._rows())
        return markdown_table(HEAD, rows) if rows else ""

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for pair in PAIRS:
            times = {
                role: self.seconds[pair.name, role] for role in ROLES if (pair.name, role) in self.seconds
            }
            if len(times) == len(ROLES):
                yield _row(pair, times)


def _row(pair: Pair, times: Mapping[str, float]) -> tuple[str, ...]:
    """Return one line: the ratio is to the mean of the reference before and after."""
    reference = (times[REFERENCE] + times[AGAIN]) / 2
    return (
        f"{pair.name}, a {pair.unit}" if pair.unit == "record" else f"{pair.name}, an {pair.unit}",
        f"{times[FUNCTION] / pair.units * 1e9:,.0f}",
        pair.reference_name,
        f"{reference / pair.units * 1e9:,.0f}",
        f"{times[FUNCTION] / reference:.2f}",
        f"{times[AGAIN] / times[REFERENCE]:.2f}",
    )
