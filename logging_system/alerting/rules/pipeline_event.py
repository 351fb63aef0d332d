"""Something happened in the logging system itself: a full spool, dropped records, trouble with keys."""

from __future__ import annotations

import difflib
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from logging_system.alerting.matching import Document, field_of
from logging_system.alerting.rules.windowed import WindowedRule
from logging_system.alerting.windows import Condition
from logging_system.monitoring.events import KINDS

ACTION_FIELD = "event.action"
"""Where a record that stands for an event names its kind."""


def _kinds() -> list[str]:
    # A kind's word is made of its class's name alone.
    return [kind.kind.fget(object.__new__(kind)) for kind in KINDS]  # type: ignore[attr-defined]


def _known(kind: str) -> str:
    kinds = _kinds()
    if kind not in kinds:
        close = difflib.get_close_matches(kind, kinds, n=1)
        hint = f'did you mean "{close[0]}"?' if close else "see docs/reference/logging-events.md"
        raise ValueError(f'there is no event "{kind}"; {hint}')
    return kind


class PipelineEvent(WindowedRule):
    """Events of handlers, gateways and shippers of the same spool folder, from their status files."""

    kind: Literal["pipeline_event"] = Field("pipeline_event", description="The kind.")
    by: tuple[str, ...] = Field(
        (ACTION_FIELD,), max_length=8, description="Fields that tell the rule's alerts apart."
    )
    events: tuple[Annotated[str, AfterValidator(_known)], ...] = Field(
        min_length=1, description="Kinds of events, see [logging-events](logging-events.md)."
    )
    threshold: int = Field(1, ge=1, le=1_000_000, description="How many are enough.")
    is_of_pipeline: ClassVar[bool] = True

    def weight(self, document: Document) -> int | None:
        """Return 1 where the `document` stands for an event of one of the kinds; None otherwise."""
        return 1 if field_of(document, ACTION_FIELD) in self.events else None

    def condition(self) -> Condition:
        """Return the threshold."""
        return Condition(self.threshold)

    def limit(self) -> str:
        """Return the threshold in words."""
        return f"{self.threshold} within {self.window_seconds:g} s"

    def amount(self, total: int) -> str:
        """Return a `total` of weights, which is a number of events, in words."""
        return f"{total} events"
