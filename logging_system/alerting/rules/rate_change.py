"""Many more records within a window than the windows before it held: a rate that jumps.

Linear, so that late records fit in: `within - factor * mean of the windows before >= records_min`. A service
that was not seen before has no baseline; it begins to have one as old as the windows before it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.alerting.matching import Document
from logging_system.alerting.rules.windowed import WindowedRule
from logging_system.alerting.windows import SLOTS_PER_WINDOW, Condition

_SCALE = 100
"""Factors are counted in parts of this many."""


class RateChange(WindowedRule):
    """More records than a multiple of what is usual."""

    kind: Literal["rate_change"] = Field("rate_change", description="The kind.")
    factor: float = Field(3.0, gt=1, le=1_000, description="How many times as many as usual are allowed.")
    baseline_windows: int = Field(10, ge=1, le=60, description="How many windows before say what is usual.")
    records_min: int = Field(
        100, ge=1, le=10_000_000, description="How many more records than that are enough."
    )

    def weight(self, document: Document) -> int | None:
        """Return 1 where the `document`, a record as it is stored, matches; None where it does not."""
        return 1 if self.match.matches(document) else None

    def condition(self) -> Condition:
        """Return a window less the scaled mean of those before it."""
        within, before = self.baseline_windows * _SCALE, round(self.factor * _SCALE)
        end = (self.baseline_windows + 1) * SLOTS_PER_WINDOW
        return Condition(
            threshold=self.records_min * within,
            kernel=((0, within), (SLOTS_PER_WINDOW, -within - before), (end, before)),
            can_fall=True,
            history_slots=self.baseline_windows * SLOTS_PER_WINDOW,
        )

    def limit(self) -> str:
        """Return the limit in words."""
        return f"{self.factor:g} times what is usual, and {self.records_min} more"

    def amount(self, total: int) -> str:
        """Return a `total` of weights, which is the number of records of the window alone, in words."""
        return f"{total} records"
