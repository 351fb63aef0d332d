"""What each record that a stack holds takes of its surroundings, and what as many more would take.

A queue that grows without bound keeps every promise of a short outage. So the samples are set against the
records that the stack had taken and the store had not got yet, and the growth is judged for `OUTLOOK` times
as many. It is no more, because a bounded stack grows at first, too: its buffers fill up, and memory once
taken is kept. The growth per record is the lower quartile of the slopes between all pairs of samples that lie
far enough apart (Theil and Sen take their median): a single step lies in few of them, steady growth in all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

from harness.judging.call_times import outages_of, timings_of
from harness.judging.statistics import quantile
from harness.judging.timeline import CONTROL, Timeline
from harness.model.facts import STORED
from harness.model.nanoseconds import MS_NS, SECOND_NS

OUTLOOK = 2
HELD_RECORDS_MIN = 5_000
"""Fewer than these tell nothing: what else a process takes meanwhile weighs more than the records."""

_SAMPLES_MIN = 4
_APART_SHARE = 0.25
_QUARTILE = 0.25


@dataclass(frozen=True, slots=True)
class HeldGrowth:
    """The most records that were held, what each took, in the sample's unit, and for how many to judge."""

    held: int
    per_record: float
    outlook_records: int

    @property
    def outlook(self) -> float:
        """Return what the records beyond those that were held would take."""
        return self.per_record * max(0, self.outlook_records - self.held)


def held_growth(timeline: Timeline, sample: str, held_records_max: int | None) -> HeldGrowth | None:
    """Measure the growth per record held while faults were on.

    Args:
        timeline: of the scenario.
        sample: the samples' name, e.g. `memory_mib`.
        held_records_max: how many records the stack promises to hold at most; None = it promises nothing.

    Returns:
        None where too few records were held, or too few samples taken, and where the stack refused or
        dropped records: it has shown its bound, and what it took until then is all it takes.
    """
    stretch = _stretch(timeline)
    if stretch is None:
        return None
    from_ns, to_ns = stretch
    held = _Held(timeline)
    points = [
        (held.at(at_ns), value)
        for at_ns, value in _totals(timeline, sample).items()
        if from_ns <= at_ns < to_ns
    ]
    most = max((records for records, _ in points), default=0)
    least = min((records for records, _ in points), default=0)
    if most - least < HELD_RECORDS_MIN or len(points) < _SAMPLES_MIN or _bounded(timeline, to_ns):
        return None
    slopes = [
        (later - earlier) / (more - fewer)
        for (fewer, earlier), (more, later) in combinations(points, 2)
        if abs(more - fewer) >= _APART_SHARE * (most - least)
    ]
    records = OUTLOOK * most
    if held_records_max is not None and most <= held_records_max:
        records = min(records, held_records_max)
    return HeldGrowth(most, max(0.0, quantile(slopes, _QUARTILE)), records)


def came_too_late(timeline: Timeline) -> int:
    """Count the records that a busy machine kept from being held, where they are why nothing can be told.

    Returns:
        The records due while faults were on whose calls, made when due, would have returned by then,
        and did not; 0 where too few would have been held even so, and where the stack refused or dropped.
    """
    stretch = _stretch(timeline)
    if stretch is None or _bounded(timeline, stretch[1]):
        return 0
    from_ns, to_ns = stretch
    late = sum(
        timing.due_ns >= from_ns
        and timing.due_ns + timing.own_ms * MS_NS < to_ns <= timing.due_ns + timing.response_ms * MS_NS
        for timing in timings_of(timeline, outages_of(timeline))
    )
    held = _Held(timeline)
    most = max((held.at(at_ns) for at_ns in range(from_ns, to_ns, SECOND_NS)), default=0)
    return late if most < HELD_RECORDS_MIN <= most + late else 0


def _stretch(timeline: Timeline) -> tuple[int, int] | None:
    """Return from when to when growth is looked for: a second before the first fault to the last healing."""
    windows = [window for _, window in timeline.fault_windows]
    if not windows:
        return None
    return min(window.from_ns for window in windows) - SECOND_NS, max(window.to_ns for window in windows)


class _Held:
    """How many records were handed over, not refused, and not stored yet, at a moment."""

    def __init__(self, timeline: Timeline) -> None:
        entries = timeline.entries.values()
        self._sent_ns = sorted(entry.sent_ns for entry in entries if entry.sent_ns is not None)
        self._refused_ns = sorted(entry.refused_ns for entry in entries if entry.refused_ns is not None)
        self._counts = timeline.samples.get(STORED, [])
        self._counted_ns = [count.at_ns for count in self._counts]

    def at(self, at_ns: int) -> int:
        counted = bisect_right(self._counted_ns, at_ns)
        stored = int(self._counts[counted - 1].value) if counted else 0
        taken = bisect_right(self._sent_ns, at_ns) - bisect_right(self._refused_ns, at_ns)
        return max(0, taken - stored)


def _totals(timeline: Timeline, sample: str) -> dict[int, float]:
    """Return the processes' sum at each moment when all were seen, less what the control's grew by."""
    by_process = timeline.samples_by_process(sample)
    control = by_process.pop(CONTROL, [])
    spared = {each.at_ns: max(0.0, each.value - control[0].value) for each in control}
    seen: dict[int, list[float]] = defaultdict(list)
    for samples in by_process.values():
        for each in samples:
            seen[each.at_ns].append(each.value)
    return {
        at_ns: sum(values) - spared.get(at_ns, 0.0)
        for at_ns, values in sorted(seen.items())
        if len(values) == len(by_process)
    }


def _bounded(timeline: Timeline, to_ns: int) -> bool:
    """Tell whether the stack refused or dropped anything before the last healing."""
    refused = any(entry.refused_ns is not None and entry.refused_ns < to_ns for entry in timeline.scheduled())
    dropped = any(each.value > 0 and each.at_ns < to_ns for each in timeline.readings.get("dropped", ()))
    return refused or dropped
