"""One scenario from start to stop: the whole story of a run.

    start → steady → inject → heal → recovery → drain → probe → read back → stop

The runner is handed its collaborators (`Wiring`) and knows none of their kinds. It writes facts and judges
nothing: what it could not do becomes a fact too (`Broke`, `StepSkipped`), so that no path ends in a pass by
omission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.cleanup.undo_journal import UndoJournal
from harness.evidence.history import HistoryUnwritableError, Recorder
from harness.evidence.json_lines import Follower
from harness.evidence.readback import Outlets, OutletSpec, Reading
from harness.evidence.sampling import ArchiveWatch, Gauges, Measurable, NamedCounters
from harness.evidence.secrets.watch import SecretWatch
from harness.model.declarations import APPLICATION, Scenario, Step, is_sender
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
    STORED,
    Broke,
    Event,
    Misnamed,
    PhaseChanged,
    ProcessExited,
    Sample,
)
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock, Counting, Deployment, Fault, Load, Progress
from harness.runs.act import QUICK_SECONDS
from harness.runs.alerts import AlertReceivers
from harness.runs.debts import Debts
from harness.runs.fault_looks import poisoned
from harness.runs.fresh_records import FreshRecords
from harness.runs.nonces import NonceCommand, nonces_listed
from harness.runs.secrets import search_outlets
from harness.runs.steps import Steps, Told
from harness.runs.ticker import Ticker
from harness.targets.capabilities import Killable, Stoppable

READY_SECONDS = 60.0
LEAD_SECONDS = 0.5
STACK = "stack"


@dataclass(frozen=True, slots=True)
class Wiring:
    """What one scenario is run with.

    `faults` has one for each step of the scenario; `left` tells what the scenario has not taken away;
    `cores` measures what the run and its neighbours take of this machine's processors; `first_seen` asks for
    a fact of when each record was first seen in the archive; `secrets` looks for canaries; `nonces` lists
    what is sealed; `alerts` reads what people were told; `followers` read what the stack writes about itself;
    `spans` reads the stack's own at a moment; `quick_seconds` is that of `Ticker`.
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
    secrets: SecretWatch | None = None
    quick_seconds: float = QUICK_SECONDS
    nonces: NonceCommand | None = None
    alerts: AlertReceivers | None = None
    followers: Sequence[Follower] = ()
    spans: Callable[[int], Iterable[Event]] | None = None


