"""A run judged before its end: what it owes is waited for and read as at the end, while the load is paused.

The facts of the reading go into a history of the snapshot's own, beside a copy of what the run has written so
far; the run's own history holds only that fresh records were sent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from harness.evidence.history import Recorder
from harness.evidence.readback import Outlets, Reading
from harness.evidence.sampling import Gauges
from harness.model.declarations import Scenario, Step
from harness.model.errors import StackError
from harness.model.facts import Event, FreshLooked, FreshSent, PhaseChanged
from harness.model.protocols import Fault
from harness.runs.debts import Debts
from harness.runs.fault_looks import poisoned
from harness.runs.fresh_records import FreshRecords
from harness.runs.runner import Wiring
from harness.runs.ticker import Ticker

AFTER = "a snapshot"
# The oracle sweeps five times a second; what it has seen is on disk then.
_SWEPT_SECONDS = 0.6


class Snapshots:
    """Takes snapshots of one run.

    Args:
        wiring: of the run.
        scenario: tells how long is waited for what.
        ticker: for every wait.
        outlets: returns the open outlets.
        gauges: reads the stack's own counters.
        cut_off: how many answers faults on the application have cut off.
    """

    def __init__(
        self,
        wiring: Wiring,
        scenario: Scenario,
        ticker: Ticker,
        outlets: Callable[[], Outlets],
        gauges: Gauges,
        cut_off: int,
    ) -> None:
        self._wiring = wiring
        self._scenario = scenario
        self._ticker = ticker
        self._outlets = outlets
        self._gauges = gauges
        self._cut_off = cut_off

    def take(
        self, history: Path, folder: Path, faults: Sequence[Fault], steps: Sequence[Step]
    ) -> tuple[Event, ...]:
        """Read all that is owed now, and put everything that can be judged into a folder.

        Nothing is sent meanwhile but a wave of fresh records.

        Args:
            history: the run's, which is copied.
            folder: takes the snapshot's; made here.
            faults: those of the steps taken so far, all of them healed.
            steps: those steps.

        Returns:
            What the run's own history has to tell of it.

        Raises:
            StackError: an outlet could not be read in time.
            UnavailableError: the folder cannot be written.
        """
        folder.mkdir(mode=0o700, parents=True)
        with closing(Recorder(folder / "snapshot.jsonl")) as recorder:
            fresh = self._read(recorder, faults, steps)
        self._ticker.wait_until(self._ticker.in_ns(_SWEPT_SECONDS))
        for path in sorted(history.glob("*.jsonl")):
            shutil.copyfile(path, folder / path.name)
        return tuple(replace(each, after=AFTER) if isinstance(each, FreshSent) else each for each in fresh)

    def _read(self, recorder: Recorder, faults: Sequence[Fault], steps: Sequence[Step]) -> list[Event]:
        load, counters = self._wiring.load, self._gauges.counters
        debts = Debts(load, self._outlets, counters, self._ticker, recorder, self._cut_off)
        self._enter(recorder, "drain")
        deadline_ns = self._ticker.in_ns(self._scenario.drain_seconds)
        while load.tally().sent < load.tally().due and self._ticker.now_ns() < deadline_ns:
            self._ticker.wait_for("log calls that are due", deadline_ns)
        debts.await_answers(deadline_ns)
        debts.await_records(deadline_ns)
        self._enter(recorder, "probe")
        fresh = self._probe(recorder)
        self._enter(recorder, "read back")
        deadline_ns = self._ticker.in_ns(self._scenario.drain_seconds)
        debts.await_quiet(deadline_ns)
        reading = debts.read_outlets(deadline_ns)
        recorder.record_all(self._outlets().facts(reading, self._ticker.now_ns()))
        self._look_elsewhere(recorder, reading)
        self._note_poison(recorder, faults, steps)
        recorder.record_all(self._gauges.counter_facts(self._ticker.now_ns))
        self._enter(recorder, "stop")
        self._ticker.waiting = ""
        return fresh

    def _probe(self, recorder: Recorder) -> list[Event]:
        noted: list[Event] = []

        def record(event: Event) -> None:
            noted.append(event)
            recorder.record(event)

        fresh = FreshRecords(
            self._wiring.load,
            lambda from_now: self._outlets().follow_archive(from_now=from_now),
            self._ticker.now_ns,
            record,
        )
        fresh.send(self._scenario.liveness_seconds)
        while fresh.waiting():
            self._ticker.tick()
            fresh.look()
        return [each for each in noted if isinstance(each, FreshSent | FreshLooked)]

    def _look_elsewhere(self, recorder: Recorder, reading: Reading) -> None:
        missing = self._wiring.load.owed() - self._outlets().kept(reading)
        with suppress(StackError):
            recorder.record_all(self._outlets().elsewhere(missing))

    def _note_poison(self, recorder: Recorder, faults: Sequence[Fault], steps: Sequence[Step]) -> None:
        targets = {
            **self._wiring.services.targets(),
            **self._wiring.stack.targets(),
            **self._wiring.load.targets(),
        }
        for step, fault in zip(steps, faults, strict=True):
            recorder.record_all(poisoned(fault, targets.get(step.target), self._ticker))

    def _enter(self, recorder: Recorder, phase: str) -> None:
        recorder.record(PhaseChanged(self._ticker.now_ns(), phase))
