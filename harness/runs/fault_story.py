"""One fault's story: hurt a target, look, and take it back.

Each part is a generator that does what can be done now and yields while it has nothing to do, so that several
faults are told in turn and none waits for another. A yielded moment says until when nothing is to be done, in
nanoseconds; 0 says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from harness.cleanup.undo_journal import UndoJournal
from harness.evidence.history import Recorder
from harness.model.declarations import Step
from harness.model.facts import FaultChanged
from harness.model.protocols import Fault
from harness.runs.fault_looks import FaultLooks
from harness.runs.hold import Hold
from harness.runs.ticker import Ticker


@dataclass(frozen=True, slots=True)
class Means:
    """What the faults of one scenario share: its name, the run's seed, time, where facts and undos go."""

    scenario: str
    seed: int
    ticker: Ticker
    recorder: Recorder
    journal: UndoJournal


class FaultStory:
    """A fault and its target, from the injection to the healing.

    Args:
        number: of its step in the scenario, from 0.
        step: what is asked for.
        fault: hurts.
        target: what is hurt.
        means: what it shares with the other faults of the scenario.

    Attributes:
        injected_ns: since when it is on; 0 before that.
        healing_ns: when it is to be taken back; None while nobody has said. It may be changed while the
            fault is on.
        is_healing: whether it is being taken back, or has been.
    """

    def __init__(self, number: int, step: Step, fault: Fault, target: object, means: Means) -> None:
        self.number = number
        self.step = step
        self.fault = fault
        self.target = target
        self.healing_ns: int | None = None
        self.injected_ns = 0
        self.is_healing = False
        self._means = means
        self._hold: Hold | None = None
        self._looks: FaultLooks | None = None

    def injection(self) -> Iterator[int]:
        """Hurt the target; its undo is on disk before.

        Raises:
            FaultError: it cannot be injected, or nobody knows whether it was.
            Exception: a defect of the fault's own.
        """
        means, name = self._means, f"{self._means.scenario}.{self.number}"
        rng = Random(f"{means.seed}:{name}")  # noqa: S311 - a reproducible choice, not a secret
        self._mark("injecting", means.ticker.now_ns())
        label = f"{self.step.fault} on {self.step.target}"
        undo = partial(self.fault.undo, self.target)
        inject = partial(self.fault.inject, self.target, rng)
        self._hold = Hold(name, label, undo, inject, means.journal, means.ticker)
        while (injected_ns := self._hold.injected_ns()) is None:
            yield 0
        self.injected_ns = injected_ns
        self._mark("injected", injected_ns)

    def looks(self, look_again_seconds: float | None = None) -> Iterator[int]:
        """Look at it until it must be taken back; `look_again_seconds` is that of `FaultLooks`.

        Returns:
            Steps that say until when nothing is to be done, in nanoseconds; see `FaultLooks.until_healing`.
        """
        self._looks = FaultLooks(
            self.number,
            self.fault,
            self.target,
            lambda: self.healing_ns or 0,
            self._means.ticker,
            self._means.recorder,
            look_again_seconds,
        )
        return self._looks.until_healing()

    def healing(self) -> Iterator[int]:
        """Take it back, and note what was destroyed if that is not known yet.

        Yields:
            0 as long as it is not taken back: the next step may come at once.

        Raises:
            FaultError: it cannot be taken back, or that takes too long.
            Exception: a defect of the fault's own.
        """
        if self._hold is None:
            return
        self.is_healing = True
        self._mark("healing", self._means.ticker.now_ns())
        self._hold.heal()
        while (healed_ns := self._hold.healed_ns()) is None:
            yield 0
        self._mark("healed", healed_ns)
        if self._looks is not None:
            yield from self._looks.after_healing()

    def heal_now(self) -> None:
        """Begin to take it back, if it is on; what its story had to tell yet is not told."""
        if self._hold is not None:
            self._hold.heal()

    def take_back(self) -> None:
        """Take it back in whatever state it is, and return when that is over. Bounded.

        Facts are noted afterwards: a history that cannot be written must not keep a fault on.

        Raises:
            FaultError: it cannot be taken back, or that takes too long.
            Exception: a defect of the fault's own.
        """
        if self._hold is None or self._hold.over:
            return
        began_ns = self._means.ticker.now_ns()
        self._hold.take_back()
        if not self.injected_ns:
            return
        if not self.is_healing:
            self._mark("healing", began_ns)
        self._mark("healed", self._hold.healed_ns() or self._means.ticker.now_ns())

    def _mark(self, state: str, at_ns: int) -> None:
        step, needs = self.step, self.fault.needs.__name__
        self._means.recorder.record(FaultChanged(at_ns, self.number, step.fault, step.target, state, needs))
