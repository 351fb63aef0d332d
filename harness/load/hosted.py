"""The running load: the application, its control beside it, and the oracle that watches both."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from harness.load.assignment import PROBE_INTERVAL_NS, TALLY_FILE, Assignment
from harness.load.slots import SlotFiles
from harness.model.declarations import APPLICATION, LOAD, Part, Ready, worker_name
from harness.model.errors import InternalError, OwnPartError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock, LoadSpec, Tally
from harness.processes import group
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.processes.usage import processes_usage
from harness.targets.process import ProcessTarget

CONTROL = "control"
ORACLE = "oracle"

_CONTROL_PRODUCERS_MAX = 64
_FINISH_SECONDS = 15.0
_STOP_SECONDS = 5.0
_PAUSE, _RESUME = "pause", "resume"
_HOST = (sys.executable, "-m", "harness.load.application")
_NULL_HANDLER = Part("python_logging", {"handler": "logging:NullHandler"})


class HostedLoad:
    """All three processes follow one schedule.

    Implements Load and PausableLoad. The control sends the same schedule into a NullHandler, so that this
    machine's own noise is known. Other kinds of load have other processes in the application's place.
    """

    _workers = 1
    """How many processes send."""

    _ready = Ready(output='"ready": true', timeout_seconds=30.0)

    def __init__(self, spec: LoadSpec, folder: Path, history: Path, clock: Clock) -> None:
        """Take what to send, a private folder to work in, and the folder of the history."""
        self._spec = spec
        self._folder = folder
        self._history = history
        self._clock = clock
        self._assignment = self._make_assignment(APPLICATION, spec.intake, spec.acknowledged_by, spec.waves)
        self._processes: dict[str, ManagedProcess] = {}
        self._slots: SlotFiles | None = None
        self._finishing = False
        self._told: list[str] = []
        self._waves = 0
        self._owed: set[int] = set()
        self._unsettled: Sequence[int] = range(self._assignment.records)

    def start(self) -> None:
        """Write the assignment and start the three processes.

        Raises:
            OwnPartError: the control or the oracle cannot be started.
            StackError: the application cannot.
        """
        control = self._make_assignment(CONTROL, _NULL_HANDLER, "return", 0)
        files = {APPLICATION: self._assignment, CONTROL: control}
        paths = {name: self._folder / f"{name}.json" for name in files}
        for name, assignment in files.items():
            assignment.create_slots()
            assignment.write(paths[name], self._spec.offsets_ns)
        self._slots = self._assignment.slots()
        oracle = (sys.executable, "-m", "harness.load.oracle")
        commands = {
            ORACLE: (
                *oracle,
                str(paths[APPLICATION]),
                str(self._history / "oracle.jsonl"),
                str(paths[CONTROL]),
                str(self._spec.history_bytes_max),
            ),
            CONTROL: (*_HOST, str(paths[CONTROL])),
            **self._senders(paths[APPLICATION]),
        }
        for name, command in commands.items():
            self._start(name, command)

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once all three can begin.

        The control and the oracle get that time before the application does: they hold nothing of the stack.

        Raises:
            OwnPartError: the control or the oracle does not get ready; with the end of its log.
            StackError: the application, which holds the stack's handler or client, does not.
        """
        for name in self._processes:
            with _blamed(name):
                group.wait_all_ready((self._processes[name],), timeout_seconds, self._clock)

    def targets(self) -> Mapping[str, object]:
        """Return the application, which faults may kill or stop, and the load, which they may watch surge."""
        return {APPLICATION: self._resuming(APPLICATION), LOAD: self._surge()}

    def usage(self) -> dict[str, float]:
        """Return what the application and its control take up; implements Measurable."""
        return self._usage_of((APPLICATION, CONTROL))

    def exited(self) -> Sequence[tuple[str, int]]:
        """Return (name, exit code) of those that ended by themselves before they were told to finish."""
        return [] if self._finishing else group.ended(self._processes)

    def begin(self, at_ns: int) -> None:
        """Let sending begin at that moment."""
        self._tell(tuple(self._processes), f"begin {at_ns}")

    def probe(self, at_ns: int) -> range:
        """Send the next wave of the records kept back; return their sequences.

        Raises:
            InternalError: all waves were sent.
        """
        if self._waves >= self._assignment.waves:
            raise InternalError(f"all {self._assignment.waves} waves of probes were sent")
        wave = self._assignment.wave(self._waves)
        self._waves += 1
        self._tell([name for name in self._processes if name != CONTROL], f"probe {at_ns}")
        return wave

    def pause(self, at_ns: int) -> None:
        """Withhold what falls due from that moment on; implements PausableLoad."""
        self._tell(tuple(self._processes), f"{_PAUSE} {at_ns}")

    def resume(self, at_ns: int) -> None:
        """Send what falls due from that moment on."""
        self._tell(tuple(self._processes), f"{_RESUME} {at_ns}")

    def tally(self) -> Tally:
        """Return what the oracle has published last.

        Raises:
            InternalError: what it published cannot be read.
        """
        path = self._history / TALLY_FILE
        try:
            return Tally(**orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            return Tally()
        except (OSError, ValueError, TypeError) as error:
            raise InternalError(f"{path}: the oracle's tally cannot be read: {error}") from error

    def owed(self) -> frozenset[int]:
        """Return the sequences acknowledged so far, read from the slots themselves.

        An acknowledgement is never taken back, so only the slots without one are read again.
        """
        if self._slots is not None:
            by_callback = self._spec.acknowledged_by == "callback"
            fresh = (self._slots.acknowledged if by_callback else self._slots.answered)(self._unsettled)
            if fresh:
                self._owed.update(fresh)
                self._unsettled = [n for n in self._unsettled if n not in self._owed]
        return frozenset(self._owed)

    def under_way(self, sender: str) -> int:
        """Return how many log calls of the application, or of one of several workers, have no word yet."""
        if self._slots is None:
            return 0
        by_callback = self._spec.acknowledged_by == "callback"
        return self._slots.under_way(by_callback, self._number_of(sender))

    def unsent(self, sender: str) -> int:
        """Return how many records of the application, or of one of several workers, have no log call."""
        if self._slots is None:
            return 0
        planned = self._assignment.scheduled + self._waves * self._assignment.probes
        return self._slots.not_entered(range(planned), self._number_of(sender))

    def _number_of(self, sender: str) -> int | None:
        """Return a worker's number; None for the application, which is all there is."""
        numbers = {worker_name(number): number for number in range(1, self._workers + 1)}
        return numbers.get(sender)

    def entered(self) -> int:
        """Return how many log calls have begun, read from the slots, which are ahead of the tally."""
        if self._slots is None:
            return 0
        return self._slots.entered()

    def finish(self) -> float | None:
        """End the application and its control, then let the oracle write its last facts.

        Returns:
            How long the application took to exit, in seconds; None where it did not run any more.

        Raises:
            StackError: the oracle did not end cleanly, so facts are missing.
        """
        self._finishing = True
        exit_seconds = self._finish_senders()
        oracle = self._processes[ORACLE]
        oracle.tell("finish")
        if (returncode := oracle.wait_exit(_FINISH_SECONDS)) != 0:
            raise StackError(
                f"the oracle ended with {returncode}; the end of its log: {oracle.log_text()[-500:]}"
            )
        return exit_seconds

    def stop(self) -> None:
        """Stop what still runs; idempotent."""
        for process in reversed(self._processes.values()):
            process.terminate(_STOP_SECONDS)
        if self._slots is not None:
            self._slots.close()
            self._slots = None

    def _senders(self, assignment: Path) -> Mapping[str, Sequence[str]]:
        """Return the command of each process that sends, by its name, in the order in which they start."""
        return {APPLICATION: (*_HOST, str(assignment), *self._spec.code_folders)}

    def _finish_senders(self) -> float | None:
        """End the control and what sends; return how long the application took, None where it was gone."""
        told_ns = self._clock.now_ns()
        there = self._processes[APPLICATION].tell("finish")
        self._processes[CONTROL].tell("finish")
        self._end(APPLICATION)
        exit_seconds = (self._clock.now_ns() - told_ns) / SECOND_NS
        self._end(CONTROL)
        return exit_seconds if there else None

    def _usage_of(self, names: Sequence[str]) -> dict[str, float]:
        return processes_usage({name: self._processes[name] for name in names if name in self._processes})

    def _resuming(self, name: str) -> ProcessTarget:
        """Return a process that sends as a target."""
        process = _Resuming(self._processes[name], self._told)
        return ProcessTarget(name, process.process.spec.command, process, self._ready.timeout_seconds)

    def _surge(self) -> object:
        return _Surge(self, self._clock)

    def _tell(self, names: Sequence[str], line: str) -> None:
        self._told.append(line)
        for name in names:
            self._processes[name].tell(line)

    def _end(self, name: str) -> None:
        """Wait for an application's own exit; one that does not exit is ended, as a supervisor would."""
        process = self._processes[name]
        try:
            process.wait_exit(_FINISH_SECONDS)
        except StackError:
            process.terminate(_STOP_SECONDS)

    def _start(self, name: str, command: Sequence[str]) -> None:
        spec = ProcessSpec(
            name=name,
            command=tuple(command),
            folder=self._folder,
            log=self._folder / f"{name}.log",
            lifeline=True,
            ready=self._ready,
            niceness=5 if name == ORACLE else 0,
            environment={} if name in {ORACLE, CONTROL} else self._spec.environment,
        )
        self._processes[name] = ManagedProcess(spec, self._spec.run_id, self._clock)
        with _blamed(name):
            self._processes[name].start()

    def _make_assignment(self, name: str, intake: Part, acknowledged_by: str, waves: int) -> Assignment:
        spec = self._spec
        return Assignment(
            run_id=spec.run_id,
            seed=spec.seed,
            scheduled=len(spec.offsets_ns),
            probes=spec.probes,
            waves=waves,
            probe_interval_ns=PROBE_INTERVAL_NS,
            # The control shows this machine's noise; a thread for each of a thousand users would make some.
            producers=min(spec.producers, _CONTROL_PRODUCERS_MAX) if name == CONTROL else spec.producers,
            schedule_path=str(self._folder / "schedule.bin"),
            slots_path=str(self._folder / f"{name}.slots"),
            input_path=spec.input_path,
            acknowledged_by=acknowledged_by,
            intake_kind=intake.kind,
            intake_arguments=dict(intake.arguments),
            fields=spec.fields,
            workers=1 if name == CONTROL else self._workers,
            secrets=spec.secrets,
            secret_paths=spec.secret_paths,
            levels=spec.levels,
            shapes=spec.shapes,
            wall_clock_path=spec.wall_clock_path,
            tenants=dict(spec.tenants),
        )


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """Say of the harness's own processes that they are its own; only the application holds the stack."""
    try:
        yield
    except StackError as error:
        if name == APPLICATION:
            raise
        raise OwnPartError(str(error), error) from error


class _Resuming:
    """An application that is told again, after a restart, what it was told before; it repeats no call."""

    def __init__(self, process: ManagedProcess, told: Sequence[str]) -> None:
        self.process = process
        self._told = told

    def start(self) -> None:
        self.process.start()

    def wait_ready(self, timeout_seconds: float) -> None:
        self.process.wait_ready(timeout_seconds)
        # Pauses first, or what fell due in one would be sent before the application hears of it.
        for line in sorted(self._told, key=lambda line: not line.startswith((_PAUSE, _RESUME))):
            self.process.tell(line)

    def kill(self) -> None:
        self.process.kill()

    def stop(self, timeout_seconds: float) -> None:
        # SIGTERM would end the interpreter with the handler still open; this closes it first.
        self.process.stop(timeout_seconds, last_line="finish")

    def alive(self) -> bool:
        return self.process.alive()

    def stopped_orderly(self) -> bool:
        return self.process.stopped_orderly()

    def send(self, number: signal.Signals) -> None:
        self.process.send(number)

    def wait_state(self, states: str, timeout_seconds: float) -> str:
        return self.process.wait_state(states, timeout_seconds)

    def mark(self) -> str:
        return self.process.mark()

    @property
    def pid(self) -> int | None:
        return self.process.pid


class _Surge:
    """The load as a target: its rate is the schedule's, so a fault can only watch it; implements Surging."""

    def __init__(self, load: HostedLoad, clock: Clock) -> None:
        self._load = load
        self._clock = clock

    def sent(self) -> int:
        return self._load.entered()

    def wait(self, seconds: float) -> None:
        self._clock.sleep(seconds)
