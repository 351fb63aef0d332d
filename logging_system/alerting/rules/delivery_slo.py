"""Records are not delivered in time, so fast that the error budget of an objective would not last."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from logging_system.alerting.burn_rate import PAGES, BurnCounts, BurnWindows, Objective
from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, field_of
from logging_system.alerting.measures import DELIVERED_WITHIN, NAME_FIELD
from logging_system.alerting.rules.declared import Clock, DeclaredRule


class DeliverySlo(DeclaredRule):
    """Too many records are not delivered in time: the burn rate of an objective, in pairs of windows."""

    kind: Literal["delivery_slo"] = Field("delivery_slo", description="The kind.")
    by: tuple[str, ...] = Field((), max_length=0, description="Nothing: one alert a folder.")
    objective: float = Field(0.999, gt=0, lt=1, description="The share of records that must be in time.")
    within_seconds: float = Field(
        30.0, gt=0, le=86_400, description="In time is what is delivered so long after the log call."
    )
    windows: tuple[BurnWindows, ...] = Field(
        PAGES, min_length=1, max_length=8, description="Pairs of windows; one that burns is enough."
    )
    records_min: int = Field(
        100, ge=1, le=10_000_000, description="How many records a long window must have; few prove little."
    )
    is_of_pipeline: ClassVar[bool] = True

    def machine(self, lateness_seconds: float) -> DeliverySloMachine:
        """Return the rule at work, whatever `lateness_seconds` is: what is measured is of now."""
        return DeliverySloMachine(self)


class DeliverySloMachine:
    """Counts good and bad records by the minute.

    Args:
        rule: What is declared.
    """

    def __init__(self, rule: DeliverySlo) -> None:
        self._rule = rule
        self._counts = BurnCounts(Objective(rule.objective, rule.windows, rule.records_min))
        self._is_open = False

    @property
    def series(self) -> int:
        """None that takes room: there is one alert, however many records are told."""
        return 0

    def series_of(self, document: Document) -> Labels | None:
        """Return no labels for counts of this rule's time."""
        is_mine = (
            field_of(document, NAME_FIELD) == DELIVERED_WITHIN
            and field_of(document, "measure.within_seconds") == self._rule.within_seconds
        )
        return () if is_mine else None

    def knows(self, labels: Labels) -> bool:
        """Whether it is the one series."""
        return True

    def tell(self, _labels: Labels, document: Document, event_seconds: float) -> None:
        """Add records."""
        good, bad = (field_of(document, f"measure.{name}") for name in ("good", "bad"))
        self._counts.add(
            event_seconds,
            good=good if isinstance(good, int) else 0,
            bad=bad if isinstance(bad, int) else 0,
        )

    def changes(self, clock: Clock) -> list[Change]:
        """Return that it begins or ends."""
        counts, now_seconds = self._counts, clock.now_seconds
        counts.forget_before(now_seconds - counts.promised.longest.long_seconds)
        counts.forget_after(now_seconds)
        pair = counts.burning(now_seconds)
        if pair is not None and not self._is_open:
            self._is_open = True
            summary = counts.summary(pair, now_seconds, self._what)
            return [Began(self._rule.name, (), now_seconds - pair.short_seconds, summary)]
        if self._is_open and pair is None:
            self._is_open = False
            return [Ended(self._rule.name, (), now_seconds)]
        return []

    @property
    def _what(self) -> str:
        return f"were not delivered within {self._rule.within_seconds:g} s"

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return what the longest window holds."""
        counts = self._counts
        if counts.is_empty:
            return []
        return [((), counts.summary(counts.promised.longest, counts.last_seconds, self._what))]

    def content(self) -> Any:
        """Return the counts."""
        return {
            "kind": type(self._rule).__name__,
            "within_seconds": self._rule.within_seconds,
            "buckets": self._counts.content(),
            "is_open": self._is_open,
        }

    def restore(self, content: Any) -> None:
        """Go on with these counts."""
        rule = self._rule
        if content["kind"] != type(rule).__name__ or content["within_seconds"] != rule.within_seconds:
            raise ValueError(f"{rule.name}: its kind or time was another")
        self._counts.restore(content["buckets"])
        self._is_open = content["is_open"]
