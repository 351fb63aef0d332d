"""A percentile of what records say of durations, such as the 99th above 500 ms.

The 99th percentile is above a limit where more than 1 % of the records are. Counted as that, it is linear,
and late records fit in: `slow - (1 - percentile) * all >= excess`.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from logging_system.alerting.matching import Document, field_of
from logging_system.alerting.rules.windowed import WindowedRule
from logging_system.alerting.windows import Condition

_SCALE = 10_000
"""Shares are counted in parts of this many."""


class Latency(WindowedRule):
    """A percentile of a number above a limit."""

    kind: Literal["latency"] = Field("latency", description="The kind.")
    field: str = Field(
        "labels.duration_ms",
        min_length=1,
        description="The field with the duration; records without are left out.",
    )
    limit_ms: float = Field(gt=0, description="The limit; in milliseconds where the field is.")
    percentile: float = Field(99.0, ge=50, le=99.9, description="Which percentile must stay below it.")
    excess: int = Field(
        5, ge=1, le=1_000_000, description="How many slow records more than allowed are enough."
    )

    def weight(self, document: Document) -> int | None:
        """Return what a record adds to the excess, in 10,000ths of a record; None where it has no duration.

        Args:
            document: The record, as it is stored. The duration may be a text with a number; nan is none.
        """
        if not self.match.matches(document):
            return None
        duration = _number(field_of(document, self.field))
        if duration is None:
            return None
        allowed = round((100 - self.percentile) / 100 * _SCALE)
        return _SCALE - allowed if duration > self.limit_ms else -allowed

    def condition(self) -> Condition:
        """Return the excess."""
        return Condition(self.excess * _SCALE, can_fall=True)

    def limit(self) -> str:
        """Return the excess in words."""
        return f"{self.excess} within {self.window_seconds:g} s"

    def amount(self, total: int) -> str:
        """Return an excess in words.

        Args:
            total: The sum of weights, in 10,000ths of a record.
        """
        slower = f"slower than {self.limit_ms:g}"
        return f"{total / _SCALE:.1f} records {slower} more than the {self.percentile:g}th percentile allows"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if math.isnan(number) else number
