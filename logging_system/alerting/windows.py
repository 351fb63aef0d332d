"""Counts in sliding windows of event time: when there were enough, whatever order the records came in.

Time is cut into slots, 60 a window; a window ends with a slot and reaches 60 slots back. The *violations* are
the ends of windows that hold enough. Violations less than a window apart are one *episode*, and an episode is
one alert: it ends when a whole window has passed without a violation. Records may come in any order within
the lateness: one that comes late joins the episode it belongs to, and only an episode that nobody was told
begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

SLOTS_PER_WINDOW = 60


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which there was enough, in slots; both ends belong to it."""

    first: int
    last: int

    def touches(self, other: Episode, gap_slots: int) -> bool:
        """Whether two are at most a gap apart, and so are one.

        Args:
            other: The other episode; it may be earlier or later.
            gap_slots: The difference at most between the end of one and the beginning of the other: a window.
        """
        return self.first - other.last <= gap_slots and other.first - self.last <= gap_slots

    def joined(self, other: Episode) -> Episode:
        """Return this one and the `other` as one, with what lies between them."""
        return Episode(min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class Condition:
    """When there is enough: a sum of counts, each weighed by how long ago it was.

    Attributes:
        threshold: The sum that is enough, more than 0.
        kernel: By how many slots later, the weight of a count changes by how much; in order. A plain window
            counts for its length and then no more. The second change is at the window's length.
        history_slots: How old a series must be before its windows are judged.
        can_fall: Whether more records can make it less, so that only windows that have ended say anything.
    """

    threshold: int
    kernel: tuple[tuple[int, int], ...] = ((0, 1), (SLOTS_PER_WINDOW, -1))
    history_slots: int = 0
    can_fall: bool = False

    @property
    def window_slots(self) -> int:
        """How many slots a window has."""
        return self.kernel[1][0]

    @property
    def reach_slots(self) -> int:
        """How many slots back a count still matters."""
        return self.kernel[-1][0]


def episodes_in(
    counts: Iterable[tuple[int, int]], condition: Condition, from_slot: int | None = None
) -> list[Episode]:
    """Return the episodes in counts of slots.

    Args:
        counts: Slots with how many fell into each, in any order.
        condition: When there is enough.
        from_slot: Windows that end before it are not looked at; None looks at all.
    """
    found: list[Episode] = []
    within, began = 0, None
    for slot, change in _steps(counts, condition.kernel, from_slot):
        within += change
        if from_slot is not None and slot < from_slot:
            continue
        if within >= condition.threshold and began is None:
            began = slot
        elif within < condition.threshold and began is not None:
            _add(found, Episode(began, slot - 1), condition.window_slots)
            began = None
    return found


def fullest_window(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the last slot of the window that holds most, and how much it holds; the first of several.

    Args:
        counts: Slots with how much fell into each, in any order. Where no window holds more than 0, both
            numbers returned are 0.
    """
    within, best = 0, (0, 0)
    for slot, change in _steps(counts, Condition(1).kernel, None):
        within += change
        if within > best[1]:
            best = (slot, within)
    return best


def _steps(
    counts: Iterable[tuple[int, int]], kernel: Sequence[tuple[int, int]], from_slot: int | None
) -> list[tuple[int, int]]:
    """Return by how much the sum changes at which slot, in order."""
    steps: dict[int, int] = {} if from_slot is None else {from_slot: 0}
    for slot, count in counts:
        for later, weight in kernel:
            steps[slot + later] = steps.get(slot + later, 0) + count * weight
    return sorted(steps.items())


def _add(episodes: list[Episode], episode: Episode, gap_slots: int) -> None:
    if episodes and episodes[-1].touches(episode, gap_slots):
        episodes[-1] = episodes[-1].joined(episode)
    else:
        episodes.append(episode)


@dataclass(slots=True)
class _Told:
    """An episode that somebody was told of."""

    episode: Episode
    is_open: bool


@dataclass(slots=True)
class WindowedCounts:
    """The slots of one series, and which episodes in them were told.

    Slots and counts are two lists in step, because a hundred thousand of these must fit into memory.
    """

    slots: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    told: list[_Told] | None = None

    def add(self, slot: int, count: int = 1) -> None:
        """Count something in a slot.

        Args:
            slot: Which; it may lie before others.
            count: What is added; below 0 for what makes a sum less.
        """
        if self.slots and self.slots[-1] == slot:
            self.counts[-1] += count
            return
        place = bisect_left(self.slots, slot)
        if place < len(self.slots) and self.slots[place] == slot:
            self.counts[place] += count
        else:
            self.slots.insert(place, slot)
            self.counts.insert(place, count)

    def newly_begun(
        self, now_slot: int, condition: Condition, touched_slot: int | None = None
    ) -> list[Episode]:
        """Return episodes to be told now, and take note that they are.

        That is one that touches none told before, and one that holds now though its end was told.

        Args:
            now_slot: Up to when records were read.
            condition: When there is enough.
            touched_slot: The earliest slot that changed since the last call; None looks at all.
        """
        begun: list[Episode] = []
        told = self.told or []
        for foreseen in self._episodes(condition, touched_slot):
            if condition.can_fall and foreseen.first > now_slot:
                continue
            found = Episode(foreseen.first, min(foreseen.last, now_slot)) if condition.can_fall else foreseen
            known = [each for each in told if each.episode.touches(found, condition.window_slots)]
            joined = found
            for each in known:
                joined = joined.joined(each.episode)
            goes_on = joined.last >= now_slot
            was_open = any(each.is_open for each in known)
            if not known or (goes_on and not was_open):
                begun.append(joined)
            told = [each for each in told if each not in known]
            told.append(_Told(joined, is_open=was_open or not known or goes_on))
        self.told = told or None
        return begun

    def _episodes(self, condition: Condition, touched_slot: int | None) -> list[Episode]:
        if not self.slots:
            return []
        judged_from = self.slots[0] + condition.history_slots if condition.history_slots else None
        bounds = [slot for slot in (touched_slot, judged_from) if slot is not None]
        from_slot = max(bounds) if bounds else None
        place = 0 if from_slot is None else bisect_left(self.slots, from_slot - condition.reach_slots)
        counts = zip(self.slots[place:], self.counts[place:], strict=True)
        return episodes_in(counts, condition, from_slot)

    def newly_ended(self, now_slot: int, window_slots: int, settle_slots: int) -> list[Episode]:
        """Return told episodes after which a whole window has passed, and take note that they ended.

        Args:
            now_slot: Up to when records were read.
            window_slots: How many slots a window has.
            settle_slots: How many more must pass: records of that window may still be on their way.
        """
        ended = []
        for each in self.told or ():
            if each.is_open and each.episode.last + window_slots + settle_slots < now_slot:
                each.is_open = False
                ended.append(each.episode)
        return ended

    def forget_before(self, slot: int) -> None:
        """Give up slots, and ended episodes, before a slot."""
        place = bisect_left(self.slots, slot)
        if place:
            del self.slots[:place], self.counts[:place]
        if self.told is not None:
            self.told = [each for each in self.told if each.is_open or each.episode.last >= slot] or None

    def move_back(self, slot: int, window_slots: int) -> None:
        """Move what is later than a slot into it: the clock that said so was wrong.

        What was told of that time, and ended, is over: the time comes again, with other records.

        Args:
            slot: The slot of now.
            window_slots: How many slots a window has.
        """
        ended = [each.episode for each in self.told or () if not each.is_open and each.episode.last > slot]
        last = slot + window_slots - 1  # of the last window that a record of this slot is in
        while self.slots and self.slots[-1] > slot:
            later, count = self.slots.pop(), self.counts.pop()
            if not any(each.first - window_slots < later <= each.last for each in ended):
                self.add(slot, count)
        if ended:
            self.told = [each for each in self.told or () if each.episode not in ended] or None
        for each in self.told or ():
            if each.episode.last > last:
                each.episode = Episode(min(each.episode.first, last), last)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that could matter later."""
        return not self.slots and not self.told

    @property
    def is_open(self) -> bool:
        """Whether an alert that was told has not ended."""
        return any(each.is_open for each in self.told or ())

    def content(self) -> list[Any]:
        """Return what `restored` takes, as JSON has it."""
        told = [[each.episode.first, each.episode.last, each.is_open] for each in self.told or ()]
        return [self.slots, self.counts, told]

    @classmethod
    def restored(cls, content: Sequence[Any]) -> WindowedCounts:
        """Return the counts that `content` described."""
        slots, counts, told = content
        episodes = [_Told(Episode(first, last), is_open) for first, last, is_open in told]
        return cls(list(slots), list(counts), episodes or None)
