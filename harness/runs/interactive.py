"""A run whose faults a person starts and heals on the live page: the runner's story, with wishes for steps.

    start → steady ⇄ (fault by hand → heal) → drain → probe → read back → stop
                   ⇄ pause
                   ⇄ snapshot: heal, pause, drain, probe, read back, judge, go on

What was done by hand becomes the steps of the scenario that is judged, with the times at which it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from harness.live.desk import LiveState, Offer, Snapshot, Verb, Wish
from harness.model.declarations import Part, Scenario, Step, is_sender
from harness.model.errors import HarnessError, InternalError, InterruptedRunError, TimeIsUpError, described
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import PausableLoad
from harness.reporting.redaction import Redaction
from harness.runs.fault_story import Means
from harness.runs.hand_faults import HandFaults, offers
from harness.runs.live_desk import FAULT_SECONDS, LiveDesk
from harness.runs.live_watch import LiveWatch
from harness.runs.runner import Runner, Wiring
from harness.runs.snapshot import Snapshots
from harness.runs.ticker import TICK_SECONDS
from harness.runs.wiring import make_part
from harness.targets.capabilities import Killable, Stoppable

# The sender and the oracle hear of a pause before it begins.
PAUSE_LEAD_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ByHand:
    """What an interactive run has beside its wiring.

    Attributes:
        desk: where wishes lie, and what the page shows.
        steps: the scenario's own, which the page offers first.
        stack: the stack's name.
        history: the folder that all processes of the run write their facts to.
        snapshots: the folder that takes a folder a snapshot.
        judge: judges a history for a scenario; returns (status, a sentence, the scorecard's path).
        redaction: masks what the page would quote of the lines of an input.
    """

    desk: LiveDesk
    steps: tuple[Step, ...]
    stack: str
    history: Path
    snapshots: Path
    judge: Callable[[int, Path, Scenario], tuple[str, str, Path]]
    redaction: Redaction


class InteractiveRunner(Runner):
    """Runs one scenario without steps once; every step is taken by hand."""

    def __init__(self, scenario: Scenario, wiring: Wiring, by_hand: ByHand) -> None:
        """Take the scenario and its wiring; nothing has started yet."""
        super().__init__(scenario, wiring)
        self._by_hand = by_hand
        self._desk = by_hand.desk
        means = Means(scenario.name, wiring.seed, self._ticker, wiring.recorder, wiring.journal)
        self._hand = HandFaults(means, self._began, self._failed, self._healed)
        self._watch = LiveWatch(
            by_hand.history, wiring.outlets, self._desk, by_hand.redaction, wiring.clock.now_ns
        )
        self._paused = False
        self._ended = False
        self._snapshots = 0
        state = LiveState(
            run_id=wiring.outlets.run_id, scenario=scenario.name, title=scenario.title, stack=by_hand.stack
        )
        self._desk.show(lambda _before: state)

    @property
    def scenario(self) -> Scenario:
        """Return what was run: the steps are those taken by hand so far."""
        return replace(self._scenario, steps=tuple(self._hand.steps))

    def run(self) -> None:
        """Run all phases, as `Runner.run` does; the page is told of the end on every path."""
        self._watch.start()
        try:
            super().run()
        finally:
            self._watch.stop()
            with suppress(HarnessError):
                self._watch.look()
            self._desk.show(lambda state: replace(state, phase="over", offers=(), standing=(), busy=""))

    # --- the part of the story that is a person's ---------------------------------------------------------

    def _shake(self) -> None:
        targets = self._targets()
        offered = offers(self._desk.faults, targets, self._by_hand.steps)
        pausable = isinstance(self._wiring.load, PausableLoad)
        self._desk.show(lambda state: replace(state, offers=offered, pausable=pausable))
        until_ns = self._began_ns + int(self._scenario.sending_seconds * SECOND_NS)
        try:
            while not self._ended and self._ticker.tick_until(until_ns):
                self._attend()
            self._hand.heal_all()
        finally:
            self._hand.let_go()
            self._scenario = self.scenario
            self._wiring = replace(self._wiring, faults=tuple(self._hand.faults))
            self._desk.show(lambda state: replace(state, offers=(), standing=()))

    def _attend(self) -> None:
        """Take up what a person has asked for since the last tick."""
        self._hand.look_round()
        while not self._ended and (wish := self._desk.next_wish()) is not None:
            self._take_up(wish)
        self._desk.show_standing(self._hand.shown())

    def _take_up(self, wish: Wish) -> None:
        acts: Mapping[Verb, Callable[[Wish], None]] = {
            Verb.START: self._start_fault,
            Verb.HEAL: lambda wish: self._hand.heal(-1 if wish.number is None else wish.number),
            Verb.PAUSE: lambda _wish: self._pause(),
            Verb.RESUME: lambda _wish: self._resume(),
            Verb.SNAPSHOT: lambda _wish: self._snapshot(),
            Verb.END: lambda _wish: self._end(),
        }
        acts[wish.verb](wish)

    def _start_fault(self, wish: Wish) -> None:
        target = self._targets().get(wish.target)
        arguments = {**self._offer(wish).arguments, **wish.arguments}
        seconds = FAULT_SECONDS if wish.seconds is None else wish.seconds
        fault = make_part(self._desk.faults, Part(wish.fault, arguments))
        step = Step(wish.fault, wish.target, self._sent_seconds(), seconds, arguments)
        if is_sender(wish.target) and fault.needs in {Killable, Stoppable}:
            self._debts.cut_off_answers(wish.target)
        self._enter("inject")
        self._hand.start(step, fault, target)

    def _began(self, step: Step) -> None:
        self._fault = self._hand.words
        seconds = step.for_seconds
        self._note(f"{step.fault} on {step.target} began; it is healed after {seconds:g} s at the latest.")

    def _failed(self, step: Step, error: HarnessError) -> None:
        self._desk.release(step.target)
        self._broke("inject", error)
        self._note(f"{step.fault} on {step.target} did not begin: {error}")

    def _offer(self, wish: Wish) -> Offer:
        for offer in self._desk.state().offers:
            if (offer.fault, offer.target) == (wish.fault, wish.target):
                return offer
        raise InternalError(f"{wish.fault} on {wish.target} was taken and is not offered")

    def _healed(self, step: Step, why_not: str) -> None:
        """Note that a fault is gone; where none is left, fresh records tell how soon the stack recovers."""
        self._desk.release(step.target)
        self._fault = self._hand.words
        self._enter("inject" if self._fault else "recovery")
        name = f"{step.fault} on {step.target}"
        if why_not:
            self._broke("heal", HarnessError(f"{name} was not taken back: {why_not}"))
            self._note(f"{name} was not taken back: {why_not}")
            return
        self._note(f"{name} is healed.")
        if not self._fault:
            scenario = self._scenario
            self._fresh.send(max(scenario.recovery_seconds, scenario.liveness_seconds), name)
            self._ticker.look()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._load().pause(self._ticker.in_ns(PAUSE_LEAD_SECONDS))
            self._desk.show(lambda state: replace(state, paused=True))
            self._note("The load is paused: what falls due is withheld, neither lost nor late.")

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._load().resume(self._ticker.in_ns(PAUSE_LEAD_SECONDS))
            self._desk.show(lambda state: replace(state, paused=False))
            self._note("The load goes on.")

    def _end(self) -> None:
        """Withhold what is left of the schedule."""
        self._pause()
        until_ns = self._ticker.in_ns(PAUSE_LEAD_SECONDS + TICK_SECONDS)
        while self._ticker.tick_until(until_ns):
            self._hand.look_round()
        self._ended = True
        self._note("The run is being ended by hand; what was acknowledged is waited for and judged.")

    def _snapshot(self) -> None:
        """Judge the run so far: heal, pause, wait for what is owed, read it, and go on."""
        self._snapshots += 1
        snapshot = Snapshot(self._snapshots, round(self._sent_seconds(), 1))
        self._desk.show_snapshot(snapshot)
        was_paused = self._paused
        self._busy("a snapshot heals all faults and reads the archive while the load is paused")
        try:
            self._hand.heal_all()
            self._desk.show_standing(())
            with self._ticker.looking(aside=False):
                status, words, scorecard = self._judged_so_far(snapshot.number)
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            self._desk.show_snapshot(replace(snapshot, status="ERROR", words=self._hidden(described(error))))
        else:
            self._desk.show_snapshot(replace(snapshot, status=status, words=words), scorecard)
        finally:
            self._busy("")
        if not was_paused:
            self._resume()

    def _judged_so_far(self, number: int) -> tuple[str, str, Path]:
        """Read and judge what there is; return (status, a sentence, the scorecard's path)."""
        self._pause()
        self._ticker.wait_until(self._ticker.in_ns(PAUSE_LEAD_SECONDS + TICK_SECONDS))
        snapshots = Snapshots(
            self._wiring, self._scenario, self._ticker, self._opened, self._gauges, self._debts.cut_off
        )
        folder = self._by_hand.snapshots / str(number) / "history"
        self._record(*snapshots.take(self._by_hand.history, folder, self._hand.faults, self._hand.steps))
        return self._by_hand.judge(number, folder, self.scenario)

    # --- what the page shows -------------------------------------------------------------------------------

    def _look_round(self) -> None:
        super()._look_round()
        phase, left = self._phase, round(self._seconds_left(), 1)
        self._desk.show(lambda state: replace(state, phase=phase, seconds_left=left))

    def _busy(self, words: str) -> None:
        self._desk.show(lambda state: replace(state, busy=words))

    def _note(self, words: str) -> None:
        self._desk.note(self._sent_seconds(), self._hidden(words))

    def _hidden(self, words: str) -> str:
        return self._by_hand.redaction.text(words)

    def _sent_seconds(self) -> float:
        return round(max(0, self._now() - self._began_ns) / SECOND_NS, 3)

    def _load(self) -> PausableLoad:
        load = self._wiring.load
        if not isinstance(load, PausableLoad):
            raise InternalError("a load that cannot be paused was asked to")
        return load
