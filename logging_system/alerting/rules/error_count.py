"""Enough records of a level within a window, such as 10 errors within 60 s."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.alerting.matching import Document, RecordMatch
from logging_system.alerting.rules.windowed import WindowedRule
from logging_system.alerting.windows import Condition


class ErrorCount(WindowedRule):
    """Enough records within a window."""

    kind: Literal["error_count"] = Field("error_count", description="The kind.")
    match: RecordMatch = Field(RecordMatch(level="error"), description="Which records it counts.")
    threshold: int = Field(10, ge=1, le=1_000_000, description="How many records are enough.")

    def weight(self, document: Document) -> int | None:
        """Return 1 where the `document`, a record as it is stored, matches; None where it does not."""
        return 1 if self.match.matches(document) else None

    def condition(self) -> Condition:
        """Return the threshold."""
        return Condition(self.threshold)

    def limit(self) -> str:
        """Return the threshold in words."""
        return f"{self.threshold} within {self.window_seconds:g} s"

    def amount(self, total: int) -> str:
        """Return a `total` of weights, which is a number of records, in words."""
        level = f" of level {self.match.level} or above" if self.match.level else ""
        return f"{total} records{level}"
