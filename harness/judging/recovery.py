"""After the last fault is healed the store soon takes in as much as before, and what piled up is soon gone.

Both are read off the archive's own count, which is asked for several times a second. What is not in the
archive at the end is not waited for here: that is loss, and judged as such.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.disturbance import starvation
from harness.judging.measure import Measure, given_limit
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import STORED, Sample
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict

THROUGHPUT_SHARE = 0.9
# Stores show what they took in now and then, often once a second; a shorter span would see bursts, no rate.
_SPAN_NS = 2 * SECOND_NS
_SETTLING_NS = SECOND_NS
_SAMPLES_MIN = 3


@dataclass(frozen=True, slots=True)
class Recovery:
    """How the store came back; times in seconds after healing, None = not as long as anyone looked."""

    steady_per_second: float
    steady_backlog: int
    throughput_seconds: float | None
    backlog_seconds: float | None


class RecoveryTime(ABC):
    """What both have in common: limit, evidence, and when there is nothing to judge."""

    objective: ClassVar[str]
    dimension: ClassVar[str] = "recovery"
    unit: ClassVar[str] = "s"
    needs_quiet: ClassVar[bool] = True

    def __init__(self, charge: Charge, *, limit_seconds: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_seconds: how long recovery may take; by default the scenario's `recovery_seconds`.
        """
        self._charge = charge
        self._limit_seconds = given_limit("limit_seconds", limit_seconds) or charge.scenario.recovery_seconds
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit_seconds)

    def lacks(self) -> str:
        """Return what must be there for this to be planned."""
        return "" if self._charge.scenario.steps else "no scenario has a fault to recover from"

    def check(self, timeline: Timeline) -> Verdict:
        """Measure from the last healing and compare with the limit.

        Returns:
            PASS or FAIL with the seconds it took; INCONCLUSIVE where recovery cannot be told.
        """
        found = recovery(timeline)
        if isinstance(found, str):
            return self._measure.verdict(Status.INCONCLUSIVE, None, found)
        seconds = self.measured(found)
        allowed = f"at most {self._limit_seconds:g} s allowed"
        evidence = (
            f"Before the fault the store took in {found.steady_per_second:,.1f} records/s and was at most "
            f"{count(found.steady_backlog, 'record')} behind.",
        )
        if seconds is None or seconds > self._limit_seconds:
            reached = "was not reached" if seconds is None else f"was reached {seconds:.1f} s"
            said = f"{self.wanted(found)} {reached} after the last fault was healed ({allowed})."
            story = (
                f"{self.wanted(found)} was still missing {self._limit_seconds:g} s after the healing.",
                said,
            )
            if starved := starvation(timeline, max(timeline.healed_ns, default=timeline.began_ns)):
                said = f"{said.removesuffix('.')}, but {starved}."
                return self._measure.verdict(Status.INCONCLUSIVE, seconds, said, evidence)
            return self._measure.verdict(Status.FAIL, seconds, said, evidence, story)
        said = (
            f"{self.wanted(found)} was reached {seconds:.1f} s after the last fault was healed ({allowed})."
        )
        return self._measure.verdict(Status.PASS, seconds, said, evidence)

    @abstractmethod
    def measured(self, found: Recovery) -> float | None:
        """Return the number that is judged, in seconds; None where the state was not reached.

        Args:
            found: how the stack recovered.
        """

    @abstractmethod
    def wanted(self, found: Recovery) -> str:
        """Name the state that was waited for, as the beginning of a sentence.

        Args:
            found: how the stack recovered; it tells the rate and the backlog to come back to.

        Returns:
            The words, without a verb.
        """


def recovery(timeline: Timeline) -> Recovery | str:
    """Measure how the store came back, or say why that cannot be told."""
    counts = timeline.samples.get(STORED, [])
    healed_ns = max(timeline.healed_ns, default=None)
    steady = timeline.steady()
    settled_ns = steady.from_ns + _SETTLING_NS
    before = [count for count in counts if settled_ns <= count.at_ns < steady.to_ns]
    if healed_ns is None or len(timeline.healed_ns) < len(timeline.fault_windows):
        return "A fault was not healed."
    if not timeline.read_whole:
        return "The archive was not read whole."
    after = [count for count in counts if count.at_ns >= healed_ns]
    if len(before) < _SAMPLES_MIN or len(after) < _SAMPLES_MIN:
        return "The archive was counted too seldom before the fault or after it."
    seconds = (before[-1].at_ns - before[0].at_ns) / SECOND_NS
    counted_per_second = (before[-1].value - before[0].value) / seconds if seconds else 0.0
    # Seen in bursts over a few seconds, more may seem to come in than was ever sent.
    steady_per_second = min(counted_per_second, _due_per_second(timeline))
    if steady_per_second <= 0:
        return "Nothing reached the store before the fault."
    behind = _Behind(timeline)
    steady_backlog = max(behind.at(count) for count in before)
    wanted = THROUGHPUT_SHARE * steady_per_second
    return Recovery(
        steady_per_second,
        steady_backlog,
        _first(after, healed_ns, lambda count: _rate(counts, count) >= wanted),
        _first(after, healed_ns, lambda count: behind.at(count) <= steady_backlog),
    )


def _due_per_second(timeline: Timeline) -> float:
    steady = timeline.steady()
    due = sum(steady.holds(entry.due_ns) for entry in timeline.scheduled())
    return due * SECOND_NS / max(1, steady.to_ns - steady.from_ns)


class _Behind:
    """How many copies the store lacks at a moment, of those that it has at the end."""

    def __init__(self, timeline: Timeline) -> None:
        self._sent_ns = sorted(
            entry.sent_ns
            for sequence, copies in timeline.copies.items()
            for entry in (timeline.entries[sequence],) * len(copies)
            if entry.sent_ns is not None
        )

    def at(self, count: Sample) -> int:
        return max(0, bisect_right(self._sent_ns, count.at_ns) - int(count.value))


def _first(counts: Sequence[Sample], from_ns: int, holds: Callable[[Sample], bool]) -> float | None:
    return next(((count.at_ns - from_ns) / SECOND_NS for count in counts if holds(count)), None)


def _rate(counts: Sequence[Sample], last: Sample) -> float:
    """Return the records a second that came in over the two seconds or more that end with a count."""
    index = bisect_right(counts, last.at_ns - _SPAN_NS, key=lambda count: count.at_ns) - 1
    if index < 0:
        return 0.0
    first = counts[index]
    return (last.value - first.value) / ((last.at_ns - first.at_ns) / SECOND_NS)
