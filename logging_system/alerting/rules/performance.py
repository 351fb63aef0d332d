"""Something that is measured of the logging system itself is beyond a limit, for a while."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, field_of
from logging_system.alerting.measures import MEASURES, NAME_FIELD, VALUE_FIELD, MeasureName
from logging_system.alerting.rules.declared import Clock, DeclaredRule

_STEP_SECONDS_MAX = 10.0
"""More time than this between two measurements was not measured."""
_GONE_SECONDS = 60.0
"""What is not measured any more for so long has no value."""


class Performance(DeclaredRule):
    """A measure of the logging system itself is beyond a limit; see the table of measures."""

    kind: Literal["performance"] = Field("performance", description="The kind.")
    by: tuple[str, ...] = Field((), max_length=0, description="Nothing: one alert a folder.")
    measure: MeasureName = Field(description="What is measured, see [measures](#measures).")
    limit: float = Field(
        ge=0, description="More than this is bad; less, of a measure that should not be low."
    )
    hold_seconds: float = Field(
        60.0,
        ge=0,
        le=86_400,
        description="How long it must be beyond the limit to fire, and within it to end.",
    )
    is_of_pipeline: ClassVar[bool] = True

    def machine(self, lateness_seconds: float) -> PerformanceMachine:
        """Return the rule at work, whatever `lateness_seconds` is: what is measured is of now."""
        return PerformanceMachine(self)

    def is_beyond(self, value: float) -> bool:
        """Whether a value is bad."""
        return value < self.limit if MEASURES[self.measure].is_low_bad else value > self.limit


class PerformanceMachine:
    """Counts for how long the measure is beyond its limit, or within it; only measured time counts.

    Args:
        rule: What is declared.
    """

    def __init__(self, rule: Performance) -> None:
        self._rule = rule
        self._value: float | None = None
        self._is_beyond = False
        self._told_seconds: float | None = None
        self._lasting_seconds = 0.0
        self._since_seconds = 0.0
        self._is_open = False

    @property
    def series(self) -> int:
        """None that takes room: there is one alert, however many records are told."""
        return 0

    def series_of(self, document: Document) -> Labels | None:
        """Return no labels for the measure of this rule."""
        return () if field_of(document, NAME_FIELD) == self._rule.measure else None

    def knows(self, labels: Labels) -> bool:
        """Whether it is the one series."""
        return True

    def tell(self, _labels: Labels, document: Document, event_seconds: float) -> None:
        """Take note of a measurement."""
        value = field_of(document, VALUE_FIELD)
        if not isinstance(value, int | float):
            return
        is_beyond = self._rule.is_beyond(value)
        if is_beyond is not self._is_beyond or self._told_seconds is None:
            self._lasting_seconds = 0.0
            self._since_seconds = event_seconds
        else:
            self._lasting_seconds += min(max(event_seconds - self._told_seconds, 0.0), _STEP_SECONDS_MAX)
        self._value, self._is_beyond, self._told_seconds = value, is_beyond, event_seconds

    def changes(self, clock: Clock) -> list[Change]:
        """Return that it begins or ends."""
        rule = self._rule
        if self._told_seconds is not None and abs(clock.now_seconds - self._told_seconds) > _GONE_SECONDS:
            self._told_seconds, self._value, self._is_beyond = None, None, False
            self._lasting_seconds = rule.hold_seconds
        holds = self._lasting_seconds >= rule.hold_seconds
        if self._is_beyond and holds and not self._is_open:
            self._is_open = True
            return [Began(rule.name, (), self._since_seconds, self._summary())]
        if self._is_open and not self._is_beyond and holds:
            self._is_open = False
            return [Ended(rule.name, (), clock.now_seconds)]
        return []

    def _summary(self) -> str:
        rule, value = self._rule, self._value or 0.0
        side = "at least" if MEASURES[rule.measure].is_low_bad else "at most"
        return (
            f"{value:.4g} {rule.measure}; the limit is {side} {rule.limit:g} ({MEASURES[rule.measure].what})"
        )

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return the latest measurement."""
        return [] if self._value is None else [((), self._summary())]

    def content(self) -> Any:
        """Return how long it has been beyond or within."""
        return {
            "kind": type(self._rule).__name__,
            "measure": self._rule.measure,
            "is_beyond": self._is_beyond,
            "lasting_seconds": self._lasting_seconds,
            "since_seconds": self._since_seconds,
            "told_seconds": self._told_seconds,
            "is_open": self._is_open,
        }

    def restore(self, content: Any) -> None:
        """Go on with it."""
        if content["kind"] != type(self._rule).__name__ or content["measure"] != self._rule.measure:
            raise ValueError(f"{self._rule.name}: its kind or measure was another")
        self._is_beyond, self._is_open = content["is_beyond"], content["is_open"]
        self._lasting_seconds, self._since_seconds = content["lasting_seconds"], content["since_seconds"]
        self._told_seconds = content["told_seconds"]
