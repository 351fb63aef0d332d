"""Turns the shipper to its fallback file before the store's silence does."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import Occasion
from logging_system.coordination.workflows.steps.ordering import OrderingStep
from logging_system.spool.control import Order
from logging_system.spool.control import UseFallbackFile as FallbackOrder


class UseFallbackFile(OrderingStep):
    """Writes records to the file of the setting `fallback_file`; without that setting nothing changes.

    Undone: the store is asked again. What went into the file stays there.
    """

    kind: Literal["use_fallback_file"] = Field("use_fallback_file", description="The kind.")

    def says(self, finding: Finding) -> str:
        """Say for how long."""
        del finding
        return f"write records to the fallback file for {self.for_seconds:g} s"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the one name of where the shipper sends records."""
        del finding
        return ("shipper:store",)

    def order(self, finding: Finding, order_id: str, expires_seconds: float, occasion: Occasion) -> Order:
        """Return the order to the shipper.

        Args:
            finding: Not needed.
            order_id: The order's id.
            expires_seconds: When it ends by itself, seconds since 1970.
            occasion: Not needed.
        """
        del finding, occasion
        return FallbackOrder(order_id, expires_seconds)
