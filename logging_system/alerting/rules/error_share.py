"""Too large a share of records within a window, such as more than 5 % errors.

Linear, so that late records fit in: `matching - share * all >= excess`. For an objective and its error budget
there is `error_slo`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.alerting.matching import Document, RecordMatch
from logging_system.alerting.rules.windowed import WindowedRule
from logging_system.alerting.windows import Condition

_SCALE = 10_000
"""Shares are counted in parts of this many."""


class ErrorShare(WindowedRule):
    """More matching records than a share of all allows, by `excess` records."""

    kind: Literal["error_share"] = Field("error_share", description="The kind.")
    match: RecordMatch = Field(RecordMatch(level="error"), description="Which records count as errors.")
    of: RecordMatch = Field(RecordMatch(), description="Which records are all of them.")
    share: float = Field(gt=0, lt=1, description="The share that is allowed, such as `0.05`.")
    excess: int = Field(
        5,
        ge=1,
        le=1_000_000,
        description="How many more than allowed are enough; a few prove little.",
    )

    def weight(self, document: Document) -> int | None:
        """Return what a record adds to the excess, in 10,000ths of a record; None where it is none of all.

        Args:
            document: The record, as it is stored. What matches adds what the share leaves of a record; what
                does not takes the share away.
        """
        allowed = round(self.share * _SCALE)
        if self.match.matches(document):
            return _SCALE - allowed
        return -allowed if self.of.matches(document) else None

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
        return f"{total / _SCALE:.1f} records more than {self.share:.4g} of all"
