"""What a stack takes of its surroundings stays bounded while its store is hurt: memory, descriptors, disk.

All three are judged in the same way: each process's highest sample less its last one before sending began,
summed over the processes. What the control's process (the same load into a NullHandler) grew by is the
harness's own share of the application, and is taken off. Where the stack held many records, what each of
them took is judged for a longer outage as well (`held_growth`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.held_growth import HeldGrowth, came_too_late, held_growth
from harness.judging.measure import Measure
from harness.judging.timeline import CONTROL, Timeline
from harness.model.declarations import APPLICATION
from harness.model.protocols import Status, Verdict

_SAMPLES_MIN = 3


@dataclass(frozen=True, slots=True)
class _Growth:
    """One process: what it had when idle, the most it had, and when."""

    process: str
    idle: float
    peak: float
    peak_ns: int

    @property
    def above_idle(self) -> float:
        return max(0.0, self.peak - self.idle)


class AboveIdle:
    """Judge growth above idle; a subclass names what is bounded. Its word is that of the promise, too."""

    objective: ClassVar[str]
    dimension: ClassVar[str]
    sample: ClassVar[str]
    unit: ClassVar[str]
    needs_quiet: ClassVar[bool] = True

    def __init__(self, charge: Charge, limit: float | None) -> None:
        """Take what is to be judged, and the scenario's own limit; without one, the promise is the limit."""
        promised: float | None = getattr(charge.promises, self.objective)
        self._limit = promised if limit is None else limit
        self._held_records_max = charge.promises.held_records_max
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return f"the stack promises no {self.objective}" if self._limit is None else ""

    def check(self, timeline: Timeline) -> Verdict:
        """Compare what was taken above idle, and what more records would take, with the promise."""
        growths, unclear = _growths(timeline, self.sample)
        ours = [growth for growth in growths if growth.process != CONTROL]
        if not ours or self._limit is None:
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, "Too few samples before or after sending began."
            )
        spared = next((each.above_idle for each in growths if each.process == CONTROL), 0.0)
        above_idle = sum(
            max(0.0, growth.above_idle - (spared if growth.process == APPLICATION else 0.0))
            for growth in ours
        )
        said = f"{above_idle:,.1f} {self.unit} above idle (at most {self._limit:g} allowed)."
        evidence = [
            f"{each.process}: {each.idle:,.1f} {self.unit} when idle, at most {each.peak:,.1f}, at "
            f"{timeline.seconds(each.peak_ns)}."
            for each in growths
        ]
        held = held_growth(timeline, self.sample, self._held_records_max)
        if held is not None:
            evidence.append(self._told(held, above_idle))
            if above_idle <= self._limit < above_idle + held.outlook:
                return self._outgrown(held, above_idle, evidence)
        elif above_idle <= self._limit and (late := came_too_late(timeline)):
            why = (
                f"{late:,} records due while faults were on were not sent by then, though their callers were "
                "free: the machine was too busy to show what each record held takes."
            )
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, tuple(evidence))
        return self._by_peak(timeline, ours, unclear, above_idle, said, evidence)

    def _by_peak(
        self,
        timeline: Timeline,
        ours: Sequence[_Growth],
        unclear: Sequence[str],
        above_idle: float,
        said: str,
        evidence: Sequence[str],
    ) -> Verdict:
        kept = self._limit is not None and above_idle <= self._limit
        if kept and unclear:
            why = f"Too few samples before or after sending began: {', '.join(unclear)}."
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, tuple(evidence))
        if kept:
            return self._measure.verdict(Status.PASS, round(above_idle, 1), said, tuple(evidence))
        worst = max(ours, key=lambda growth: growth.above_idle)
        story = (
            f"{worst.process} had {worst.idle:,.1f} {self.unit} before sending began.",
            f"It had {worst.peak:,.1f} {self.unit} at {timeline.moment(worst.peak_ns)}.",
        )
        return self._measure.verdict(Status.FAIL, round(above_idle, 1), said, tuple(evidence), story)

    def _outgrown(self, held: HeldGrowth, above_idle: float, evidence: Sequence[str]) -> Verdict:
        would = above_idle + held.outlook
        said = (
            f"{would:,.1f} {self.unit} above idle to be expected with {held.outlook_records:,} records held "
            f"(at most {self._limit:g} allowed)."
        )
        story = (
            self._told(held, above_idle),
            "The stack refused and dropped nothing, so it showed no bound. If it has one, promise it in the "
            "stack file as held_records_max.",
        )
        return self._measure.verdict(Status.FAIL, round(would, 1), said, tuple(evidence), story)

    def _told(self, held: HeldGrowth, above_idle: float) -> str:
        return (
            f"With {held.held:,} records held it took {above_idle:,.1f} {self.unit} above idle; 1,000 more "
            f"take {1_000 * held.per_record:,.2f} {self.unit}."
        )


def _growths(timeline: Timeline, name: str) -> tuple[list[_Growth], list[str]]:
    """Return each process's growth, and the processes not seen both before and after sending began."""
    growths, unclear = [], []
    for process, seen in timeline.samples_by_process(name).items():
        idle = [each for each in seen if each.at_ns < timeline.began_ns]
        later = [each for each in seen if each.at_ns >= timeline.began_ns]
        if not idle or len(later) < _SAMPLES_MIN:
            unclear.append(process)
            continue
        peak = max(later, key=lambda each: each.value)
        growths.append(_Growth(process, idle[-1].value, peak.value, peak.at_ns))
    return growths, unclear
