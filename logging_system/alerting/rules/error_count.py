"""Enough records of a level within a window, such as 10 errors within 60 s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, RecordMatch, labels_of
from logging_system.alerting.messages import shown_time
from logging_system.alerting.rules.declared import Clock, DeclaredRule
from logging_system.alerting.windows import SLOTS_PER_WINDOW, Episode, WindowedCounts, fullest_window

_SETTLE_SECONDS = 5.0
"""How long after its last window an alert ends: records of that window may still be on their way."""


class ErrorCount(DeclaredRule):
    """`threshold` records within `window_seconds`."""

    kind: Literal["error_count"] = Field("error_count", description="The kind.")
    match: RecordMatch = Field(RecordMatch(level="error"), description="Which records it counts.")
    threshold: int = Field(10, ge=1, le=1_000_000, description="How many records are enough.")
    window_seconds: float = Field(60.0, ge=1, le=86_400, description="Within what time.")

    def machine(self, lateness_seconds: float) -> ErrorCountMachine:
        """Return the rule at work."""
        return ErrorCountMachine(self, lateness_seconds)


class ErrorCountMachine:
    """Counts matching records by labels in slots of event time.

    Args:
        rule: What is declared.
        lateness_seconds: How much later than others a record may come and still count.
    """

    def __init__(self, rule: ErrorCount, lateness_seconds: float) -> None:
        self._rule = rule
        self._slot_seconds = rule.window_seconds / SLOTS_PER_WINDOW
        self._settle_slots = -int(-_SETTLE_SECONDS // self._slot_seconds)
        self._kept_slots = (
            SLOTS_PER_WINDOW + self._settle_slots + int(lateness_seconds / self._slot_seconds) + 1
        )
        self._series: dict[Labels, WindowedCounts] = {}
        self._touched: set[Labels] = set()
        self._open: set[Labels] = set()
        self._pruned_slot = self._latest_slot = 0

    @property
    def series(self) -> int:
        """How many label combinations have counts."""
        return len(self._series)

    def series_of(self, document: Document) -> Labels | None:
        """Return the labels of a record that counts."""
        return labels_of(document, self._rule.by) if self._rule.match.matches(document) else None

    def knows(self, labels: Labels) -> bool:
        """Whether these labels have counts."""
        return labels in self._series

    def tell(self, labels: Labels, _document: Document, event_seconds: float) -> None:
        """Count a record."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = WindowedCounts()
        series.add(int(event_seconds // self._slot_seconds))
        self._touched.add(labels)

    def changes(self, clock: Clock) -> list[Change]:
        """Return the alerts that begin by the records told since the last call, and those that end."""
        read_slot = int(clock.read_seconds // self._slot_seconds)
        changes: list[Change] = []
        for labels in sorted(self._touched):
            series = self._series[labels]
            begun = series.newly_begun(read_slot, SLOTS_PER_WINDOW, self._rule.threshold)
            changes += [self._began(labels, series, episode) for episode in begun]
            if begun:
                self._open.add(labels)
        self._touched.clear()
        for labels in sorted(self._open):
            series = self._series[labels]
            for episode in series.newly_ended(read_slot, SLOTS_PER_WINDOW, self._settle_slots):
                changes.append(Ended(self._rule.name, labels, (episode.last + 1) * self._slot_seconds))
            if not series.is_open:
                self._open.discard(labels)
        self._prune(read_slot, int(clock.now_seconds // self._slot_seconds))
        return changes

    def _began(self, labels: Labels, series: WindowedCounts, episode: Episode) -> Began:
        counted = sum(
            count
            for slot, count in zip(series.slots, series.counts, strict=True)
            if episode.first - SLOTS_PER_WINDOW < slot <= episode.last
        )
        rule = self._rule
        level = f" of level {rule.match.level} or above" if rule.match.level else ""
        summary = f"{counted} records{level}; the limit is {rule.threshold} within {rule.window_seconds:g} s"
        return Began(rule.name, labels, episode.first * self._slot_seconds, summary)

    def _prune(self, read_slot: int, now_slot: int) -> None:
        """Forget what is older than a late record could need; all series are looked at once a window."""
        went_back, self._latest_slot = now_slot < self._latest_slot, now_slot
        if not went_back and abs(read_slot - self._pruned_slot) < SLOTS_PER_WINDOW:
            return
        self._pruned_slot = read_slot
        for labels, series in list(self._series.items()):
            series.forget_before(read_slot - self._kept_slots)
            series.move_back(now_slot, SLOTS_PER_WINDOW)
            if series.is_empty:
                del self._series[labels]

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return the largest count that a window held, and when."""
        return [(labels, self._peak(series)) for labels, series in sorted(self._series.items())]

    def _peak(self, series: WindowedCounts) -> str:
        slot, count = fullest_window(zip(series.slots, series.counts, strict=True), SLOTS_PER_WINDOW)
        rule = self._rule
        return (
            f"at most {count} records within {rule.window_seconds:g} s, at "
            f"{shown_time(slot * self._slot_seconds)}; the limit is {rule.threshold}"
        )

    def content(self) -> Any:
        """Return the counts and the episodes that were told."""
        series = [[labels, counts.content()] for labels, counts in self._series.items()]
        return {"slot_seconds": self._slot_seconds, "series": series}

    def restore(self, content: Any) -> None:
        """Go on with these counts."""
        if content["slot_seconds"] != self._slot_seconds:
            raise ValueError(f"{self._rule.name}: its window was another")
        for labels, counts in content["series"]:
            self._restore_series(tuple((name, value) for name, value in labels), counts)

    def _restore_series(self, labels: Labels, counts: Sequence[Any]) -> None:
        if tuple(name for name, _ in labels) != self._rule.by:
            raise ValueError(f"{self._rule.name}: it was told apart by other fields")
        series = self._series[labels] = WindowedCounts.restored(counts)
        if series.is_open:
            self._open.add(labels)
