"""What the steps have in common that give a temporary order to handlers or to the shipper."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from logging_system.coordination.control_orders import give, take_back
from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import (
    ORDER_SECONDS,
    ORDER_SECONDS_MAX,
    DeclaredStep,
    EffectError,
    Occasion,
)
from logging_system.keys.durable_files import FileHeldError
from logging_system.spool.control import Order


class OrderingStep(DeclaredStep):
    """Gives an order that ends by itself; undone, it is taken back."""

    can_be_undone: ClassVar[bool] = True

    for_seconds: float = Field(
        ORDER_SECONDS,
        gt=0,
        le=ORDER_SECONDS_MAX,
        description="When it ends by itself, whatever happens; a day at most.",
    )

    def order(self, finding: Finding, order_id: str, expires_seconds: float, occasion: Occasion) -> Order:
        """Return the order.

        Args:
            finding: What the step is run for.
            order_id: The order's id, by which it is taken back: the idempotency key of the step.
            expires_seconds: When it ends by itself, seconds since 1970.
            occasion: What the step is run for, and with.

        Raises:
            EffectError: It cannot be given for this finding.
        """
        raise NotImplementedError

    def do(self, occasion: Occasion) -> None:
        """Give the order; given again it is the same order, which ends later.

        Raises:
            EffectError: It cannot be given, or it is not known whether it was.
        """
        expires_seconds = occasion.now_seconds + self.for_seconds
        order = self.order(occasion.finding, occasion.key, expires_seconds, occasion)
        try:
            give(occasion.spool, order, occasion.now_seconds, occasion.disk)
        except (OSError, ValueError, FileHeldError) as error:
            raise EffectError(str(error), may_have_happened=True) from error

    def undo(self, occasion: Occasion) -> None:
        """Take the order back; one that has ended is no error.

        Raises:
            EffectError: It is not known whether it is gone; it ends by itself at the latest.
        """
        try:
            take_back(occasion.spool, occasion.key, occasion.now_seconds, occasion.disk)
        except (OSError, ValueError, FileHeldError) as error:
            raise EffectError(str(error), may_have_happened=True) from error
