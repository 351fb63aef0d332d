"""Faults that a person starts and heals while a run is on, several at a time, at most one a target.

They are held as those of a scenario are: the undo is on disk first, evidence is looked for, every change is a
fact. None stands longer than it was given, whatever the person does and however long another takes to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from typing import Any

from harness.live.desk import Offer, Standing
from harness.model.declarations import Arguments, Scalar, Step
from harness.model.errors import HarnessError, InterruptedRunError, TimeIsUpError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Destroys, Fault, Poisons
from harness.model.registry import Family
from harness.runs.fault_story import FaultStory, Means
from harness.targets.capabilities import Surging

LOOK_AGAIN_SECONDS = 2.0

# What a button starts where the default of a scenario file would hardly be seen on a chart.
_ARGUMENTS: Mapping[str, Arguments] = {
    "latency": {"latency_ms": 500},
    "body_limited": {"bytes_max": 4_096},
    "items_refused": {"share_429": 0.5},
}


def offers(faults: Family, targets: Mapping[str, object], steps: tuple[Step, ...]) -> tuple[Offer, ...]:
    """Return what the targets allow: the scenario's own steps first, then each fault with its defaults.

    What destroys for good is left out, since nobody could heal it, and so is what only watches the schedule.

    Args:
        faults: the family of faults.
        targets: those of this run, by name.
        steps: of the scenario; an offer has their arguments in place of the defaults.
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
    """A fault that begins or is on: how it is held, what is to be done of it next, and an early wish."""

    held: FaultStory
    story: Iterator[int] = field(default_factory=lambda: iter(()))
    wished_over: bool = False

    @property
    def deliberation_seconds(self) -> float:
        """How long before the healing the stack is due to find out about a refusal."""
        return self.held.fault.deliberation_seconds if isinstance(self.held.fault, Poisons) else 0.0


class HandFaults:
    """The faults of one run that were started by hand.

    Args:
        means: what they share.
        began: called once a fault is on.
        failed: called where one did not begin, or nobody knows whether it did, with what went wrong.
        healed: called after each healing, with its target and whether it went well.
    """

    def __init__(
        self,
        means: Means,
        began: Callable[[Step], None],
        failed: Callable[[Step, HarnessError], None],
        healed: Callable[[Step, str], None],
    ) -> None:
        self._means = means
        self._ticker = means.ticker
        self._began = began
        self._failed = failed
        self._healed = healed
        self._standing: list[_Standing] = []
        self.steps: list[Step] = []
        self.faults: list[Fault] = []

    @property
    def words(self) -> str:
        """Return the faults that are on or begin, for a person."""
        return ", ".join(
            f"{step.fault} on {step.target}" for step in (each.held.step for each in self._standing)
        )

    def shown(self) -> tuple[Standing, ...]:
        """Return the faults that are on or begin, for the page."""
        return tuple(
            Standing(
                each.held.number,
                each.held.step.fault,
                each.held.step.target,
                "healing" if self._is_ending(each) else "on",
                self._seconds_left(each),
            )
            for each in self._standing
        )

    def start(self, step: Step, fault: Fault, target: object) -> None:
        """Start a fault, which is healed after `step.for_seconds` at the latest.

        Args:
            step: with the arguments and how long the fault may last.
            fault: made of them.
            target: what is hurt; it must have what `fault.needs`.
        """
        each = _Standing(FaultStory(len(self.steps), step, fault, target, self._means))
        self.steps.append(step)
        self.faults.append(fault)
        each.story = self._story(each)
        self._standing.append(each)
        self._go_on(each)

    def heal(self, number: int) -> None:
        """Heal a fault, at once or after the moment that the stack is due to find out about a refusal.

        Args:
            number: of its step, from 0; one that is not on is left alone.
        """
        for each in list(self._standing):
            if each.held.number == number:
                self._end(each)

    def look_round(self) -> None:
        """Look for evidence, and heal what has stood for its time."""
        for each in list(self._standing):
            self._go_on(each)

    def heal_all(self) -> None:
        """Heal everything that is on, and return when it is done."""
        for each in list(self._standing):
            self._end(each)
        while self._standing:
            self._ticker.tick()
            self.look_round()

    def let_go(self) -> None:
        """Take everything back at once: the run ends."""
        with ExitStack() as every:  # whatever one of them raises, the others are taken back too
            for each in self._standing:
                every.callback(self._take_back, each)

    # --- inside ------------------------------------------------------------------------------------------

    def _story(self, each: _Standing) -> Iterator[int]:
        held = each.held
        yield from held.injection()
        given_seconds = 0.0 if each.wished_over else held.step.for_seconds
        held.healing_ns = held.injected_ns + int(max(given_seconds, each.deliberation_seconds) * SECOND_NS)
        self._began(held.step)
        yield from held.looks(LOOK_AGAIN_SECONDS)
        yield from held.healing()

    def _seconds_left(self, each: _Standing) -> float:
        if each.held.healing_ns is None:
            return each.held.step.for_seconds
        return round(max(0.0, self._ticker.seconds_until(each.held.healing_ns)), 1)

    def _is_ending(self, each: _Standing) -> bool:
        """Return whether it is too late to wish for its healing: it is about to be healed."""
        if each.held.healing_ns is None:
            return each.wished_over
        ending_ns = each.held.healing_ns - int(each.deliberation_seconds * SECOND_NS)
        return self._ticker.now_ns() >= ending_ns

    def _end(self, each: _Standing) -> None:
        if each.held.healing_ns is None:
            each.wished_over = True  # it is healed as soon as it is on
        elif not self._is_ending(each):
            each.held.healing_ns = self._ticker.in_ns(each.deliberation_seconds)
            self._go_on(each)

    def _go_on(self, each: _Standing) -> None:
        """Do what can be done now; what goes wrong at its beginning or end is told, and the run goes on."""
        why_not = ""
        try:
            if next(each.story, None) is not None:
                return
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            if not each.held.injected_ns:
                self._give_up(each, error)
                return
            if not each.held.is_healing:
                raise
            why_not = str(error)
            each.held.take_back()  # nothing is done where the healing itself went wrong
        self._tell_over(each, why_not)

    def _give_up(self, each: _Standing, error: HarnessError) -> None:
        """Tell that a fault did not begin, once what may be on of it is taken back."""
        self._standing.remove(each)
        each.held.take_back()
        self._failed(each.held.step, error)

    def _take_back(self, each: _Standing) -> None:
        why_not = ""
        try:
            each.held.take_back()
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            why_not = str(error)
        self._tell_over(each, why_not)

    def _tell_over(self, each: _Standing, why_not: str) -> None:
        self._standing.remove(each)
        held = each.held
        stood_seconds = (self._ticker.now_ns() - held.injected_ns) / SECOND_NS
        self.steps[held.number] = replace(held.step, for_seconds=round(stood_seconds, 3))
        self._healed(held.step, why_not)
