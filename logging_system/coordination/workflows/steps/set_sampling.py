"""Keeps one in so many of the records of one logger."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import Occasion, filled
from logging_system.coordination.workflows.steps.ordering import OrderingStep
from logging_system.spool.control import LOGGER_CHARACTERS_MAX, Order
from logging_system.spool.control import SetSampling as SamplingOrder


class SetSampling(OrderingStep):
    """Keeps one in so many of a logger's records below ERROR; the others are dropped and counted.

    Undone: all are kept.
    """

    kind: Literal["set_sampling"] = Field("set_sampling", description="The kind.")
    logger: str = Field(
        min_length=1,
        max_length=LOGGER_CHARACTERS_MAX,
        description="Name of the logger; `{subject}` is the finding's subject.",
    )
    keep_one_in: int = Field(ge=2, le=1_000_000, description="How many records there are for each kept.")

    def says(self, finding: Finding) -> str:
        """Say how many are kept."""
        logger = filled(self.logger, finding)
        return f"keep one in {self.keep_one_in} records of {logger} below ERROR for {self.for_seconds:g} s"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the logger, as `SetLevel` does: no two runs change one logger at once."""
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
        return SamplingOrder(order_id, expires_seconds, filled(self.logger, finding), self.keep_one_in)
