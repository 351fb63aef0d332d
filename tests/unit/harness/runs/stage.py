"""Fake wiring and a fake clock on which the runner tells its whole story."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from harness.cleanup.undo_journal import UndoJournal
from harness.evidence.history import Recorder, read_history
from harness.evidence.lines import stamp
from harness.evidence.readback import OutletSpec
from harness.evidence.sampling import NamedCounters
from harness.evidence.secrets.watch import SecretWatch
from harness.model.declarations import APPLICATION
from harness.model.errors import FaultError, StackError
from harness.model.facts import MEMORY_MIB
from harness.model.protocols import Archive, StoredDocument, Tally, Undo
from harness.runs.runner import Runner, Wiring
from harness.testing import FakeClock
from tests.unit.harness.literal_history import STEP, scenario

RUN = "run-01"
NAMES = {"delivered": ("ok",), "dropped": ("lost", "shed"), "held": ("lost", "ok")}
SECOND = 1_000_000_000
REAL_SECONDS_MAX = 20.0
QUICK_SECONDS = 0.25
"""A machine that is busy with other things may need it for what takes no time."""


class SharedClock(FakeClock):
    """A fake clock for which other threads can stand still.

    Whoever moves it on waits until those whose time has come have done what they had to.
    """

    def __init__(self):
        super().__init__()
        self._moved = threading.Condition()
        self._until_ns = {}

    def sleep(self, seconds):
        with self._moved:
            super().sleep(seconds)
            self._moved.notify_all()
            due = [thread for thread, until_ns in self._until_ns.items() if until_ns <= self.now_ns()]
        real_until = time.monotonic() + REAL_SECONDS_MAX
        while any(self._is_busy(thread) for thread in due):
            assert time.monotonic() < real_until, "what stood still does not end"
            time.sleep(0.001)

    def stand(self, seconds):
        """Return once the clock was moved on so far by somebody else."""
        until_ns = self.now_ns() + seconds * SECOND
        thread = threading.current_thread()
        with self._moved:
            self._until_ns[thread] = until_ns
            assert self._moved.wait_for(lambda: self.now_ns() >= until_ns, REAL_SECONDS_MAX), "nobody waits"
            del self._until_ns[thread]

    def _is_busy(self, thread):
        return thread.is_alive() and self._until_ns.get(thread, 0) <= self.now_ns()


class Hurtable:
    """A target with the capability the fake fault needs."""

    hurt = False


class FakeFault:
    needs: ClassVar[type] = Hurtable

    def __init__(self, log, *, landed=True, breaks_on_exit=False):
        self._log = log
        self._landed = landed
        self._breaks_on_exit = breaks_on_exit

    def undo(self, target):
        return Undo("stop_hurting", {"target": "elasticsearch"})

    @contextmanager
    def inject(self, target, rng) -> Iterator[None]:
        self._log.append("hurt")
        target.hurt = True
        try:
            yield
        finally:
            if self._breaks_on_exit:
                raise FaultError("it cannot be taken back")
            target.hurt = False
            self._log.append("healed")

    def evidence(self, target):
        return self._landed, "seen" if self._landed else "unseen"


class FakeDeployment:
    def __init__(self, log, name, targets=None, *, start_error=None):
        self._log, self._name, self._targets, self._start_error = log, name, targets or {}, start_error
        self.exits: list[tuple[str, int]] = []

    def start(self):
        self._log.append(f"{self._name} starts")
        if self._start_error:
            raise self._start_error

    def wait_ready(self, timeout_seconds):
        pass

    def targets(self):
        return self._targets

    def exited(self):
        return self.exits

    def stop(self):
        self._log.append(f"{self._name} stops")


class FakeLoad(FakeDeployment):
    """Ten records and two probes a wave, all acknowledged at once; the archive gets them from here."""

    def __init__(self, log, clock):
        super().__init__(log, "load", {APPLICATION: object()})
        self._clock = clock
        self.began_ns = None
        self.waves: list[range] = []
        self.exit_seconds: float | None = 0.5
        self.memory_mib = 40.0

    def usage(self):
        return {f"{MEMORY_MIB}.application": self.memory_mib}

    def begin(self, at_ns):
        self.began_ns = at_ns

    def probe(self, at_ns):
        first = 10 + 2 * len(self.waves)
        self.waves.append(range(first, first + 2))
        return self.waves[-1]

    def tally(self):
        count = len(self.owed())
        return Tally(count, count, count, 0, count)

    def owed(self):
        sent = (
            set(range(10)) if self.began_ns is not None and self._clock.now_ns() >= self.began_ns else set()
        )
        return frozenset(sent.union(*self.waves))

    def under_way(self, sender):
        return 0

    def unsent(self, sender):
        return 0

    def finish(self):
        self._log.append("load finishes")
        return self.exit_seconds


class FakeArchive:
    """Holds what the load was acknowledged, once it is old enough; `missing` never comes."""

    def __init__(self, load, clock, delay_seconds=0.0, missing=(), extra=()):
        self._load, self._clock = load, clock
        self._delay_ns, self._missing, self._extra = delay_seconds * SECOND, set(missing), list(extra)
        self.unreadable_until_ns = 0

    def _check(self):
        if self._clock.now_ns() < self.unreadable_until_ns:
            raise StackError("connection refused")

    def count(self):
        return len(list(self.read()))

    def refresh(self):
        self._check()

    def read(self, fields=()):
        self._check()
        for sequence in sorted(self._load.owed() - self._missing):
            line = stamp(f"line {sequence}", RUN, sequence)
            yield StoredDocument(f"i/{sequence}", line, values=(sequence,) * len(fields))
        yield from self._extra

    def close(self):
        pass


class FakeLetters(FakeArchive):
    """Dead letters: these sequences and no others, there from the beginning."""

    def __init__(self, sequences):
        self._sequences = sequences

    def refresh(self):
        pass

    def read(self, fields=()):
        for sequence in self._sequences:
            yield StoredDocument(
                f"d/{sequence}", stamp(f"line {sequence}", RUN, sequence), values=("mapping",)
            )


class FakeCounters:
    """A stack's status that lags: the last value is there from `settled_ns` on."""

    def __init__(self, clock, settled_ns=0):
        self._clock, self._settled_ns = clock, settled_ns

    def read(self, keys):
        return {"ok": 12.0 if self._clock.now_ns() >= self._settled_ns else 3.0, "lost": 1.0}


