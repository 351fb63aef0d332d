"""Records are not delivered in time, so fast that the error budget of an objective would not last.

The burn rate is the share of bad records over the share that the objective allows. Each pair of windows has
a rate: the long one says that it matters, the short one that it still goes on. Two pairs are those that the
Site Reliability Workbook recommends for pages, 2 % of a month's budget within 1 h and 5 % within 6 h.

https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, field_of
from logging_system.alerting.measures import DELIVERED_WITHIN, NAME_FIELD
from logging_system.alerting.rules.declared import Clock, DeclaredRule

_BUCKET_SECONDS = 60.0


class BurnWindows(BaseModel):
    """A long and a short window, and the burn rate that both must exceed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    long_seconds: float = Field(ge=60, le=3 * 86_400, description="Says that it matters.")
    short_seconds: float = Field(ge=60, le=86_400, description="Says that it still goes on.")
    rate: float = Field(gt=0, le=1e6, description="How many times as fast as the objective allows.")

    @model_validator(mode="after")
    def _is_in_order(self) -> BurnWindows:
        if self.short_seconds >= self.long_seconds:
            raise ValueError("short_seconds must be less than long_seconds")
        return self


_PAGES = (
    BurnWindows(long_seconds=3_600, short_seconds=300, rate=14.4),
    BurnWindows(long_seconds=21_600, short_seconds=1_800, rate=6),
)


class DeliverySlo(DeclaredRule):
    """Too many records are not delivered in time: the burn rate of an objective, in pairs of windows."""

    kind: Literal["delivery_slo"] = Field("delivery_slo", description="The kind.")
    by: tuple[str, ...] = Field((), max_length=0, description="Nothing: one alert a folder.")
    objective: float = Field(0.999, gt=0, lt=1, description="The share of records that must be in time.")
    within_seconds: float = Field(
        30.0, gt=0, le=86_400, description="In time is what is delivered so long after the log call."
    )
    windows: tuple[BurnWindows, ...] = Field(
        _PAGES, min_length=1, max_length=8, description="Pairs of windows; one that burns is enough."
    )
    records_min: int = Field(
        100, ge=1, le=10_000_000, description="How many records a long window must have; few prove little."
    )
    is_of_pipeline: ClassVar[bool] = True

    def machine(self, lateness_seconds: float) -> DeliverySloMachine:
        """Return the rule at work."""
        return DeliverySloMachine(self)


class DeliverySloMachine:
    """Counts good and bad records by the minute.

    Args:
        rule: What is declared.
    """

    def __init__(self, rule: DeliverySlo) -> None:
        self._rule = rule
        self._kept = int(max(each.long_seconds for each in rule.windows) // _BUCKET_SECONDS) + 1
        self._buckets: dict[int, list[int]] = {}
        """By the minute: good, bad."""
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
        bucket = self._buckets.setdefault(int(event_seconds // _BUCKET_SECONDS), [0, 0])
        for place, name in enumerate(("good", "bad")):
            count = field_of(document, f"measure.{name}")
            bucket[place] += count if isinstance(count, int) else 0

    def changes(self, clock: Clock) -> list[Change]:
        """Return that it begins or ends."""
        latest = int(clock.now_seconds // _BUCKET_SECONDS)
        for minute in [each for each in self._buckets if not latest - self._kept < each <= latest + 1]:
            del self._buckets[minute]  # too old, or of a time of day that was wrong
        burning = [pair for pair in self._rule.windows if self._burns(pair, clock.now_seconds)]
        if burning and not self._is_open:
            self._is_open = True
            pair = burning[0]
            since_seconds = clock.now_seconds - pair.short_seconds
            return [Began(self._rule.name, (), since_seconds, self._summary(pair, clock.now_seconds))]
        if self._is_open and not burning:
            self._is_open = False
            return [Ended(self._rule.name, (), clock.now_seconds)]
        return []

    def _burns(self, pair: BurnWindows, now_seconds: float) -> bool:
        good, bad = self._counts(pair.long_seconds, now_seconds)
        return (
            good + bad >= self._rule.records_min
            and self._rate(pair.long_seconds, now_seconds) > pair.rate
            and self._rate(pair.short_seconds, now_seconds) > pair.rate
        )

    def _rate(self, seconds: float, now_seconds: float) -> float:
        good, bad = self._counts(seconds, now_seconds)
        return bad / (good + bad) / (1 - self._rule.objective) if bad else 0.0

    def _counts(self, seconds: float, now_seconds: float) -> tuple[int, int]:
        oldest = (now_seconds - seconds) // _BUCKET_SECONDS
        within = [counts for minute, counts in self._buckets.items() if minute >= oldest]
        return sum(good for good, _ in within), sum(bad for _, bad in within)

    def _summary(self, pair: BurnWindows, now_seconds: float) -> str:
        rule, (good, bad) = self._rule, self._counts(pair.long_seconds, now_seconds)
        rate = self._rate(pair.long_seconds, now_seconds)
        return (
            f"{bad} of {good + bad} records of the last {pair.long_seconds / 3600:g} h were not delivered "
            f"within {rule.within_seconds:g} s; {rate:.1f} times what an "
            f"objective of {rule.objective:.4%} allows; the limit is {pair.rate:g} times"
        )

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return what the longest window holds."""
        if not self._buckets:
            return []
        pair = max(self._rule.windows, key=lambda each: each.long_seconds)
        return [((), self._summary(pair, (max(self._buckets) + 1) * _BUCKET_SECONDS))]

    def content(self) -> Any:
        """Return the counts."""
        return {
            "kind": type(self._rule).__name__,
            "within_seconds": self._rule.within_seconds,
            "buckets": [[minute, *counts] for minute, counts in self._buckets.items()],
            "is_open": self._is_open,
        }

    def restore(self, content: Any) -> None:
        """Go on with these counts."""
        rule = self._rule
        if content["kind"] != type(rule).__name__ or content["within_seconds"] != rule.within_seconds:
            raise ValueError(f"{rule.name}: its kind or time was another")
        self._buckets = {minute: [good, bad] for minute, good, bad in content["buckets"]}
        self._is_open = content["is_open"]
