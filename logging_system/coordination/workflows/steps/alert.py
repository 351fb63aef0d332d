"""Tells people through the channels of alerts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from logging_system.coordination.findings import Finding
from logging_system.coordination.workflows.steps.declared import DeclaredStep, EffectError, Occasion, filled


class Alert(DeclaredStep):
    """Sends the finding's summary and evidence through the channels of the alerts file. It stays sent."""

    kind: Literal["alert"] = Field("alert", description="The kind.")
    text: str = Field("", max_length=1_000, description="A sentence that goes before the finding's own.")

    @property
    def is_local(self) -> bool:
        """Return False: a message that was sent twice was read twice."""
        return False

    def says(self, finding: Finding) -> str:
        """Say what is told."""
        return f"tell people: {filled(self.text, finding) or finding.summary}"

    def do(self, occasion: Occasion) -> None:
        """Send the message.

        Raises:
            EffectError: No channels are known here, or none has taken it.
        """
        if occasion.effects.alert is None:
            raise EffectError("no channels are known here; name a file with --alerts")
        occasion.effects.alert(occasion.finding, filled(self.text, occasion.finding), occasion.key)
