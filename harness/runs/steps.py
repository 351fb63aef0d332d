"""The steps of a scenario: each fault begins and ends when its file says, whatever another one takes.

Each step's story is a generator that yields while it has nothing to do, and all that are on are told in turn,
tick by tick. So a step within another one that takes its time (a process that is closing, one that is started
again) prolongs nothing around it. Only what has hold of the same target is healed in turn, the inner one
first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from harness.cleanup.undo_journal import UndoJournal
from harness.evidence.history import Recorder
from harness.model.declarations import Scenario, Step
from harness.model.facts import StepSkipped
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Fault
from harness.runs.fault_story import FaultStory, Means
from harness.runs.ticker import TICK_SECONDS, Ticker
from harness.targets.capabilities import Untouchable, not_supported


@dataclass(frozen=True, slots=True)
class Told:
    """Whom the steps tell what happens, beside the history.

    `phase` takes `inject`, `heal` or `recovery`; `beginning` takes a step and its fault just before it is
    injected; `all_healed` takes what was healed last, once nothing hurts the stack any more.
    """

    phase: Callable[[str], None]
    beginning: Callable[[Step, Fault], None]
    all_healed: Callable[[str], None]


@dataclass(slots=True)
class _Taken:
    """A step that has begun: its hold once the fault is being injected, and when it is to be healed."""

    number: int
    step: Step
    fault: Fault
    around: Sequence[_Taken]
    held: FaultStory | None = None
    story: Iterator[int] = field(default_factory=lambda: iter(()))
    is_over: bool = False
    was_skipped: bool = False

    @property
    def label(self) -> str:
        return f"{self.step.fault} on {self.step.target}"

    @property
    def is_on(self) -> bool:
        return self.healing_ns is not None and self.held is not None and not self.held.is_healing

    @property
    def healing_ns(self) -> int | None:
        return None if self.held is None else self.held.healing_ns


class Steps:
    """Takes a scenario's steps, once.

    Args:
        scenario: whose steps they are.
        faults: one for each of them.
        targets: returns what faults can take hold of, by its name.
        seed: of the whole run.
        ticker: for every wait.
        recorder: takes the facts.
        journal: keeps how to take each fault back.
        told: whom to tell what happens.
    """

    def __init__(
        self,
        scenario: Scenario,
        faults: Sequence[Fault],
        targets: Callable[[], Mapping[str, object]],
        seed: int,
        ticker: Ticker,
        recorder: Recorder,
        journal: UndoJournal,
        told: Told,
    ) -> None:
        self._waiting = deque(enumerate(zip(scenario.steps, faults, strict=True)))
        self._targets = targets
        self._means = Means(scenario.name, seed, ticker, recorder, journal)
        self._ticker = ticker
        self._recorder = recorder
        self._told = told
        self._taken: list[_Taken] = []
        self._began_ns = 0

    @property
    def now_on(self) -> str:
        """Name the innermost fault that is on, for a person; empty while none is."""
        return next((each.label for each in reversed(self._taken) if not each.is_over), "")

    def take(self, began_ns: int) -> None:
        """Take all steps; return once nothing is on any more. Whatever happens, all is taken back.

        Args:
            began_ns: when sending began.

        Raises:
            InterruptedRunError, TimeIsUpError: the run must end.
            HarnessError: a fault could not be injected or taken back.
            Exception: a defect of a fault's own.
        """
        self._began_ns = began_ns
        try:
            while self._waiting or self._on():
                self._tick_until(self._advance())
        except BaseException:
            with ExitStack() as undoing:
                for each in self._taken:
                    if each.held is not None:
                        undoing.callback(each.held.take_back)
                # What is around another need not wait for it; each is waited for afterwards.
                for each in reversed(self._on()):
                    if each.held is not None and not self._is_held_within(each):
                        each.held.heal_now()
                raise

    def _advance(self) -> list[int]:
        """Begin what is due and go on with what is on; return until when nothing is to be done."""
        moments: list[int] = []
        # The innermost comes first: where two are healed at the same moment, it is healed before the other.
        for each in reversed(self._on()):
            moments += self._go_on(each)
        while self._waiting and self._due_ns() <= self._ticker.now_ns() and self._may_begin():
            moments += self._begin()
        return moments + ([self._due_ns()] if self._waiting else [])

    def _tick_until(self, moments: Sequence[int]) -> None:
        if not self._waiting and not self._on():
            return
        now_ns = self._ticker.now_ns()
        coming = [moment for moment in moments if moment > now_ns]
        self._ticker.tick_until(min(coming, default=self._ticker.in_ns(TICK_SECONDS)))

    # --- beginning and ending ----------------------------------------------------------------------------

    def _due_ns(self) -> int:
        return self._began_ns + int(self._waiting[0][1][0].at_seconds * SECOND_NS)

    def _may_begin(self) -> bool:
        """Return whether what the next step lies within is on, and all that comes before it is over."""
        around = self._around(self._waiting[0][1][0])
        before = [each for each in self._on() if each not in around]
        return not before and all(each.is_over or each.healing_ns is not None for each in around)

    def _around(self, step: Step) -> list[_Taken]:
        """Return the steps that the file puts around one."""
        return [
            each for each in self._taken if step.at_seconds < each.step.at_seconds + each.step.for_seconds
        ]

    def _begin(self) -> list[int]:
        number, (step, fault) = self._waiting.popleft()
        taken = _Taken(number, step, fault, self._around(step))
        self._taken.append(taken)
        target = self._targets().get(step.target)
        if why_not := _why_not(taken, target):
            taken.was_skipped = taken.is_over = True
            self._recorder.record(StepSkipped(self._ticker.now_ns(), number, why_not))
            return []
        self._told.phase("inject")
        self._told.beginning(step, fault)
        taken.story = self._story(taken, target)
        return self._go_on(taken)

    def _go_on(self, taken: _Taken) -> list[int]:
        """Go on with a step's story; return until when nothing is to be done, nothing where it is over."""
        moment = next(taken.story, None)
        if moment is not None:
            return [moment]
        self._end(taken)
        return []

    def _end(self, taken: _Taken) -> None:
        taken.is_over = True
        if self._on():
            self._told.phase("inject")
            return
        self._told.phase("recovery")
        self._told.all_healed(taken.label)

    def _on(self) -> list[_Taken]:
        return [each for each in self._taken if not each.is_over]

    # --- one step's story --------------------------------------------------------------------------------

    def _story(self, taken: _Taken, target: object) -> Iterator[int]:
        """Hurt the target, look, and take it back; yield until when nothing is to be done."""
        held = taken.held = FaultStory(taken.number, taken.step, taken.fault, target, self._means)
        yield from held.injection()
        held.healing_ns = self._healing_ns(taken, held.injected_ns)
        yield from held.looks()
        while self._is_held_within(taken):
            yield 0
        self._told.phase("heal")
        yield from held.healing()

    def _healing_ns(self, taken: _Taken, injected_ns: int) -> int:
        """Return when a step is healed: with what is around it at the latest, however late it could begin."""
        ends = [each.healing_ns for each in taken.around if each.healing_ns is not None]
        return min([injected_ns + int(taken.step.for_seconds * SECOND_NS), *ends])

    def _is_held_within(self, taken: _Taken) -> bool:
        """Return whether a step within this one still has hold of the same target."""
        return any(taken in each.around and each.step.target == taken.step.target for each in self._on())


def _why_not(taken: _Taken, target: object) -> str:
    """Return why a step cannot be taken; empty where it can."""
    step, fault = taken.step, taken.fault
    if target is None:
        return f"{step.target}: this run has no such target"
    if isinstance(target, Untouchable):
        return f"{step.target}: {target.refusal}"
    if not isinstance(target, fault.needs):
        return f"{step.target}: {not_supported(fault.needs)}"
    for each in taken.around:
        if each.was_skipped:
            return f"it was to be within {each.label}, which was skipped"
        if not each.is_on:
            return f"it was to be within {each.label}, which was healed before it could begin"
    return ""
