"""One figure of a comparison, and whether it reached its goal."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.page import markdown_table

_GOAL = re.compile(r"([≤≥])\s*([\d.,]*\d)")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, in which unit, and what it should be.

    Attributes:
        what: The path.
        value: The figure of one round.
        unit: Its unit; empty for a bare number.
        goal: `≤` or `≥` and a number of the same unit; "-" where there is none.
    """

    what: str
    value: float
    unit: str
    goal: str


def reaches(value: float, goal: str) -> bool | None:
    """Return whether a figure reaches a goal; None where the goal is none that a number can reach."""
    found = _GOAL.match(goal)
    if found is None:
        return None
    wanted = float(found[2].replace(",", ""))
    return value <= wanted if found[1] == "≤" else value >= wanted


def verdict(values: Sequence[float], goal: str) -> str:
    """Return what the rounds say of a goal: the median decides, rounds that disagree are told."""
    met = reaches(statistics.median(values), goal)
    if met is None:
        return "-"
    agreeing = sum(reaches(value, goal) is met for value in values)
    word = "met" if met else "missed"
    return word if agreeing == len(values) else f"{word} ({agreeing} of {len(values)} rounds)"


def table(rounds: Sequence[Row]) -> str:
    """Return the rows of all rounds as Markdown: median, range, goal, and whether it was met."""
    found: dict[str, list[Row]] = {}
    for row in rounds:
        found.setdefault(row.what, []).append(row)
    return markdown_table(
        ["path", "median", "range", "goal", "goal is"], [_cells(rows) for rows in found.values()]
    )


def _cells(rows: Sequence[Row]) -> list[str]:
    values = [row.value for row in rows]
    middle = f"{number(statistics.median(values))} {rows[0].unit}".strip()
    spread = f"{number(min(values))} to {number(max(values))}" if len(values) > 1 else "one round"
    return [rows[0].what, middle, spread, rows[0].goal, verdict(values, rows[0].goal)]


def number(value: float) -> str:
    """Return a figure with two decimals; without, where they would say nothing."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}"
