"""One scenario from start to stop: the whole story of a run.

    start → steady → inject → heal → recovery → drain → probe → read back → stop

The runner is handed its parts and knows none of their kinds. It writes facts and judges nothing: what it
could not do becomes a fact too (`Broke`, `StepSkipped`), so that no path ends in a pass by omission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from harness.errors import (
    HarnessError,
    InterruptedRunError,
    StackError,
    TimeIsUpError,
    described,
    what_ends_the_run,
)
from harness.facts import (
    PROBES_FOUND,
    STORED,
    ArchiveRead,
    Broke,
    Event,
    FaultChanged,
    FaultSeen,
    Found,
    PhaseChanged,
    ProcessExited,
    Sample,
    StepSkipped,
    Unreadable,
)
from harness.history import HistoryUnwritableError, Recorder
from harness.lines import digest, identify
from harness.protocols import (
    APPLICATION,
    Archive,
    Clock,
    Deployment,
    Fault,
    Load,
    Progress,
    Scenario,
    Step,
    StoredDocument,
)
from harness.targets.capabilities import Untouchable
from harness.undo import UndoJournal

READY_SECONDS = 60.0
LEAD_SECONDS = 0.5
QUIET_SECONDS = 1.5
TICK_SECONDS = 0.25
EXCERPT_CHARACTERS = 80
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What one scenario is run with.

    `faults` has one for each step of the scenario; `left` tells what the scenario has not taken away.
    """

    services: Deployment
    stack: Deployment
    load: Load
    archive: Callable[[], Archive]
    faults: Sequence[Fault]
    expected_digest: Callable[[int], str]
    run_id: str
    recorder: Recorder
    journal: UndoJournal
    clock: Clock
    seed: int
    watch: Callable[[Progress], None]
    left: Callable[[], Sequence[str]] = tuple


