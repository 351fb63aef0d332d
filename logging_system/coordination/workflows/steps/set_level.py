"""Sets the level of one logger in all processes that log into the spool folder."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import Occasion, filled
from logging_system.coordination.workflows.steps.ordering import OrderingStep
from logging_system.spool.control import LOGGER_CHARACTERS_MAX, Order
from logging_system.spool.control import SetLevel as LevelOrder


class SetLevel(OrderingStep):
    """Raises or lowers the level of one logger. Undone: it has the level that it had."""

    kind: Literal["set_level"] = Field("set_level", description="The kind.")
    logger: str = Field(
        min_length=1,
        max_length=LOGGER_CHARACTERS_MAX,
        description="Name of the logger; `{subject}` is the finding's subject.",
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(description="Its new level.")

    def says(self, finding: Finding) -> str:
        """Say which level."""
        return f"set the level of {filled(self.logger, finding)} to {self.level} for {self.for_seconds:g} s"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the logger, as `SetSampling` does: no two runs change one logger at once."""
        return (f"logger:{filled(self.logger, finding)}",)

    def trouble(self, finding: Finding) -> str:
        """Say where the finding names no logger."""
        return "" if filled(self.logger, finding) else "the finding names no logger"

    def order(self, finding: Finding, order_id: str, expires_seconds: float, occasion: Occasion) -> Order:
        """Return the order to handlers.

        Args:
            finding: Its subject may be the logger.
            order_id: The order's id.
            expires_seconds: When it ends by itself, seconds since 1970.
            occasion: Not needed.
        """
        del occasion
        return LevelOrder(order_id, expires_seconds, filled(self.logger, finding), self.level)
