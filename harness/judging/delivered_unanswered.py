"""A stack's count of what it delivered, compared with what it can know while the store answers nothing.

`delivered_early.py` needs a declared lag and two readings, and a lie told only during an outage may be
shorter. But as long as no answer of the store has come over any link, the stack has not been told that
anything was stored: it may still count what was sent before the last answer, and nothing that was sent later.
That the store answered nothing is seen at the links themselves, whatever fault is on, or none.

A stack whose records reach the archive another way would break this rule from the start; so nothing is judged
by it where it was broken in the steady state.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from harness.judging.timeline import Timeline
from harness.model.facts import ANSWERS, CounterRead, Sample


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A reading that says more than was sent before the last answer."""

    reading: CounterRead
    sent: int
    since_ns: int

    @property
    def records(self) -> float:
        """Return how many records too many were called delivered."""
        return self.reading.value - self.sent

    def sentence(self, timeline: Timeline) -> str:
        """Say what was counted, when, and since when nobody had told the stack so."""
        return (
            f"delivered: {self.reading.value:,.0f} counted by the stack at "
            f"{timeline.moment(self.reading.at_ns)}; {self.sent:,} records were sent before "
            f"{timeline.seconds(self.since_ns)}, and the store answered nothing from then on."
        )


def delivered_unanswered(timeline: Timeline, delivered: str) -> Unanswered | None:
    """Return the reading of `delivered` that was furthest beyond what the store can have told; None = none.

    Args:
        timeline: of the scenario.
        delivered: the counter's name.
    """
    links = list(timeline.samples_by_process(ANSWERS).values())
    if not links:
        return None
    sent = _Sent(timeline)
    steady = timeline.steady()
    beyond = []
    for reading in timeline.readings.get(delivered, []):
        since = [_silent_since_ns(samples, reading.at_ns) for samples in links]
        silent = [each for each in since if each is not None]
        if len(silent) < len(since):
            continue
        found = Unanswered(reading, sent.copies(max(silent)), max(silent))
        if found.records > 0:
            if reading.at_ns < steady.to_ns:
                return None
            beyond.append(found)
    return max(beyond, key=lambda each: each.records, default=None)


def _silent_since_ns(samples: Sequence[Sample], at_ns: int) -> int | None:
    """Return since when no answer had come over a link at a reading; None where one may just have come.

    The reading lies between two samples with the same count: the one of its own round comes after it.
    """
    after = bisect_left(samples, at_ns, key=lambda sample: sample.at_ns)
    if after in {0, len(samples)} or samples[after].value != samples[after - 1].value:
        return None
    first = bisect_left(samples, samples[after].value, key=lambda sample: sample.value)
    return samples[first].at_ns


class _Sent:
    """How many copies there are in the end of what was sent by a moment; one at least of each record."""

    def __init__(self, timeline: Timeline) -> None:
        sent = sorted(
            (entry.sent_ns, max(1, len(timeline.copies.get(entry.sequence, ()))))
            for entry in timeline.entries.values()
            if entry.sent_ns is not None
        )
        self._at_ns = [at_ns for at_ns, _ in sent]
        self._copies = list(accumulate((copies for _, copies in sent), initial=len(timeline.strays)))

    def copies(self, until_ns: int) -> int:
        return self._copies[bisect_right(self._at_ns, until_ns)]
