"""One figure of a comparison."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, in which unit, and what it should be."""

    what: str
    value: float
    unit: str
    goal: str
