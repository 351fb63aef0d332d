"""Keeps one in so many of the records that fit a template that floods."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import EffectError, Occasion
from logging_system.coordination.workflows.steps.ordering import OrderingStep
from logging_system.spool.control import MESSAGE_CHARACTERS_MAX, Order
from logging_system.spool.control import QuarantineTemplate as QuarantineOrder


class QuarantineTemplate(OrderingStep):
    """Keeps one in so many records that fit a template; the others are dropped and counted as `quarantined`.

    Without `message` it is the first template of the finding, whose text `watch` knows unless the spool is
    sealed: an order lies in plain. Undone: all are kept.
    """

    kind: Literal["quarantine_template"] = Field("quarantine_template", description="The kind.")
    message: str | None = Field(
        None,
        min_length=1,
        max_length=MESSAGE_CHARACTERS_MAX,
        description="The template: text with `<*>` for what differs. Default: the first one of the finding.",
    )
    keep_one_in: int = Field(100, ge=2, le=1_000_000, description="How many records there are for each kept.")

    def says(self, finding: Finding) -> str:
        """Say how many are kept."""
        which = f'"{self.message}"' if self.message else f"template {_first(finding)}"
        return f"keep one in {self.keep_one_in} records that fit {which} for {self.for_seconds:g} s"

    def touches(self, finding: Finding) -> tuple[str, ...]:
        """Return the template: its text where the file gives one, its id otherwise."""
        return (f"template:{self.message or _first(finding)}",)

    def trouble(self, finding: Finding) -> str:
        """Say where the finding names no template."""
        return "" if self.message or finding.templates else "the finding names no template"

    def order(self, finding: Finding, order_id: str, expires_seconds: float, occasion: Occasion) -> Order:
        """Return the order to handlers.

        Args:
            finding: Its first template is meant where the file gives no `message`.
            order_id: The order's id.
            expires_seconds: When it ends by itself, seconds since 1970.
            occasion: Knows the texts of templates.

        Raises:
            EffectError: The template's text is not known.
        """
        message = self.message or occasion.effects.template_text(_first(finding))
        if not message:
            raise EffectError(f"the text of template {_first(finding)} is not known here; give `message`")
        return QuarantineOrder(order_id, expires_seconds, message[:MESSAGE_CHARACTERS_MAX], self.keep_one_in)


def _first(finding: Finding) -> str:
    return finding.templates[0] if finding.templates else ""