class Stage:
    """All wiring of one run, to be changed by a test before it runs."""

    def __init__(self, tmp_path, clock=None):
        self.log: list[str] = []
        self.clock = clock or FakeClock()
        self.target = Hurtable()
        self.services = FakeDeployment(self.log, "services", {"elasticsearch": self.target})
        self.stack = FakeDeployment(self.log, "stack")
        self.load = FakeLoad(self.log, self.clock)
        self.archive = FakeArchive(self.load, self.clock)
        self.fault = FakeFault(self.log)
        self.faults = []
        self.scenario = scenario(STEP)
        self.folder = tmp_path / "history"
        self.folder.mkdir()
        self.journals = tmp_path / "undo"
        self.progress = []
        self.left: list[str] = []
        self.order_by = ()
        self.letters: Archive | None = None
        self.counters = None
        self.first_seen = False
        self.secrets: SecretWatch | None = None

    def run(self):
        recorder = Recorder(self.folder / "harness.jsonl")
        letters = self.letters
        wiring = Wiring(
            services=self.services,
            stack=self.stack,
            load=self.load,
            outlets=OutletSpec(
                archive=lambda: self.archive,
                expected_line=lambda n: stamp(f"line {n}", RUN, n),
                run_id=RUN,
                order_by=self.order_by,
                dead_letters=None if letters is None else lambda: letters,
                reason_field="reason",
            ),
            faults=self.faults or [self.fault] * len(self.scenario.steps),
            recorder=recorder,
            journal=UndoJournal(self.journals, RUN, "7:70"),
            clock=self.clock,
            seed=1,
            watch=self.progress.append,
            left=lambda: self.left,
            counters=None if self.counters is None else NamedCounters(self.counters, NAMES),
            first_seen=self.first_seen,
            secrets=self.secrets,
            quick_seconds=QUICK_SECONDS,
        )
        try:
            Runner(self.scenario, wiring).run()
        finally:
            recorder.close()

    def facts(self, kind):
        return [event for event in read_history(self.folder) if isinstance(event, kind)]
