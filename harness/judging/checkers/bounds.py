"""What a stack takes of its surroundings stays bounded while its store is hurt: memory, descriptors, disk.

All three are judged in the same way: each process's highest sample less its last one before sending began,
summed over the processes. What the control's process (the same load into a NullHandler) grew by is the
harness's own share of the application, and is taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.judging.measure import Measure
from harness.judging.timeline import Account, account
from harness.model.declarations import APPLICATION
from harness.model.facts import DESCRIPTORS, DISK_MIB, MEMORY_MIB, Event, Sample
from harness.model.protocols import Charge, Status, Verdict

_CONTROL = "control"
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


class _Bound:
    """What all three have in common; a subclass names what is bounded."""

    objective: ClassVar[str]
    dimension: ClassVar[str]
    sample: ClassVar[str]
    promise: ClassVar[str]
    unit: ClassVar[str]
    needs_quiet: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._limit: float | None = getattr(charge.promises, self.promise)
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit)

    @classmethod
    def lacks(cls, charge: Charge) -> str:
        """Return what must be declared for this to be planned."""
        declared = getattr(charge.promises, cls.promise) is not None
        return "" if declared else f"the stack promises no {cls.promise}"

    def check(self, events: Sequence[Event]) -> Verdict:
        """Compare what was taken above idle with the promise."""
        run = account(events)
        growths, unclear = _growths(run, events, self.sample)
        ours = [growth for growth in growths if growth.process != _CONTROL]
        if not ours or self._limit is None:
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, "too few samples before and after sending began"
            )
        spared = next((each.above_idle for each in growths if each.process == _CONTROL), 0.0)
        above_idle = sum(
            max(0.0, growth.above_idle - (spared if growth.process == APPLICATION else 0.0))
            for growth in ours
        )
        said = f"{above_idle:,.1f} {self.unit} above idle at the most"
        evidence = tuple(
            f"{each.process}: {each.idle:,.1f} {self.unit} when idle, {each.peak:,.1f} at the most, at "
            f"{run.seconds(each.peak_ns)}"
            for each in growths
        )
        if above_idle <= self._limit and unclear:
            why = f"{', '.join(unclear)}: too few samples before or after sending began"
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, evidence)
        if above_idle <= self._limit:
            return self._measure.verdict(Status.PASS, round(above_idle, 1), said, evidence)
        worst = max(ours, key=lambda growth: growth.above_idle)
        story = (
            f"{worst.process} had {worst.idle:,.1f} {self.unit} before sending began",
            f"it had {worst.peak:,.1f} {self.unit} at {run.seconds(worst.peak_ns)}, "
            f"{run.what_was_on(worst.peak_ns)}",
        )
        return self._measure.verdict(
            Status.FAIL, round(above_idle, 1), f"{said}, {self._limit:g} are promised", evidence, story
        )


class Memory(_Bound):
    """The application and the stack's processes take no more than `memory_mib_above_idle`, faults or not."""

    objective: ClassVar[str] = "caller.memory_mib_above_idle"
    dimension: ClassVar[str] = "caller protection"
    sample: ClassVar[str] = MEMORY_MIB
    promise: ClassVar[str] = "memory_mib_above_idle"
    unit: ClassVar[str] = "MiB"


class Descriptors(_Bound):
    """The application and the stack's processes open no more than `descriptors_above_idle`, faults or not."""

    objective: ClassVar[str] = "degradation.descriptors_above_idle"
    dimension: ClassVar[str] = "degradation"
    sample: ClassVar[str] = DESCRIPTORS
    promise: ClassVar[str] = "descriptors_above_idle"
    unit: ClassVar[str] = "descriptors"


class Disk(_Bound):
    """What the stack keeps below its folder stays within `disk_mib_above_idle`, faults or not."""

    objective: ClassVar[str] = "degradation.disk_mib_above_idle"
    dimension: ClassVar[str] = "degradation"
    sample: ClassVar[str] = DISK_MIB
    promise: ClassVar[str] = "disk_mib_above_idle"
    unit: ClassVar[str] = "MiB"


def _growths(run: Account, events: Sequence[Event], name: str) -> tuple[list[_Growth], list[str]]:
    """Return each process's growth, and the processes not seen both before and after sending began."""
    prefix = f"{name}."
    samples: dict[str, list[Sample]] = {}
    for event in events:
        if isinstance(event, Sample) and event.name.startswith(prefix):
            samples.setdefault(event.name.removeprefix(prefix), []).append(event)
    growths, unclear = [], []
    for process, seen in sorted(samples.items()):
        idle = [each for each in seen if each.at_ns < run.began_ns]
        later = [each for each in seen if each.at_ns >= run.began_ns]
        if not idle or len(later) < _SAMPLES_MIN:
            unclear.append(process)
            continue
        peak = max(later, key=lambda each: each.value)
        growths.append(_Growth(process, idle[-1].value, peak.value, peak.at_ns))
    return growths, unclear
