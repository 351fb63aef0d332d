"""Faults that a person starts and heals while a run is on, several at a time, at most one a target.

They are held as those of a scenario are: the undo is on disk first, evidence is looked for, every change is a
fact. None stands longer than it was given, whatever the person does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, fields, replace
from typing import Any

from harness.evidence.history import Recorder
from harness.live.desk import Offer, Standing
from harness.model.declarations import Arguments, Scalar, Step
from harness.model.errors import HarnessError, InterruptedRunError, TimeIsUpError
from harness.model.facts import FaultSeen
from harness.model.protocols import Cumulative, Destroys, Fault, Poisons
from harness.model.registry import Family
from harness.runs.fault_looks import LAST_LOOK_SECONDS, poisoned
from harness.runs.look import Look
from harness.runs.ticker import Ticker
from harness.targets.capabilities import Surging

LOOK_AGAIN_SECONDS = 2.0
_SECOND_NS = 1_000_000_000

# What a button starts where the default of a scenario file would hardly be seen on a chart.
_ARGUMENTS: Mapping[str, Arguments] = {
    "latency": {"latency_ms": 500},
    "body_limited": {"bytes_max": 4_096},
    "items_refused": {"share_429": 0.5},
}


def offers(faults: Family, targets: Mapping[str, object], steps: tuple[Step, ...]) -> tuple[Offer, ...]:
    """Return what the targets allow: the scenario's own steps first, then each fault with its defaults.

    What destroys for good is left out, since nobody could heal it, and so is what only watches the schedule.
    """
    found: dict[tuple[str, str], Offer] = {}
    for step in steps:
        found[step.fault, step.target] = Offer(step.fault, step.target, "of the scenario", step.arguments)
    for word, kind in faults.kinds.items():
        fault = faults.resolve(word)
        if fault.needs is Surging or (isinstance(fault, type) and issubclass(fault, Destroys)):
            continue
        for name, target in targets.items():
            if isinstance(target, fault.needs):
                found.setdefault((word, name), Offer(word, name, kind.summary, _arguments(word, fault)))
    return tuple(
        offer
        for offer in found.values()
        if isinstance(targets.get(offer.target), faults.resolve(offer.fault).needs)
    )


def _arguments(word: str, fault: Any) -> dict[str, Scalar]:
    given = _ARGUMENTS.get(word, {})
    return {
        each.name: given.get(each.name, each.default)
        for each in fields(fault)
        if each.init and isinstance(each.default, str | int | float | bool)
    }


@dataclass(slots=True)
class _Standing:
    step: Step
    number: int
    fault: Fault
    target: object
    hold: ExitStack
    began_ns: int
    heal_ns: int
    look: Look
    landed: bool = False
    looked: bool = False
    look_again_ns: int = 0
    healing: bool = False


class HandFaults:
    """The faults of one run that were started by hand.

    Args:
        undoable: holds a fault; its undo is on disk before it begins.
        ticker: for every wait.
        recorder: takes the facts.
        healed: called after each healing, with its target and whether it went well.
    """

    def __init__(
        self,
        undoable: Callable[[int, Step, Fault, object], AbstractContextManager[None]],
        ticker: Ticker,
        recorder: Recorder,
        healed: Callable[[Step, str], None],
    ) -> None:
        self._undoable = undoable
        self._ticker = ticker
        self._recorder = recorder
        self._healed = healed
        self._standing: list[_Standing] = []
        self.steps: list[Step] = []
        self.faults: list[Fault] = []

    @property
    def words(self) -> str:
        """Return the faults that are on, for a person."""
        return ", ".join(f"{each.step.fault} on {each.step.target}" for each in self._standing)

    def shown(self) -> tuple[Standing, ...]:
        """Return the faults that are on, for the page."""
        return tuple(
            Standing(
                each.number,
                each.step.fault,
                each.step.target,
                "healing" if each.healing else "on",
                round(max(0.0, self._ticker.seconds_until(each.heal_ns)), 1),
            )
            for each in self._standing
        )

    def start(self, step: Step, fault: Fault, target: object) -> None:
        """Start a fault, which is healed after `step.for_seconds` at the latest.

        Raises:
            HarnessError: it did not begin, or nobody knows whether it did.
        """
        number = len(self.steps)
        self.steps.append(step)
        self.faults.append(fault)
        hold = ExitStack()
        hold.enter_context(self._undoable(number, step, fault, target))
        now_ns = self._ticker.now_ns()
        heal_ns = now_ns + int(step.for_seconds * _SECOND_NS)
        look = Look(fault.evidence, target)
        self._standing.append(_Standing(step, number, fault, target, hold, now_ns, heal_ns, look))
        self.look_round()

    def heal(self, number: int) -> None:
        """Heal a fault, at once or after the moment that the stack is due to find out about a refusal."""
        for each in self._standing:
            if each.number == number and not each.healing:
                self._begin_healing(each)

    def look_round(self) -> None:
        """Look for evidence, and heal what has stood for its time."""
        for each in list(self._standing):
            self._look(each)
            last_ns = each.heal_ns - int(_deliberation_seconds(each.fault) * _SECOND_NS)
            if not each.healing and self._ticker.now_ns() >= last_ns:
                self._begin_healing(each)
            elif each.healing and self._ticker.now_ns() >= each.heal_ns:
                self._heal(each)

    def heal_all(self) -> None:
        """Heal everything that is on, and return when it is done."""
        for each in list(self._standing):
            if not each.healing:
                self._begin_healing(each)
        while self._standing:
            self._ticker.tick()
            self.look_round()

    def let_go(self) -> None:
        """Take everything back at once: the run ends."""
        with ExitStack() as every:  # whatever one of them raises, the others are taken back too
            for each in self._standing:
                every.callback(self._heal, each)

    # --- inside ------------------------------------------------------------------------------------------

    def _begin_healing(self, each: _Standing) -> None:
        each.healing = True
        self._recorder.record_all(poisoned(each.fault, each.target, self._ticker))
        each.heal_ns = self._ticker.in_ns(_deliberation_seconds(each.fault))
        if self._ticker.now_ns() >= each.heal_ns:
            self._heal(each)

    def _heal(self, each: _Standing) -> None:
        self._standing.remove(each)
        why_not = ""
        try:
            with each.hold:
                self._last_look(each)
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            why_not = str(error)
        stood_seconds = (self._ticker.now_ns() - each.began_ns) / _SECOND_NS
        self.steps[each.number] = replace(each.step, for_seconds=round(stood_seconds, 3))
        self._healed(each.step, why_not)

    def _look(self, each: _Standing) -> None:
        if not each.looked and each.look.done:
            self._note(each, each.look)
            each.looked = True
            each.look_again_ns = self._ticker.in_ns(LOOK_AGAIN_SECONDS)
        elif each.looked and not each.landed and self._ticker.now_ns() >= each.look_again_ns:
            each.look, each.looked = Look(each.fault.evidence, each.target), False

    def _last_look(self, each: _Standing) -> None:
        """See what it came to in all, where that is counted; bounded."""
        if not isinstance(each.fault, Cumulative):
            if not each.looked:
                self._note(each, each.look)
            return
        look = Look(each.fault.evidence_in_all, each.target)
        until_ns = self._ticker.in_ns(LAST_LOOK_SECONDS)
        while not look.done and self._ticker.tick_until(until_ns):
            pass
        self._note(each, look)

    def _note(self, each: _Standing, look: Look) -> None:
        landed, proof = look.result()
        each.landed = each.landed or landed
        self._recorder.record(FaultSeen(self._ticker.now_ns(), each.number, landed, proof))


def _deliberation_seconds(fault: Fault) -> float:
    return fault.deliberation_seconds if isinstance(fault, Poisons) else 0.0
