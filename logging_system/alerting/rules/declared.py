"""What every rule declares, and what the machine of every kind does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from logging_system.alerting.facts import Change, Labels
from logging_system.alerting.matching import Document, RecordMatch

Severity = Literal["info", "warning", "critical"]
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,49}$"


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is for the rules, in seconds since 1970.

    Attributes:
        now_seconds: The time of day: no record is later.
        read_seconds: Up to when all records were read, in event time: the time of day where nothing waits to
            be read, else earlier. Only what is before it can be over, and only by it a record is late.
    """

    now_seconds: float
    read_seconds: float


class RuleMachine(Protocol):
    """One rule at work: told records and the time, it says which alerts begin and end."""

    @property
    def series(self) -> int:
        """How many alerts it would tell apart now; bounded by whoever tells it records."""

    def series_of(self, document: Document) -> Labels | None:
        """Return which alert a record counts for; None where the rule does not look at it.

        Args:
            document: The record, as it is stored; for a rule of the pipeline an event, a measure or a
                finding.
        """

    def knows(self, labels: Labels) -> bool:
        """Whether it holds something for these labels, so that a record makes no new series."""

    def tell(self, labels: Labels, document: Document, event_seconds: float) -> None:
        """Take note of a record that the rule looks at.

        Args:
            labels: What `series_of` named for it, secrets taken out, or those of the series of all others.
            document: The record, as it is stored.
            event_seconds: When it was logged, seconds since 1970; never much later than now.
        """

    def changes(self, clock: Clock) -> list[Change]:
        """Return what begins and ends now."""

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return, for each alert it tells apart, how near its records came to the limit."""

    def content(self) -> Any:
        """Return all that must survive a restart, as JSON has it."""

    def restore(self, content: Any) -> None:
        """Go on with what `content` returned.

        Raises:
            ValueError: The content is another rule's, or another version's.
        """


class DeclaredRule(BaseModel):
    """What a rule of any kind may say."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(
        pattern=NAME_PATTERN, description="Name of the rule: lower case letters, digits and `_`."
    )
    by: tuple[str, ...] = Field(
        ("service.name",), max_length=8, description="Fields that tell the rule's alerts apart."
    )
    match: RecordMatch = Field(RecordMatch(), description="Which records it looks at.")
    is_of_pipeline: ClassVar[bool] = False
    """Whether it looks at events of the logging system itself, and at no record."""
    severity: Severity = Field("warning", description="How much it matters.")
    runbook: str = Field("", description="Link to what whoever is on call should do.")

    def machine(self, lateness_seconds: float) -> RuleMachine:
        """Return the rule at work.

        Args:
            lateness_seconds: How much later than others a record may come and still count.
        """
        raise NotImplementedError

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that all alerts of the rule have."""
        return {"rule": self.name, "severity": self.severity}
