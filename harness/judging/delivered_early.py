"""A stack's count of what it delivered, compared with the archive while the run is on.

After the drain a lie may have become true: what a stack called delivered during an outage arrives later. So
each reading is held against the archive's own count a declared lag later. A reading counts as too high only
where the next one is as well: they are about a second apart, and a store may be slow to show what it has.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from harness.judging.timeline import Timeline
from harness.model.facts import STORED, CounterRead
from harness.model.nanoseconds import SECOND_NS

DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Early:
    """A reading that says more than the archive held so many seconds later."""

    reading: CounterRead
    archived: int

    @property
    def records(self) -> float:
        """Return how many records too many were called delivered."""
        return self.reading.value - self.archived

    def sentence(self, timeline: Timeline, lag_seconds: float) -> str:
        """Say what was counted, when, and what the archive held.

        Args:
            timeline: of the scenario; tells when the reading was.
            lag_seconds: how long after the reading the archive was counted.
        """
        moment = timeline.moment(self.reading.at_ns)
        return (
            f"delivered: {self.reading.value:,.0f} counted by the stack at {moment}; {self.archived:,} "
            f"were in the archive {lag_seconds:g} s later."
        )


def delivered_early(timeline: Timeline, lag_seconds: float) -> Early | None:
    """Return the reading of `delivered` that was furthest ahead of the archive; None where none was.

    Where the archive cannot be counted, no time passes for it: a store that was frozen, or is starting, has
    not shown yet what it took before. A count that shows less than was read back in the end counts something
    else, and nothing is compared with it.

    Args:
        timeline: of the scenario.
        lag_seconds: how long after it was counted a record shows in the archive at the latest.
    """
    stored = timeline.samples.get(STORED, [])
    copies = sum(map(len, timeline.copies.values())) + len(timeline.strays)
    if not stored or stored[-1].value < copies:
        return None
    most = list(accumulate((int(sample.value) for sample in stored), max))
    shown = _Shown([sample.at_ns for sample in stored])
    compared = []
    for reading in timeline.readings.get(DELIVERED, []):
        place = shown.place(reading.at_ns, int(lag_seconds * SECOND_NS))
        if place < len(stored):
            compared.append(Early(reading, most[place]))
    ahead = [one for one, two in pairwise(compared) if one.records > 0 and two.records > 0]
    return max(ahead, key=lambda each: each.records, default=None)


class _Shown:
    """A clock that goes on while the archive is counted: of the time between two counts, a second at most.

    Args:
        at_ns: when each count was taken, in order, in ns.
    """

    def __init__(self, at_ns: Sequence[int]) -> None:
        self._at_ns = at_ns
        passed = (min(later - earlier, SECOND_NS) for earlier, later in pairwise(at_ns))
        self._shown_ns = list(accumulate(passed, initial=0))

    def place(self, since_ns: int, lag_ns: int) -> int:
        """Return which count is the first after so much of such time; one beyond the last where none is."""
        before = bisect_right(self._at_ns, since_ns) - 1
        if before < 0:
            return bisect_left(self._at_ns, since_ns + lag_ns)
        since_shown_ns = self._shown_ns[before] + min(since_ns - self._at_ns[before], SECOND_NS)
        return bisect_left(self._shown_ns, since_shown_ns + lag_ns)