class Runner:
    """Runs one scenario once."""

    def __init__(self, scenario: Scenario, wiring: Wiring) -> None:
        """Take the scenario and its wiring; nothing has started yet."""
        self._scenario = scenario
        self._wiring = wiring
        self._phase = "start"
        self._began_ns = 0
        self._stored = 0
        self._ticker = Ticker(wiring.clock, self._look_round, wiring.quick_seconds)
        self._outlets: Outlets | None = None
        self._fresh = FreshRecords(
            wiring.load,
            lambda from_now: self._opened().follow_archive(from_now=from_now),
            self._now,
            self._record,
        )
        self._archive_watch: ArchiveWatch | None = None
        self._gauges = Gauges((wiring.stack, wiring.load, wiring.cores), wiring.counters)
        self._debts = Debts(wiring.load, self._opened, self._gauges.counters, self._ticker, wiring.recorder)
        self._steps = Steps(
            scenario,
            wiring.faults,
            self._targets,
            wiring.seed,
            self._ticker,
            wiring.recorder,
            wiring.journal,
            Told(self._enter, self._beginning, self._all_healed),
        )
        self._exits_noted: set[str] = set()
        self._unsent_by: dict[str, int] = {}

    @property
    def scenario(self) -> Scenario:
        """Return what is run, as it is judged."""
        return self._scenario

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
        self._began_ns = self._ticker.in_ns(LEAD_SECONDS)
        self._wiring.load.begin(self._began_ns)
        with self._ticker.looking(aside=True):
            self._ticker.wait_until(self._began_ns)
            self._enter("steady", self._began_ns)
            self._shake()
        self._fresh.send_wished()

    def _shake(self) -> None:
        """Take all steps while records are sent."""
        self._steps.take(self._began_ns)
        self._ticker.wait_until(self._began_ns + int(self._scenario.sending_seconds * SECOND_NS))

    def _beginning(self, step: Step, fault: Fault) -> None:
        if is_sender(step.target) and fault.needs in {Killable, Stoppable}:
            self._debts.cut_off_answers(step.target)

    def _all_healed(self, healed: str) -> None:
        self._fresh.send(max(self._scenario.recovery_seconds, self._scenario.liveness_seconds), healed)
        self._ticker.look()

    def _drain(self) -> None:
        self._enter("drain")
        deadline_ns = self._ticker.in_ns(self._scenario.drain_seconds)
        while self._unsent() and self._now() < deadline_ns:
            self._ticker.wait_for("log calls that are due", deadline_ns)
        self._debts.await_answers(deadline_ns)
        self._debts.await_records(deadline_ns)
        if self._wiring.alerts is not None:
            self._await("alerts that may still come", self._wiring.alerts.settled_ns, deadline_ns)
        settled_ns = max((each.settled_ns for each in self._wiring.followers), default=0)
        self._await("what the stack may still find", settled_ns, deadline_ns)
        self._ticker.waiting = ""

    def _await(self, what: str, settled_ns: int, deadline_ns: int) -> None:
        """Give the stack the time in which it promises something: so long after sending began."""
        until_ns = min(deadline_ns, self._began_ns + settled_ns)
        while self._now() < until_ns:
            self._ticker.wait_for(what, until_ns)

    def _probe(self) -> None:
        self._enter("probe")
        self._fresh.send(self._scenario.liveness_seconds)
        while self._fresh.waiting():
            self._ticker.tick()
            self._fresh.look()

    def _read_back(self) -> None:
        self._enter("read back")
        if (exit_seconds := self._wiring.load.finish()) is not None:
            self._record(Sample(self._now(), f"{EXIT_SECONDS}.{APPLICATION}", exit_seconds))
        if isinstance(self._wiring.load, Counting):
            self._record(*self._wiring.load.counted(self._now()))
        deadline_ns = self._ticker.in_ns(self._scenario.drain_seconds)
        self._debts.await_quiet(deadline_ns)
        reading = self._debts.read_outlets(deadline_ns)
        if self._archive_watch is not None:
            archived = (each for each in self._opened().archived(reading) if each is not None)
            self._wiring.recorder.record_all(self._archive_watch.note(archived))
        self._wiring.recorder.record_all(self._opened().facts(reading, self._now()))
        self._look_elsewhere(reading)
        # Now that requests under way at the healing have ended too.
        for step, fault in zip(self._scenario.steps, self._wiring.faults, strict=True):
            target = self._targets().get(step.target)
            self._wiring.recorder.record_all(poisoned(fault, target, self._ticker))
        self._read_counters()
        self._note_slips(reading)
        self._wiring.recorder.record_all(self._opened().whole_elsewhere(reading))
        self._read_what_it_told()
        if self._wiring.secrets is not None:
            search_outlets(self._wiring.secrets, self._opened())
        if self._wiring.nonces is not None:
            self._record(nonces_listed(self._wiring.nonces, self._opened().raw(), self._now()))

    def _read_what_it_told(self) -> None:
        """Note the alerts that people got, and what the stack found."""
        if self._wiring.alerts is not None:
            self._record(*self._wiring.alerts.facts(self._now))
        for follower in self._wiring.followers:
            self._wiring.recorder.record_all(follower.whole(self._now()))

    def _look_elsewhere(self, reading: Reading) -> None:
        """Note which of the missing records lie beside the archive; where nobody can look, none does."""
        missing = self._wiring.load.owed() - self._opened().kept(reading)
        with suppress(StackError):
            self._wiring.recorder.record_all(self._opened().elsewhere(missing))

    def _read_counters(self) -> None:
        """Note the stack's counters, which have stood still since the last reading of the outlets."""
        self._record(*self._gauges.counter_facts(self._now))

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
            seconds = (self._now() - began_ns) / SECOND_NS
            self._record(Sample(self._now(), f"{EXIT_SECONDS}.{STACK}", seconds))
        if self._wiring.secrets is not None and self._phase == "read back":
            # What is written at the very end, by a process that is told to stop, is searched too.
            self._wiring.recorder.record_all(self._wiring.secrets.facts(self._now()))
        if self._wiring.spans is not None and self._phase == "read back":
            # The last of them are written at the very end.
            self._wiring.recorder.record_all(self._wiring.spans(self._now()))
        self._enter("stop")
        for problem in problems:
            self._broke("stop", problem)
        for left in self._wiring.left():
            self._record(Broke(self._now(), "stop", f"the scenario left something: {left}"))

    # --- watching ----------------------------------------------------------------------------------------

    def _look_round(self) -> None:
        """Measure and note what there is to note; done after each tick.

        While faults are on, on a thread of its own: a frozen store may keep it waiting, and no fault.
        """
        self._note_exits()
        self._count()
        self._wiring.recorder.record_all(self._gauges.read(self._now))
        if self._archive_watch is not None:
            self._wiring.recorder.record_all(self._archive_watch.read())
        if self._phase != "probe":
            self._fresh.look_sparingly()
        if self._wiring.secrets is not None:
            self._wiring.secrets.look(self._now())
        for follower in self._wiring.followers:
            self._wiring.recorder.record_all(follower.look(self._now()))
        self._wiring.watch(
            Progress(
                self._scenario.name,
                self._phase,
                self._steps.now_on,
                self._wiring.load.tally(),
                self._stored,
                self._seconds_left(),
                self._ticker.waiting,
            )
        )

    def _note_exits(self) -> None:
        for deployment in (self._wiring.services, self._wiring.stack, self._wiring.load):
            for name, returncode in deployment.exited():
                if name in self._exits_noted:
                    continue
                self._exits_noted.add(name)
                self._record(ProcessExited(self._now(), name, returncode))
                if is_sender(name):
                    self._debts.cut_off_answers(name)
                if deployment is not self._wiring.stack and not is_sender(name):
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
        return tally.sent + self._never_sent() < tally.due

    def _never_sent(self) -> int:
        """Return how many records nobody will send any more: their sender has ended by itself."""
        gone = {name for name, _ in self._wiring.load.exited() if is_sender(name)}
        for name in gone - self._unsent_by.keys():
            self._unsent_by[name] = self._wiring.load.unsent(name)
        return sum(self._unsent_by[name] for name in gone)

    def _seconds_left(self) -> float:
        if not self._began_ns:
            return self._scenario.sending_seconds
        end_ns = self._began_ns + int(self._scenario.sending_seconds * SECOND_NS)
        return max(0.0, self._ticker.seconds_until(end_ns))

    def _enter(self, phase: str, at_ns: int | None = None) -> None:
        self._phase = phase
        self._record(PhaseChanged(self._now() if at_ns is None else at_ns, phase))

    def _broke(self, where: str, error: Exception) -> None:
        self._record(Broke(self._now(), where, described(error)))

    def _now(self) -> int:
        return self._ticker.now_ns()

    def _record(self, *events: Event) -> None:
        self._wiring.recorder.record(*events)
