"""What a stack takes of its surroundings stays bounded while its store is hurt: memory, descriptors, disk.

All three are judged in the same way: each process's highest sample less its last one before sending began,
summed over the processes. What the control's process (the same load into a NullHandler) grew by is the
harness's own share of the application, and is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.judging.checker import Charge
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
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return f"the stack promises no {self.objective}" if self._limit is None else ""

    def check(self, timeline: Timeline) -> Verdict:
        """Compare what was taken above idle with the promise."""
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
        evidence = tuple(
            f"{each.process}: {each.idle:,.1f} {self.unit} when idle, at most {each.peak:,.1f}, at "
            f"{timeline.seconds(each.peak_ns)}."
            for each in growths
        )
        if above_idle <= self._limit and unclear:
            why = f"Too few samples before or after sending began: {', '.join(unclear)}."
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, evidence)
        if above_idle <= self._limit:
            return self._measure.verdict(Status.PASS, round(above_idle, 1), said, evidence)
        worst = max(ours, key=lambda growth: growth.above_idle)
        story = (
            f"{worst.process} had {worst.idle:,.1f} {self.unit} before sending began.",
            f"It had {worst.peak:,.1f} {self.unit} at {timeline.moment(worst.peak_ns)}.",
        )
        return self._measure.verdict(Status.FAIL, round(above_idle, 1), said, evidence, story)


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
