"""Runs every contender against a healthy, a slow and a dead store, and draws the tables.

Each runs in a process of its own; between it and its store is the fault proxy. While one logs, no other
does; ends that only wait overlap with what comes next. A process that has not ended in 35 seconds is killed:
Kubernetes gives 30, and some that are compared end just after that. Costs are ratios to a NullHandler,
because the machine's own speed drifts; counts are counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.callers.caller import Load, command
from tests.benchmarks.callers.contenders import BASE, CONTENDERS, STDERR_NAME, Contender, Place
from tests.benchmarks.callers.field import STATES, Field, shipper, stream
from tests.benchmarks.callers.numbers import distinct_lines, first_number
from tests.benchmarks.callers.outcome import Account, Outcome

EXIT_SECONDS_MAX = 35.0
_ALONE_SECONDS = 1.0
_ARRIVAL_SECONDS_MAX = 30.0
_LATER_SECONDS_MAX = 60.0
_STILL_SECONDS = 5.0
_LATER_STILL_SECONDS = 20.0
_STEP_SECONDS = 0.1
_ENDING_MAX = 16
_LATER_MAX = 2
_NOWHERE_PORT = 9


@dataclass(frozen=True, slots=True)
class Run:
    """One contender in one state, to be run once.

    Attributes:
        caller: Its number, 1 or more; no other run has it.
        turn: The round.
        name: The contender's.
        state: Of its store; empty where it has none.
        last: Whether it is of the last round, in which what was left on disk is delivered: that takes long.
    """

    caller: int
    turn: int
    name: str
    state: str
    last: bool

    @property
    def contender(self) -> Contender:
        """What is run."""
        return CONTENDERS[self.name]


@dataclass(frozen=True, slots=True)
class Ended:
    """A run whose process is gone."""

    run: Run
    figures: dict[str, float]
    counted: int | None
    exit_seconds: float
    killed: bool
    arrived: int


def plan(names: list[str], turns: int) -> list[Run]:
    """Return what to run: forwards and backwards in turn, so that a drift of the machine meets all alike.

    Those that would disturb what comes after them run once, at the end.
    """
    often = [
        (name, state)
        for name in names
        if not CONTENDERS[name].seldom
        for state in (STATES if CONTENDERS[name].wire else ("",))
    ]
    ordered = [(turn, *one) for turn in range(turns) for one in (often if turn % 2 == 0 else often[::-1])]
    ordered += [(turns - 1, name, "dead") for name in names if CONTENDERS[name].seldom]
    return [Run(caller, *one, one[0] == turns - 1) for caller, one in enumerate(ordered, start=1)]


class Comparison:
    """Runs contenders on a field.

    Args:
        field: The servers.
        folder: Where each run gets a folder of its own.
        load: What each logs.
    """

    def __init__(self, field: Field, folder: Path, load: Load) -> None:
        self._field = field
        self._folder = folder
        self._load = load

    def outcomes(self, runs: list[Run]) -> list[Outcome]:
        """Run them one after another, then look after what was left on disk."""
        with ThreadPoolExecutor(_ENDING_MAX) as ends, ThreadPoolExecutor(_LATER_MAX) as later:
            futures: list[Future[Ended]] = []
            for run in runs:
                with ExitStack() as beside:
                    process, logged = self._log(run, beside)
                    futures.append(ends.submit(self._end, run, process, logged, beside.pop_all()))
                wait(futures[-1:], timeout=_ALONE_SECONDS)
            return list(later.map(lambda future: self._settle(future.result()), futures))

    def _place(self, run: Run, state: str) -> Place:
        wire = run.contender.wire
        port = self._field.port(wire, state) if wire else _NOWHERE_PORT
        return Place("127.0.0.1", port, self._folder / str(run.caller), stream(run.caller))

    def _log(self, run: Run, beside: ExitStack) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        place = self._place(run, run.state)
        place.folder.mkdir()
        if run.contender.beside:
            beside.enter_context(shipper(place.folder / "spool", place.port, place.stream))
        process = _start(run, place, self._load)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            said = (place.folder / STDERR_NAME).read_text()
            raise RuntimeError(f"{run.name}, store {run.state or '-'}: its process failed:\n{said}")
        return process, json.loads(line)

    def _end(
        self, run: Run, process: subprocess.Popen[str], logged: dict[str, Any], beside: ExitStack
    ) -> Ended:
        began_seconds = time.monotonic()
        counted = logged["counted"]
        with beside, process:
            assert process.stdout is not None
            try:
                process.wait(EXIT_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                killed = True
            else:
                killed = False
            exit_seconds = time.monotonic() - began_seconds
            if last_line := process.stdout.readline():
                counted = json.loads(last_line)["counted"]
            if run.state == "healthy":
                self._wait_for(run, self._load.calls - (counted or 0), _ARRIVAL_SECONDS_MAX)
        arrived = self._arrived(run)
        sys.stderr.write(f"{run.name} · {run.state or '-'} · exit {exit_seconds:.1f} s · arrived {arrived}\n")
        return Ended(run, logged["figures"], counted, exit_seconds, killed, arrived)

    def _settle(self, ended: Ended) -> Outcome:
        run = ended.run
        missing = self._load.calls - ended.arrived - (ended.counted or 0)
        arrived, held = self._arrived(run), 0
        if run.contender.keeps and missing > 0:
            arrived = ended.arrived
            held = self._later(run, arrived + missing) - arrived if run.last else 0
            held += run.contender.left(self._folder / str(run.caller))
        account = Account(self._load.calls, arrived, ended.counted, held)
        return Outcome(
            run.name,
            run.turn,
            run.state,
            ended.figures,
            ended.exit_seconds,
            ended.killed,
            None if run.name == BASE else account,
        )

    def _later(self, run: Run, expected: int) -> int:
        """Give what was left on disk its store back; return what has arrived in all."""
        place = self._place(run, "healthy")
        if run.contender.keeps == "ship":
            with shipper(place.folder / "spool", place.port, place.stream):
                self._wait_for(run, expected, _LATER_SECONDS_MAX, _LATER_STILL_SECONDS)
        else:
            with _start(run, place, None) as process:
                try:
                    process.wait(_LATER_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
            self._wait_for(run, expected, _STILL_SECONDS)
        return self._arrived(run)

    def _arrived(self, run: Run) -> int:
        if run.contender.wire:
            return self._field.arrived(run.contender.wire, run.caller)
        if run.contender.file_name:
            return distinct_lines((self._folder / str(run.caller) / run.contender.file_name).read_bytes())
        return 0

    def _wait_for(
        self, run: Run, expected: int, seconds_max: float, still_seconds_max: float = _STILL_SECONDS
    ) -> None:
        """Return once all has arrived, or nothing more came for a while."""
        deadline_seconds = time.monotonic() + seconds_max
        arrived, still_since_seconds = self._arrived(run), time.monotonic()
        while arrived < expected and time.monotonic() < min(
            deadline_seconds, still_since_seconds + still_seconds_max
        ):
            time.sleep(_STEP_SECONDS)
            now = self._arrived(run)
            if now != arrived:
                arrived, still_since_seconds = now, time.monotonic()


def _start(run: Run, place: Place, load: Load | None) -> subprocess.Popen[str]:
    with (place.folder / STDERR_NAME).open("a") as stderr:
        return subprocess.Popen(
            command(run.name, place, first_number(run.caller), load),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
