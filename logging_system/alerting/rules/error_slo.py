"""Too many records are errors, so fast that the error budget of an objective would not last.

Event time counts: each minute up to which records were read is judged by the windows that end in it, also one
whose records come late. Minutes that burn, less than the short window apart, are one alert; it ends when none
has burnt for the short window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from logging_system.alerting.burn_rate import BUCKET_SECONDS, PAGES, BurnCounts, BurnWindows, Objective
from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, RecordMatch, labels_of
from logging_system.alerting.rules.declared import Clock, DeclaredRule


class ErrorSlo(DeclaredRule):
    """Too large a share of errors for an objective: its burn rate, in pairs of windows."""

    kind: Literal["error_slo"] = Field("error_slo", description="The kind.")
    match: RecordMatch = Field(RecordMatch(level="error"), description="Which records count as errors.")
    of: RecordMatch = Field(RecordMatch(), description="Which records are all of them.")
    objective: float = Field(0.999, gt=0, lt=1, description="The share of records that must be no errors.")
    windows: tuple[BurnWindows, ...] = Field(
        PAGES, min_length=1, max_length=8, description="Pairs of windows; one that burns is enough."
    )
    records_min: int = Field(
        100, ge=1, le=10_000_000, description="How many records a long window must have; few prove little."
    )

    def machine(self, lateness_seconds: float) -> ErrorSloMachine:
        """Return the rule at work.

        Args:
            lateness_seconds: How much later than others a record may come and still count; minutes are kept,
                and judged again, for so long.
        """
        return ErrorSloMachine(self, lateness_seconds)


@dataclass(slots=True)
class _Series:
    """What one alert is made of.

    Attributes:
        counts: Errors and others, by the minute.
        burnt_minute: The last minute that burnt, told or to be told; None for none.
        is_open: Whether an alert was told and has not ended.
        judged_minute: The first minute that is not judged yet, or has changed since.
    """

    counts: BurnCounts
    burnt_minute: int | None = None
    is_open: bool = False
    judged_minute: int = field(default=0)


class ErrorSloMachine:
    """Counts errors and others by the minute of event time.

    Args:
        rule: What is declared.
        lateness_seconds: How much later than others a record may come and still count.
    """

    def __init__(self, rule: ErrorSlo, lateness_seconds: float) -> None:
        self._rule = rule
        self._promised = Objective(rule.objective, rule.windows, rule.records_min)
        self._kept_seconds = self._promised.longest.long_seconds + lateness_seconds + BUCKET_SECONDS
        self._gap_minutes = -int(-min(each.short_seconds for each in rule.windows) // BUCKET_SECONDS)
        self._late_minutes = -int(-lateness_seconds // BUCKET_SECONDS) + 1
        self._series: dict[Labels, _Series] = {}
        self._touched: set[Labels] = set()

    @property
    def series(self) -> int:
        """How many label combinations have counts."""
        return len(self._series)

    def series_of(self, document: Document) -> Labels | None:
        """Return the labels of a record that counts."""
        counts = self._rule.match.matches(document) or self._rule.of.matches(document)
        return labels_of(document, self._rule.by) if counts else None

    def knows(self, labels: Labels) -> bool:
        """Whether these labels have counts."""
        return labels in self._series

    def tell(self, labels: Labels, document: Document, event_seconds: float) -> None:
        """Count a record."""
        minute = int(event_seconds // BUCKET_SECONDS)
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series(BurnCounts(self._promised), judged_minute=minute)
        is_error = self._rule.match.matches(document)
        series.counts.add(event_seconds, good=not is_error, bad=is_error)
        series.judged_minute = min(series.judged_minute, minute)
        self._touched.add(labels)

    def changes(self, clock: Clock) -> list[Change]:
        """Return the alerts that begin by the records told since the last call, and those that end."""
        read_minute = int(clock.read_seconds // BUCKET_SECONDS)
        changes: list[Change] = []
        for labels in sorted(self._touched):
            changes += self._begun(labels, self._series[labels], read_minute)
        self._touched.clear()
        for labels, series in sorted(self._series.items()):
            changes += self._ended(labels, series, read_minute)
            series.counts.forget_before(clock.read_seconds - self._kept_seconds)
            series.counts.forget_after(clock.now_seconds)
            if series.counts.is_empty and not series.is_open:
                del self._series[labels]
        return changes

    def _begun(self, labels: Labels, series: _Series, read_minute: int) -> Iterator[Change]:
        first = max(series.judged_minute, read_minute - self._late_minutes)
        series.judged_minute = read_minute
        for minute in range(first, read_minute + 1):
            end_seconds = (minute + 1) * BUCKET_SECONDS - 1.0
            pair = series.counts.burning(end_seconds)
            if pair is None:
                continue
            before = series.burnt_minute
            is_apart = before is None or abs(minute - before) > self._gap_minutes
            series.burnt_minute = minute if before is None else max(minute, before)
            if is_apart or (not series.is_open and minute + self._gap_minutes >= read_minute):
                if not series.is_open:
                    summary = series.counts.summary(pair, end_seconds, "were errors")
                    yield Began(self._rule.name, labels, minute * BUCKET_SECONDS, summary)
                series.is_open = True

    def _ended(self, labels: Labels, series: _Series, read_minute: int) -> Iterator[Change]:
        if not series.is_open or series.burnt_minute is None:
            return
        # A clock that was wrong may have put it into the future.
        series.burnt_minute = min(series.burnt_minute, read_minute)
        if series.counts.burning((read_minute + 1) * BUCKET_SECONDS - 1.0) is not None:
            series.burnt_minute = read_minute
        elif read_minute - series.burnt_minute > self._gap_minutes:
            series.is_open = False
            yield Ended(self._rule.name, labels, (series.burnt_minute + 1) * BUCKET_SECONDS)

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return what the longest window holds at its end."""
        pair = self._promised.longest
        return [
            (labels, series.counts.summary(pair, series.counts.last_seconds - 1.0, "were errors"))
            for labels, series in sorted(self._series.items())
            if not series.counts.is_empty
        ]

    def content(self) -> Any:
        """Return the counts, and what was told."""
        return {
            "kind": type(self._rule).__name__,
            "by": self._rule.by,
            "series": [
                [labels, each.counts.content(), each.burnt_minute, each.is_open, each.judged_minute]
                for labels, each in self._series.items()
            ],
        }

    def restore(self, content: Any) -> None:
        """Go on with these counts."""
        if content["kind"] != type(self._rule).__name__:
            raise ValueError(f"{self._rule.name}: its kind was another")
        if tuple(content["by"]) != self._rule.by:
            raise ValueError(f"{self._rule.name}: it was told apart by other fields")
        for given, counts, burnt_minute, is_open, judged_minute in content["series"]:
            labels: Labels = tuple((name, value) for name, value in given)
            series = _Series(BurnCounts(self._promised), burnt_minute, is_open, judged_minute)
            series.counts.restore(counts)
            self._series[labels] = series
            self._touched.add(labels)
