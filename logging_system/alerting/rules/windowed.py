"""What rules share that add records up in sliding windows: one machine, told what a record weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import Field

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, labels_of
from logging_system.alerting.messages import shown_time
from logging_system.alerting.paged_rows import NEVER, PagedRows
from logging_system.alerting.rules.declared import Clock, DeclaredRule
from logging_system.alerting.windows import (
    SLOTS_PER_WINDOW,
    Condition,
    Episode,
    WindowedCounts,
    fullest_window,
)

_SETTLE_SECONDS = 5.0
"""How long after its last window an alert ends: records of that window may still be on their way."""


class WindowedRule(DeclaredRule):
    """A rule that adds up what records weigh."""

    window_seconds: float = Field(60.0, ge=1, le=86_400, description="Within what time.")

    def weight(self, document: Document) -> int | None:
        """Return what a record adds, which may be below 0; None where the rule does not look at it.

        Args:
            document: The record, as it is stored.
        """
        raise NotImplementedError

    def condition(self) -> Condition:
        """Return when it is enough."""
        raise NotImplementedError

    def limit(self) -> str:
        """Return what is enough, in words, behind `the limit is`."""
        raise NotImplementedError

    def amount(self, total: int) -> str:
        """Return a sum of weights in words.

        Args:
            total: The sum of the fullest window.
        """
        raise NotImplementedError

    def machine(self, lateness_seconds: float) -> WindowedMachine:
        """Return the rule at work.

        Args:
            lateness_seconds: How much later than others a record may come and still count; counts are kept
                for so long beyond the windows.
        """
        return WindowedMachine(self, lateness_seconds)


@dataclass(frozen=True, slots=True)
class _SeriesForm:
    """Counts by labels, written down.

    Attributes:
        ends_slots: How many slots after its last window an alert ends.
    """

    ends_slots: int

    def key_bytes(self, key: Labels) -> bytes:
        """Return labels as JSON."""
        return orjson.dumps(key)

    def key_of(self, text: bytes) -> Labels:
        """Return labels."""
        return tuple((name, value) for name, value in orjson.loads(text))

    def content_of(self, row: WindowedCounts) -> Any:
        """Return counts as JSON has them."""
        return row.content()

    def row_of(self, content: Any) -> WindowedCounts:
        """Return counts."""
        return WindowedCounts.restored(content)

    def wakes_at(self, row: WindowedCounts) -> float:
        """Return the slot in which an alert ends if nothing more comes."""
        last = [each.episode.last for each in row.told or () if each.is_open]
        return min(last) + self.ends_slots + 1 if last else NEVER


class WindowedMachine:
    """Adds records up by labels, in slots of event time.

    Args:
        rule: What is declared.
        lateness_seconds: How much later than others a record may come and still count.
    """

    def __init__(self, rule: WindowedRule, lateness_seconds: float) -> None:
        self._rule = rule
        self._condition = rule.condition()
        self._slot_seconds = rule.window_seconds / SLOTS_PER_WINDOW
        self._settle_slots = -int(-_SETTLE_SECONDS // self._slot_seconds)
        late_slots = int(lateness_seconds / self._slot_seconds) + 1
        self._kept_slots = self._condition.reach_slots + self._settle_slots + late_slots
        self._series = PagedRows(_SeriesForm(SLOTS_PER_WINDOW + self._settle_slots))
        self._touched: dict[Labels, int] = {}
        """The earliest slot that changed since the last look, by labels."""
        self._pruned_slot = self._latest_slot = 0

    @property
    def series(self) -> int:
        """How many label combinations have counts."""
        return len(self._series)

    def series_of(self, document: Document) -> Labels | None:
        """Return the labels of a record that counts."""
        return None if self._rule.weight(document) is None else labels_of(document, self._rule.by)

    def knows(self, labels: Labels) -> bool:
        """Whether these labels have counts."""
        return labels in self._series

    def tell(self, labels: Labels, document: Document, event_seconds: float) -> None:
        """Add a record."""
        self._series.settle()
        slot = int(event_seconds // self._slot_seconds)
        series = self._series.get(labels)
        if series is None:
            series = WindowedCounts()
            self._series.add(labels, series)
        series.add(slot, self._rule.weight(document) or 0)
        self._touched[labels] = min(slot, self._touched.get(labels, slot))

    def changes(self, clock: Clock) -> list[Change]:
        """Return the alerts that begin by the records told since the last call, and those that end."""
        read_slot = int(clock.read_seconds // self._slot_seconds)
        changes: list[Change] = []
        for labels, touched_slot in sorted(self._touched.items()):
            self._series.settle()
            series = self._series.get(labels)
            if series is not None:
                begun = series.newly_begun(read_slot, self._condition, touched_slot)
                changes += [self._began(labels, series, episode) for episode in begun]
        self._touched = self._to_look_at_again(read_slot)
        ended = [
            (labels, episode)
            for labels, series in self._series.due(read_slot)
            for episode in series.newly_ended(read_slot, SLOTS_PER_WINDOW, self._settle_slots)
        ]
        for labels, episode in sorted(ended, key=lambda each: each[0]):
            changes.append(Ended(self._rule.name, labels, (episode.last + 1) * self._slot_seconds))
        self._prune(read_slot, int(clock.now_seconds // self._slot_seconds))
        return changes

    def _to_look_at_again(self, read_slot: int) -> dict[Labels, int]:
        """Return what time alone can change: where more records can make it less, windows end first."""
        if not self._condition.can_fall:
            return {}
        again = {}
        for labels, slot in self._touched.items():
            self._series.settle()
            series = self._series.get(labels)
            if series and series.slots and series.slots[-1] + self._condition.reach_slots > read_slot:
                again[labels] = max(slot, read_slot - SLOTS_PER_WINDOW)
        return again

    def _began(self, labels: Labels, series: WindowedCounts, episode: Episode) -> Began:
        total = sum(
            count
            for slot, count in zip(series.slots, series.counts, strict=True)
            if episode.first - SLOTS_PER_WINDOW < slot <= episode.last
        )
        summary = f"{self._rule.amount(total)}; the limit is {self._rule.limit()}"
        return Began(self._rule.name, labels, episode.first * self._slot_seconds, summary)

    def _prune(self, read_slot: int, now_slot: int) -> None:
        """Forget what is older than a late record could need; all series are looked at once a window."""
        went_back, self._latest_slot = now_slot < self._latest_slot, now_slot
        if not went_back and abs(read_slot - self._pruned_slot) < SLOTS_PER_WINDOW:
            return
        self._pruned_slot = read_slot

        def stays(_labels: Labels, series: WindowedCounts) -> bool:
            series.forget_before(read_slot - self._kept_slots)
            series.move_back(now_slot, SLOTS_PER_WINDOW)
            return not series.is_empty

        self._series.sweep(stays)

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return the largest sum that a window held, and when."""
        found = [(labels, self._peak(series)) for labels, series in self._series.items()]
        return sorted(found)

    def _peak(self, series: WindowedCounts) -> str:
        slot, total = fullest_window(zip(series.slots, series.counts, strict=True))
        moment = shown_time(slot * self._slot_seconds)
        rule = self._rule
        return (
            f"at most {rule.amount(total)} within {rule.window_seconds:g} s, at {moment}; "
            f"the limit is {rule.limit()}"
        )

    def content(self) -> Any:
        """Return the counts and the episodes that were told."""
        return {
            "kind": type(self._rule).__name__,
            "by": self._rule.by,
            "slot_seconds": self._slot_seconds,
            "series": self._series.content(),
        }

    def restore(self, content: Any) -> None:
        """Go on with these counts."""
        if content["slot_seconds"] != self._slot_seconds or content["kind"] != type(self._rule).__name__:
            raise ValueError(f"{self._rule.name}: its kind or window was another")
        if tuple(content["by"]) != self._rule.by:
            raise ValueError(f"{self._rule.name}: it was told apart by other fields")
        self._series.restore(content["series"])
