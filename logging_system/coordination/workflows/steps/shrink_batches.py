"""Makes the shipper's requests to the store smaller."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import Occasion
from logging_system.coordination.workflows.steps.ordering import OrderingStep
from logging_system.spool.control import Order
from logging_system.spool.control import ShrinkBatches as BatchesOrder


class ShrinkBatches(OrderingStep):
    """Lets a request to the store carry fewer records. Undone: as many as the settings allow."""

    kind: Literal["shrink_batches"] = Field("shrink_batches", description="The kind.")
    batch_records_max: int = Field(ge=1, le=1_000_000, description="Records in a request at most.")

    def says(self, finding: Finding) -> str:
        """Say how many."""
        del finding
        return f"send at most {self.batch_records_max} records in a request for {self.for_seconds:g} s"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the one name of the shipper's requests."""
        del finding
        return ("shipper:batches",)

    def order(self, finding: Finding, order_id: str, expires_seconds: float, occasion: Occasion) -> Order:
        """Return the order to the shipper.

        Args:
            finding: Not needed.
            order_id: The order's id.
            expires_seconds: When it ends by itself, seconds since 1970.
            occasion: Not needed.
        """
        del finding, occasion
        return BatchesOrder(order_id, expires_seconds, self.batch_records_max)
