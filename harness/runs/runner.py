"""One scenario from start to stop: the whole story of a run.

    start → steady → inject → heal → recovery → drain → probe → read back → stop

The runner is handed its collaborators (`Wiring`) and knows none of their kinds. It writes facts and judges
nothing: what it could not do becomes a fact too (`Broke`, `StepSkipped`), so that no path ends in a pass by
omission.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeAlias, TypeVar

from harness.cleanup.undo_journal import UndoJournal
from harness.evidence.following import Following
from harness.evidence.history import HistoryUnwritableError, Recorder
from harness.evidence.readback import Outlets, OutletSpec, Reading
from harness.evidence.sampling import ArchiveWatch, Gauges, Measurable, NamedCounters
from harness.judging.outcomes import HELD
from harness.judging.wording import count
from harness.model.declarations import APPLICATION, Scenario, Step
from harness.model.errors import (
    HarnessError,
    InternalError,
    InterruptedRunError,
    NotReadyError,
    OwnPartError,
    StackError,
    TimeIsUpError,
    described,
    what_ends_the_run,
)
from harness.model.facts import (
    EXIT_SECONDS,
    READ_BACK_SECONDS,
    STORED,
    Broke,
    CounterRead,
    Destroyed,
    Event,
    FaultChanged,
    FaultSeen,
    Misnamed,
    PhaseChanged,
    Poisoned,
    ProcessExited,
    Sample,
    StepSkipped,
)
from harness.model.protocols import Clock, Cumulative, Deployment, Destroys, Fault, Load, Poisons, Progress
from harness.runs.fresh_records import FreshRecords
from harness.runs.look import Look
from harness.targets.capabilities import Killable, Stoppable, Untouchable, not_supported

READY_SECONDS = 60.0
LEAD_SECONDS = 0.5
QUIET_SECONDS = 1.5
COUNTED_SECONDS = 2.5
LAST_LOOK_SECONDS = 1.0
TICK_SECONDS = 0.25
STACK = "stack"
_SECOND_NS = 1_000_000_000
_T = TypeVar("_T")


_Waiting: TypeAlias = deque[tuple[int, tuple[Step, Fault]]]
"""The steps still to come, by their numbers in the scenario, each with its fault."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What one scenario is run with.

    `faults` has one for each step of the scenario; `left` tells what the scenario has not taken away;
    `cores` measures what the run and its neighbours take of this machine's processors; `first_seen` asks for
    a fact of when each record was first seen in the archive.
    """

    services: Deployment
    stack: Deployment
    load: Load
    outlets: OutletSpec
    faults: Sequence[Fault]
    recorder: Recorder
    journal: UndoJournal
    clock: Clock
    seed: int
    watch: Callable[[Progress], None]
    left: Callable[[], Sequence[str]] = tuple
    counters: NamedCounters | None = None
    cores: Measurable | None = None
    first_seen: bool = False


class Runner:
    """Runs one scenario once."""

    def __init__(self, scenario: Scenario, wiring: Wiring) -> None:
        """Take the scenario and its wiring; nothing has started yet."""
        self._scenario = scenario
        self._wiring = wiring
        self._phase = "start"
        self._fault = ""
        self._waiting = ""
        self._cut_off = 0
        self._began_ns = 0
        self._stored = 0
        self._outlets: Outlets | None = None
        self._fresh = FreshRecords(
            wiring.load,
            lambda from_now: self._opened().follow_archive(from_now=from_now),
            self._now,
            self._record,
        )
        self._following: Following | None = None
        self._archive_watch: ArchiveWatch | None = None
        self._gauges = Gauges((wiring.stack, wiring.load, wiring.cores), wiring.counters)
        self._exits_noted: set[str] = set()
        self._overdue: frozenset[int] = frozenset()
        self._seen_at_whole_look = -1

    def run(self) -> None:
        """Run all phases; whatever happens, faults are taken back and everything is stopped.

        Raises:
            InterruptedRunError: a signal ended the run; the history says so.
            TimeIsUpError: the run's time ended.
            HistoryFullError: the history reached its cap.
            HistoryUnwritableError: there is no room for the history.
            NotReadyError: the stack, or what the harness puts around it, did not get ready.
        """
        try:
            self._start()
            self._send_through_faults()
            self._drain()
            self._probe()
            self._read_back()
        except (InterruptedRunError, TimeIsUpError) as error:
            self._broke("run", error)
            raise
        except HistoryUnwritableError:
            raise
        except NotReadyError as error:
            self._record(Broke(self._now(), "start", error.reason))
            raise
        except Exception as error:  # a plug-in's defect, or ours: the scenario is an ERROR, the others go on
            self._broke(self._phase, error)
            if (ending := what_ends_the_run(error)) is not None:
                raise ending from error
        finally:
            self._stop()

    # --- phases ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._enter("start")
        for deployment in (self._wiring.stack, self._wiring.load):
            try:
                deployment.start()
                deployment.wait_ready(READY_SECONDS)
            except (StackError, OwnPartError) as error:
                raise NotReadyError(error, self._scenario.name) from error
        self._outlets = Outlets(self._wiring.outlets)
        if self._wiring.first_seen:
            self._archive_watch = ArchiveWatch(self._outlets.follow_archive().look, self._now)

    def _send_through_faults(self) -> None:
        self._began_ns = self._wiring.clock.now_ns() + int(LEAD_SECONDS * _SECOND_NS)
        self._wiring.load.begin(self._began_ns)
        self._wait_until(self._began_ns)
        self._enter("steady", self._began_ns)
        steps = zip(self._scenario.steps, self._wiring.faults, strict=True)
        self._take_steps(deque(enumerate(steps)), self._scenario.sending_seconds)
        self._wait_until(self._began_ns + int(self._scenario.sending_seconds * _SECOND_NS))

    def _take_steps(self, waiting: _Waiting, until_seconds: float) -> None:
        """Take the steps that begin before then; each takes those that lie within it while it is on."""
        while waiting and waiting[0][1][0].at_seconds < until_seconds:
            number, (step, fault) = waiting.popleft()
            self._wait_until(self._began_ns + int(step.at_seconds * _SECOND_NS))
            self._disturb(number, step, fault, waiting)

    def _disturb(self, number: int, step: Step, fault: Fault, waiting: _Waiting) -> None:
        target = self._targets().get(step.target)
        if target is None or not isinstance(target, fault.needs):
            self._record(StepSkipped(self._now(), number, f"{step.target}: {_why_not(target, fault)}"))
            return
        around = self._fault
        self._enter("inject")
        self._fault = f"{step.fault} on {step.target}"
        if step.target == APPLICATION and fault.needs in {Killable, Stoppable}:
            # What its process has not answered by now it takes with it, and nobody will.
            tally = self._wiring.load.tally()
            self._cut_off = max(0, tally.sent - tally.acknowledged - tally.refused)
        with self._undoable(number, step, fault, target):
            until_ns = self._now() + int(step.for_seconds * _SECOND_NS)
            look = Look(fault.evidence, target)
            # Steps within this one begin when they are due, whether it is proved by then or not.
            self._await_look(look, min(until_ns, self._next_ns(waiting, until_ns)))
            noted = self._note_look(number, look) if look.done else None
            self._note_destroyed(number, fault, target)
            self._take_steps(waiting, step.at_seconds + step.for_seconds)
            self._note_poison_in_time(fault, target, until_ns)
            if noted is None:
                self._await_look(look, until_ns)
                noted = self._note_look(number, look)
            self._look_again(number, fault, target, noted, until_ns, look.seconds)
            self._enter("heal")
        healed, self._fault = self._fault, around
        self._enter("inject" if around else "recovery")
        if not around:
            self._fresh.send(max(self._scenario.recovery_seconds, self._scenario.liveness_seconds), healed)

    def _look_again(
        self, number: int, fault: Fault, target: object, landed: bool, until_ns: int, took_seconds: float
    ) -> None:
        """Look once more, just before the healing: at what it came to in all, or where nothing was proved.

        A second look begins so long before the healing as the first one took.
        """
        if isinstance(fault, Cumulative):
            self._wait_until(until_ns)
            look = Look(fault.evidence_in_all, target)
            self._await_look(look, until_ns + int(LAST_LOOK_SECONDS * _SECOND_NS))
            self._note_look(number, look)
            return
        if not landed:
            self._wait_until(until_ns - int((took_seconds + TICK_SECONDS) * _SECOND_NS))
            if self._now() < until_ns:
                look = Look(fault.evidence, target)
                self._await_look(look, until_ns)
                self._note_look(number, look)
        self._wait_until(until_ns)

    def _await_look(self, look: Look, until_ns: int) -> None:
        while not look.done and (left_seconds := (until_ns - self._now()) / _SECOND_NS) > 0:
            self._tick(min(left_seconds, TICK_SECONDS))

    def _note_look(self, number: int, look: Look) -> bool:
        """Note what is seen of a fault; one look that proves it is enough, the last of those is quoted."""
        landed, proof = look.result()
        self._record(FaultSeen(self._now(), number, landed, proof))
        return landed

    def _next_ns(self, waiting: _Waiting, until_ns: int) -> int:
        """Return when the next step is due, at the latest `until_ns`."""
        if not waiting:
            return until_ns
        return self._began_ns + int(waiting[0][1][0].at_seconds * _SECOND_NS)

    def _note_destroyed(self, number: int, fault: Fault, target: object) -> None:
        """Note what was destroyed while it can be read: the stack may throw the file away at any time."""
        if isinstance(fault, Destroys):
            self._record(*(Destroyed(self._now(), number, place) for place in fault.destroyed(target)))

    @contextmanager
    def _undoable(self, number: int, step: Step, fault: Fault, target: object) -> Iterator[None]:
        """Hold a fault. The journal keeps its undo until it is known to be taken back, on every path."""
        name = f"{self._scenario.name}.{number}"
        rng = Random(f"{self._wiring.seed}:{name}")  # noqa: S311 - a reproducible choice, not a secret
        needs = fault.needs.__name__
        self._mark(number, step, "injecting", needs)
        self._wiring.journal.before(name, fault.undo(target))
        inside: BaseException | None = None
        try:
            with fault.inject(target, rng):
                try:
                    self._mark(number, step, "injected", needs)
                    yield
                    self._mark(number, step, "healing", needs)
                except BaseException as error:
                    inside = error
                    raise
        except BaseException as error:
            # What went wrong while the fault was on has left it in good order; any other error is the
            # fault's own, and nobody knows whether it is still on.
            if error is inside:
                self._wiring.journal.done(name)
            raise
        self._wiring.journal.done(name)
        self._mark(number, step, "healed", needs)

    def _drain(self) -> None:
        self._enter("drain")
        deadline_ns = self._deadline(self._scenario.drain_seconds)
        while self._unsent() and self._now() < deadline_ns:
            self._say_waiting("log calls that are due", deadline_ns)
            self._tick()
        self._await_answers(deadline_ns)
        if not self._await_debts(deadline_ns, quiet_seconds=0.0):
            self._overdue = self._missing(deadline_ns)
        self._waiting = ""

    def _await_answers(self, deadline_ns: int) -> None:
        """Wait until the stack has said a word of every record, or counts that it holds none any more.

        A stack that backs off for half a minute has lost nothing. Its count is believed once it has stood at
        zero for a moment, since counters are written late.
        """
        zero_since_ns: int | None = None
        while (unanswered := self._unanswered()) and self._now() < deadline_ns:
            if self._gauges.counters().get(HELD) != 0:
                zero_since_ns = None
            elif zero_since_ns is None:
                zero_since_ns = self._now()
            elif self._now() - zero_since_ns >= COUNTED_SECONDS * _SECOND_NS:
                return
            records = count(unanswered, "record")
            self._say_waiting(f"{records} to be acknowledged or refused", deadline_ns)
            self._tick()

    def _unanswered(self) -> int:
        """Return how many records may still be acknowledged: not those a fault on the application cut off."""
        tally = self._wiring.load.tally()
        return max(0, tally.sent - tally.acknowledged - tally.refused - self._cut_off)

    def _say_waiting(self, what: str, deadline_ns: int) -> None:
        seconds = max(0.0, (deadline_ns - self._now()) / _SECOND_NS)
        self._waiting = f"waiting for {what}, for at most {seconds:.0f} s more"

    def _probe(self) -> None:
        self._enter("probe")
        self._fresh.send(self._scenario.liveness_seconds)
        while self._fresh.waiting():
            self._tick()
            self._fresh.look()

    def _read_back(self) -> None:
        self._enter("read back")
        if (exit_seconds := self._wiring.load.finish()) is not None:
            self._record(Sample(self._now(), f"{EXIT_SECONDS}.{APPLICATION}", exit_seconds))
        deadline_ns = self._deadline(self._scenario.drain_seconds)
        self._await_debts(deadline_ns)
        reading = self._read_whole(deadline_ns)
        if self._archive_watch is not None:
            archived = (each for each in self._opened().archived(reading) if each is not None)
            self._wiring.recorder.record_all(self._archive_watch.note(archived))
        self._wiring.recorder.record_all(self._opened().facts(reading, self._now()))
        self._look_elsewhere(reading)
        # Now that requests under way at the healing have ended too.
        for step, fault in zip(self._scenario.steps, self._wiring.faults, strict=True):
            self._note_poison(fault, self._targets().get(step.target))
        self._read_counters()
        self._note_slips(reading)

    def _look_elsewhere(self, reading: Reading) -> None:
        """Note which of the missing records lie beside the archive; where nobody can look, none does."""
        missing = self._wiring.load.owed() - self._opened().kept(reading)
        with suppress(StackError):
            self._wiring.recorder.record_all(self._opened().elsewhere(missing))

    def _note_poison_in_time(self, fault: Fault, target: object, until_ns: int) -> None:
        """Note what was refused for good so early before the healing that the stack had time to find out."""
        if not isinstance(fault, Poisons):
            return
        latest_ns = until_ns - int(fault.deliberation_seconds * _SECOND_NS)
        if fault.deliberation_seconds and self._now() > latest_ns:
            return  # a step within this one took longer: of nothing is it known that it was early enough
        self._wait_until(latest_ns)
        self._note_poison(fault, target)

    def _note_poison(self, fault: Fault, target: object) -> None:
        if isinstance(fault, Poisons) and isinstance(target, fault.needs):
            sequences = list(fault.poisoned(target))
            self._record(*(Poisoned(sequence, self._now()) for sequence in sequences))

    def _read_counters(self) -> None:
        """Note the stack's counters, which have stood still since the last reading of the outlets."""
        self._record(
            *(CounterRead(self._now(), name, value) for name, value in self._gauges.counters().items())
        )

    def _note_slips(self, reading: Reading) -> None:
        """Note what the stack file names wrongly: nothing that is judged by it would be the stack's."""
        counters, file = self._wiring.counters, self._wiring.outlets.file
        begun = ("accepted", "delivered") if reading.documents else ()
        slips = [*self._opened().slips(reading), *([] if counters is None else counters.slips(file, begun))]
        self._record(*(Misnamed(self._now(), slip) for slip in slips))

    def _stop(self) -> None:
        problems = []
        began_ns = self._now()
        closers = [] if self._outlets is None else [self._outlets.close]
        for stop in (*closers, self._wiring.load.stop, self._wiring.stack.stop):
            began_ns = self._now()
            try:
                stop()
            except Exception as error:  # whatever one of them says, the others are stopped too
                problems.append(error)
        if self._phase == "read back" and not problems:
            seconds = (self._now() - began_ns) / _SECOND_NS
            self._record(Sample(self._now(), f"{EXIT_SECONDS}.{STACK}", seconds))
        self._enter("stop")
        for problem in problems:
            self._broke("stop", problem)
        for left in self._wiring.left():
            self._record(Broke(self._now(), "stop", f"the scenario left something: {left}"))

    # --- waiting -----------------------------------------------------------------------------------------

    def _await_debts(self, deadline_ns: int, quiet_seconds: float = QUIET_SECONDS) -> bool:
        """Look until every debt is found and nothing has moved for a moment, or time is up.

        A copy that comes late must not be missed because the first one was there. A debt that had its time
        in the drain is not waited for again. The stack's own counters must stand still as well, since they
        are read next and are written late.

        Returns:
            Whether every debt was found.
        """
        before: tuple[int, Mapping[str, float]] = (-1, {})
        still_since_ns = self._now()
        while True:
            copies = self._by(deadline_ns, self._opened().copies)
            settled = self._settled(copies, deadline_ns)
            now = copies, self._gauges.counters() if quiet_seconds else {}
            if now != before:
                before, still_since_ns = now, self._now()
            quiet = self._now() - still_since_ns >= quiet_seconds * _SECOND_NS
            if (settled and quiet) or self._now() >= deadline_ns:
                return settled
            missing = count(max(1, len(self._wiring.load.owed()) - copies), "acknowledged record")
            what = "copies and counters to stand still" if settled else f"{missing} to be stored"
            self._say_waiting(what, deadline_ns)
            self._tick()

    def _settled(self, copies: int, deadline_ns: int) -> bool:
        """Return whether every debt is found, which the number of copies tells mostly.

        Fewer copies than debts cannot hold them all; where there are as many, the whole reading that follows
        tells whether they are the same. Only more copies need a look at which they are.
        """
        debts = len(self._wiring.load.owed())
        if copies < debts - len(self._overdue):
            return False
        return copies == debts or not self._missing(deadline_ns)

    def _missing(self, deadline_ns: int) -> frozenset[int]:
        """Look at what has come in; return the debts not seen yet, those that had their time left out.

        Where nothing comes in any more, one whole reading tells what looks at new copies have missed.
        """
        if self._following is None:
            self._following = self._opened().follow()
        following = self._following
        before = len(following.seen)
        self._by(deadline_ns, following.look)
        missing = self._wiring.load.owed() - self._overdue - following.seen
        if missing and len(following.seen) == before != self._seen_at_whole_look:
            self._seen_at_whole_look = before
            self._by(deadline_ns, partial(following.look, whole=True))
            missing -= following.seen
        return missing

    def _read_whole(self, deadline_ns: int) -> Reading:
        """Read the outlets whole; what is judged to be absent was so in a reading that began at the deadline.

        Looks at what is new never see a deletion, so a debt that was seen may be missing here.
        """
        while True:
            began_ns = self._now()
            reading = self._by(deadline_ns, self._opened().read)
            absent = self._wiring.load.owed() - self._overdue - self._opened().kept(reading)
            if not absent or began_ns >= deadline_ns:
                return reading
            self._tick()

    def _by(self, deadline_ns: int, read: Callable[[], _T]) -> _T:
        """Read, trying again until the deadline: a store that comes back needs a moment."""
        while True:
            began_ns = self._now()
            try:
                found = read()
            except StackError:
                if self._now() >= deadline_ns:
                    raise
                self._tick()
                continue
            ended_ns = self._now()
            self._record(Sample(ended_ns, READ_BACK_SECONDS, (ended_ns - began_ns) / _SECOND_NS))
            return found

    def _wait_until(self, at_ns: int) -> None:
        while (left_seconds := (at_ns - self._now()) / _SECOND_NS) > 0:
            self._tick(min(left_seconds, TICK_SECONDS))

    def _tick(self, seconds: float = TICK_SECONDS) -> None:
        self._wiring.clock.sleep(seconds)
        self._note_exits()
        self._count()
        self._wiring.recorder.record_all(self._gauges.read(self._now()))
        if self._archive_watch is not None:
            self._wiring.recorder.record_all(self._archive_watch.read())
        if self._phase != "probe":
            self._fresh.look_sparingly()
        self._wiring.watch(
            Progress(
                self._scenario.name,
                self._phase,
                self._fault,
                self._wiring.load.tally(),
                self._stored,
                self._seconds_left(),
                self._waiting,
            )
        )

    def _note_exits(self) -> None:
        for deployment in (self._wiring.services, self._wiring.stack, self._wiring.load):
            for name, returncode in deployment.exited():
                if name in self._exits_noted:
                    continue
                self._exits_noted.add(name)
                self._record(ProcessExited(self._now(), name, returncode))
                if deployment is not self._wiring.stack and name != APPLICATION:
                    message = f'"{name}" ended by itself with {returncode}'
                    self._record(Broke(self._now(), "surroundings", message))

    def _count(self) -> None:
        if self._outlets is None:
            return
        try:
            self._stored = self._outlets.count()
        except HarnessError:
            return  # while the store is down nobody can count: the chart shows a gap
        self._record(Sample(self._now(), STORED, self._stored))

    # --- small change ------------------------------------------------------------------------------------

    def _opened(self) -> Outlets:
        if self._outlets is None:
            raise InternalError("the outlets are read before they were opened")
        return self._outlets

    def _targets(self) -> Mapping[str, object]:
        wiring = self._wiring
        return {**wiring.services.targets(), **wiring.stack.targets(), **wiring.load.targets()}

    def _unsent(self) -> bool:
        tally = self._wiring.load.tally()
        # Not "answered": a call that was under way when its application was killed never will be.
        return tally.sent < tally.due

    def _deadline(self, seconds: float) -> int:
        return self._now() + int(seconds * _SECOND_NS)

    def _seconds_left(self) -> float:
        if not self._began_ns:
            return self._scenario.sending_seconds
        end_ns = self._began_ns + int(self._scenario.sending_seconds * _SECOND_NS)
        return max(0.0, (end_ns - self._now()) / _SECOND_NS)

    def _enter(self, phase: str, at_ns: int | None = None) -> None:
        self._phase = phase
        self._record(PhaseChanged(self._now() if at_ns is None else at_ns, phase))

    def _mark(self, number: int, step: Step, state: str, needs: str) -> None:
        self._record(FaultChanged(self._now(), number, step.fault, step.target, state, needs))

    def _broke(self, where: str, error: Exception) -> None:
        self._record(Broke(self._now(), where, described(error)))

    def _now(self) -> int:
        return self._wiring.clock.now_ns()

    def _record(self, *events: Event) -> None:
        self._wiring.recorder.record(*events)


def _why_not(target: object, fault: Fault) -> str:
    """Return why a fault has no hold on a target."""
    if target is None:
        return "this run has no such target"
    if isinstance(target, Untouchable):
        return target.refusal
    return not_supported(fault.needs)