class Runner:
    """Runs one scenario once."""

    def __init__(self, scenario: Scenario, parts: Parts) -> None:
        """Take the scenario and its parts; nothing has started yet."""
        self._scenario = scenario
        self._parts = parts
        self._phase = "start"
        self._fault = ""
        self._began_ns = 0
        self._stored = 0
        self._archive: Archive | None = None
        self._exits_noted: set[str] = set()
        self._overdue: frozenset[int] = frozenset()

    def run(self) -> None:
        """Run all phases; whatever happens, faults are taken back and everything is stopped.

        Raises:
            InterruptedRunError: a signal ended the run; the history says so.
            TimeIsUpError: the run's time ended.
            HistoryFullError: the history reached its cap.
            HistoryUnwritableError: there is no room for the history.
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
        except Exception as error:  # a plug-in's defect, or ours: the scenario is an ERROR, the others go on
            self._broke(self._phase, error)
            if (ending := what_ends_the_run(error)) is not None:
                raise ending from error
        finally:
            self._stop()

    # --- phases ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._enter("start")
        for deployment in (self._parts.stack, self._parts.load):
            deployment.start()
            deployment.wait_ready(READY_SECONDS)
        self._archive = self._parts.archive()

    def _send_through_faults(self) -> None:
        self._began_ns = self._parts.clock.now_ns() + int(LEAD_SECONDS * _SECOND_NS)
        self._parts.load.begin(self._began_ns)
        self._wait_until(self._began_ns)
        self._enter("steady", self._began_ns)
        for number, (step, fault) in enumerate(zip(self._scenario.steps, self._parts.faults, strict=True)):
            self._wait_until(self._began_ns + int(step.at_seconds * _SECOND_NS))
            self._disturb(number, step, fault)
        self._wait_until(self._began_ns + int(self._scenario.sending_seconds * _SECOND_NS))

    def _disturb(self, number: int, step: Step, fault: Fault) -> None:
        target = self._targets().get(step.target)
        if target is None or not isinstance(target, fault.needs):
            self._record(StepSkipped(self._now(), number, f"{step.target}: {_why_not(target, fault)}"))
            return
        self._enter("inject")
        self._fault = f"{step.fault} on {step.target}"
        with self._undoable(number, step, fault, target):
            until_ns = self._now() + int(step.for_seconds * _SECOND_NS)
            self._look(number, fault, target)
            self._wait_until(until_ns)
            self._enter("heal")
        self._fault = ""
        self._enter("recovery")

    def _look(self, number: int, fault: Fault, target: object) -> None:
        try:
            landed, proof = fault.evidence(target)
        except (InterruptedRunError, TimeIsUpError):
            raise
        except HarnessError as error:
            landed, proof = False, f"it could not be observed: {error}"
        self._record(FaultSeen(self._now(), number, landed, proof))

    @contextmanager
    def _undoable(self, number: int, step: Step, fault: Fault, target: object) -> Iterator[None]:
        """Hold a fault. The journal keeps its undo until it is known to be taken back, on every path."""
        name = f"{self._scenario.name}.{number}"
        rng = Random(f"{self._parts.seed}:{name}")  # noqa: S311 - a reproducible choice, not a secret
        self._mark(number, step, "injecting")
        self._parts.journal.before(name, fault.undo(target))
        inside: BaseException | None = None
        try:
            with fault.inject(target, rng):
                try:
                    self._mark(number, step, "injected")
                    yield
                    self._mark(number, step, "healing")
                except BaseException as error:
                    inside = error
                    raise
        except BaseException as error:
            # What went wrong while the fault was on has left it in good order; any other error is the
            # fault's own, and nobody knows whether it is still on.
            if error is inside:
                self._parts.journal.done(name)
            raise
        self._parts.journal.done(name)
        self._mark(number, step, "healed")

    def _drain(self) -> None:
        self._enter("drain")
        deadline_ns = self._deadline(self._scenario.drain_seconds)
        while self._unsent() and self._now() < deadline_ns:
            self._tick()
        found = self._sequences(self._await_debts(deadline_ns))
        self._overdue = self._parts.load.owed() - found

    def _probe(self) -> None:
        self._enter("probe")
        probes = self._parts.load.probes()
        deadline_ns = self._deadline(self._scenario.liveness_seconds)
        self._parts.load.probe(self._now())
        while True:
            found = len(probes & self._sequences(self._read_by(deadline_ns)))
            self._record(Sample(self._now(), PROBES_FOUND, found))
            if found >= len(probes) or self._now() >= deadline_ns:
                return
            self._tick()

    def _read_back(self) -> None:
        self._enter("read back")
        self._parts.load.finish()
        documents = self._await_debts(self._deadline(self._scenario.drain_seconds))
        self._parts.recorder.record_all(self._found(document) for document in documents)
        self._record(ArchiveRead(self._now(), len(documents)))

    def _stop(self) -> None:
        problems = []
        closers = [] if self._archive is None else [self._archive.close]
        for stop in (*closers, self._parts.load.stop, self._parts.stack.stop):
            try:
                stop()
            except Exception as error:  # whatever one of them says, the others are stopped too
                problems.append(error)
        self._enter("stop")
        for problem in problems:
            self._broke("stop", problem)
        for left in self._parts.left():
            self._record(Broke(self._now(), "stop", f"the scenario left something: {left}"))

    # --- waiting -----------------------------------------------------------------------------------------

    def _await_debts(self, deadline_ns: int) -> list[StoredDocument]:
        """Read the archive until every debt is found and it has stood still for a moment, or time is up.

        Absence is judged only from a reading at the deadline; and a copy that comes late must not be missed
        because the first one was there. A debt that had its time in the drain is not waited for again.
        """
        documents = self._read_by(deadline_ns)
        still_since_ns = self._now()
        while self._now() < deadline_ns:
            missing = self._parts.load.owed() - self._overdue - self._sequences(documents)
            if not missing and self._now() - still_since_ns >= QUIET_SECONDS * _SECOND_NS:
                break
            self._tick()
            again = self._read_by(deadline_ns)
            if len(again) != len(documents):
                still_since_ns = self._now()
            documents = again
        return documents

    def _read_by(self, deadline_ns: int) -> list[StoredDocument]:
        """Read the archive whole, trying again until the deadline: a store that comes back needs a moment."""
        while True:
            try:
                return self._read()
            except StackError:
                if self._now() >= deadline_ns:
                    raise
                self._tick()

    def _wait_until(self, at_ns: int) -> None:
        while (left_seconds := (at_ns - self._now()) / _SECOND_NS) > 0:
            self._tick(min(left_seconds, TICK_SECONDS))

    def _tick(self, seconds: float = TICK_SECONDS) -> None:
        self._parts.clock.sleep(seconds)
        self._note_exits()
        self._count()
        self._parts.watch(
            Progress(
                self._scenario.name,
                self._phase,
                self._fault,
                self._parts.load.tally(),
                self._stored,
                self._seconds_left(),
            )
        )

    def _note_exits(self) -> None:
        for deployment in (self._parts.services, self._parts.stack, self._parts.load):
            for name, returncode in deployment.exited():
                if name in self._exits_noted:
                    continue
                self._exits_noted.add(name)
                self._record(ProcessExited(self._now(), name, returncode))
                if deployment is not self._parts.stack and name != APPLICATION:
                    message = f'"{name}" ended by itself with {returncode}'
                    self._record(Broke(self._now(), "surroundings", message))

    # --- the archive -------------------------------------------------------------------------------------

    def _count(self) -> None:
        if self._archive is None:
            return
        try:
            self._stored = self._archive.count()
        except HarnessError:
            return  # while the store is down nobody can count: the chart shows a gap
        self._record(Sample(self._now(), STORED, self._stored))

    def _read(self) -> list[StoredDocument]:
        if self._archive is None:
            return []
        self._archive.refresh()
        return list(self._archive.read())

    def _sequences(self, documents: Sequence[StoredDocument]) -> set[int | None]:
        readable = (document for document in documents if not document.unreadable)
        return {identify(document.line, self._parts.run_id) for document in readable}

    def _found(self, document: StoredDocument) -> Found | Unreadable:
        if document.unreadable:
            return Unreadable(document.copy, document.unreadable, document.line[:EXCERPT_CHARACTERS])
        sequence = identify(document.line, self._parts.run_id)
        seen = digest(document.line)
        same = sequence is not None and seen == self._parts.expected_digest(sequence)
        return Found(sequence, seen, document.copy, "" if same else document.line[:EXCERPT_CHARACTERS])

    # --- small change ------------------------------------------------------------------------------------

    def _targets(self) -> Mapping[str, object]:
        parts = self._parts
        return {**parts.services.targets(), **parts.stack.targets(), **parts.load.targets()}

    def _unsent(self) -> bool:
        tally = self._parts.load.tally()
        return tally.answered + tally.refused < tally.due

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

    def _mark(self, number: int, step: Step, state: str) -> None:
        self._record(FaultChanged(self._now(), number, step.fault, step.target, state))

    def _broke(self, where: str, error: Exception) -> None:
        self._record(Broke(self._now(), where, described(error)))

    def _now(self) -> int:
        return self._parts.clock.now_ns()

    def _record(self, *events: Event) -> None:
        self._parts.recorder.record(*events)


def _why_not(target: object, fault: Fault) -> str:
    """Return why a fault has no hold on a target."""
    if target is None:
        return "no such target here"
    if isinstance(target, Untouchable):
        return target.refusal
    return f"it cannot be {fault.needs.__name__.lower()} here"
