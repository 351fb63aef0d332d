"""The runner's story on fake parts and a fake clock: which facts it writes, and what it always does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from harness.errors import FaultError, InterruptedRunError, StackError
from harness.facts import (
    EXIT_SECONDS,
    MEMORY_MIB,
    PROBES_FOUND,
    ArchiveRead,
    Broke,
    CounterRead,
    DeadLettered,
    DeadLettersRead,
    Destroyed,
    FaultChanged,
    FaultSeen,
    Found,
    PhaseChanged,
    Poisoned,
    ProcessExited,
    Sample,
    StepSkipped,
)
from harness.history import Recorder, read_history
from harness.lines import stamp
from harness.observation import NamedCounters
from harness.outlets import OutletSpec
from harness.protocols import Step, StoredDocument, Tally, Undo
from harness.runner import Parts, Runner
from harness.testing import FakeClock
from harness.undo import UndoJournal, open_undos
from tests.unit.literal_history import STEP, scenario

RUN = "run-01"
NAMES = {"delivered": ("ok",), "dropped": ("lost", "shed"), "held": ("lost", "ok")}
SECOND = 1_000_000_000


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
    """Ten records and two probes, all acknowledged at once; the archive gets them from here."""

    def __init__(self, log, clock):
        super().__init__(log, "load")
        self._clock = clock
        self.began_ns = self.probed_ns = None
        self.exit_seconds: float | None = 0.5
        self.memory_mib = 40.0

    def usage(self):
        return {f"{MEMORY_MIB}.application": self.memory_mib}

    def begin(self, at_ns):
        self.began_ns = at_ns

    def probe(self, at_ns):
        self.probed_ns = at_ns

    def tally(self):
        count = len(self.owed())
        return Tally(count, count, count, 0, count)

    def owed(self):
        sent = (
            set(range(10)) if self.began_ns is not None and self._clock.now_ns() >= self.began_ns else set()
        )
        return frozenset(sent | (set(self.probes()) if self.probed_ns is not None else set()))

    def probes(self):
        return frozenset({10, 11})

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
    """All parts of one run, to be changed by a test before it runs."""

    def __init__(self, tmp_path):
        self.log: list[str] = []
        self.clock = FakeClock()
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
        self.letters = None
        self.counters = None

    def run(self):
        recorder = Recorder(self.folder / "harness.jsonl")
        parts = Parts(
            services=self.services,
            stack=self.stack,
            load=self.load,
            outlets=OutletSpec(
                archive=lambda: self.archive,
                expected_line=lambda n: stamp(f"line {n}", RUN, n),
                run_id=RUN,
                order_by=self.order_by,
                dead_letters=None if self.letters is None else lambda: self.letters,
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
        )
        try:
            Runner(self.scenario, parts).run()
        finally:
            recorder.close()

    def facts(self, kind):
        return [event for event in read_history(self.folder) if isinstance(event, kind)]


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_the_phases_come_in_their_order(stage):
    stage.run()

    assert [fact.phase for fact in stage.facts(PhaseChanged)] == [
        "start",
        "steady",
        "inject",
        "heal",
        "recovery",
        "drain",
        "probe",
        "read back",
        "stop",
    ]


def test_a_fault_is_injected_seen_and_healed_when_planned(stage):
    stage.run()

    began_ns = stage.load.began_ns
    changes = {fact.state: (fact.at_ns - began_ns) / SECOND for fact in stage.facts(FaultChanged)}
    assert changes["injected"] == pytest.approx(STEP.at_seconds, abs=0.3)
    assert changes["healed"] == pytest.approx(STEP.at_seconds + STEP.for_seconds, abs=0.3)
    assert [(fact.landed, fact.proof) for fact in stage.facts(FaultSeen)] == [(True, "seen")]
    assert not stage.target.hurt


def test_a_step_within_another_is_taken_while_the_other_is_on(stage):
    stage.scenario = scenario(
        Step("killed", "elasticsearch", 3.0, 4.0),
        Step("bit_flip", "elasticsearch", 4.0, 1.0),
        Step("frozen", "elasticsearch", 8.0, 1.0),
    )

    stage.run()

    began_ns = stage.load.began_ns
    changes = [
        (fact.fault, fact.state, round((fact.at_ns - began_ns) / SECOND))
        for fact in stage.facts(FaultChanged)
        if fact.state in {"injected", "healed"}
    ]
    assert changes == [
        ("killed", "injected", 3),
        ("bit_flip", "injected", 4),
        ("bit_flip", "healed", 5),
        ("killed", "healed", 7),
        ("frozen", "injected", 8),
        ("frozen", "healed", 9),
    ]
    assert open_undos(stage.journals) == []


def test_what_goes_wrong_in_an_inner_step_takes_the_outer_one_back_too(stage):
    class Unwilling(FakeFault):
        @contextmanager
        def inject(self, target, rng):
            raise FaultError("the disk refuses")
            yield

    stage.scenario = scenario(
        Step("killed", "elasticsearch", 3.0, 4.0), Step("bit_flip", "elasticsearch", 4.0, 1.0)
    )
    stage.faults = [stage.fault, Unwilling(stage.log)]

    stage.run()

    assert stage.log.count("healed") == 1
    assert not stage.target.hurt
    assert [fact.where for fact in stage.facts(Broke)] == ["inject"]


def test_what_a_fault_destroyed_is_noted_place_by_place(stage):
    class Destroying(FakeFault):
        def destroyed(self, target):
            return ["a:1", "b:2"]

    stage.fault = Destroying(stage.log)

    stage.run()

    assert [(fact.step, fact.place) for fact in stage.facts(Destroyed)] == [(0, "a:1"), (0, "b:2")]


def test_everything_found_is_recorded_and_the_reading_is_noted(stage):
    stage.run()

    assert sorted(fact.sequence for fact in stage.facts(Found)) == list(range(12))
    assert [fact.copies for fact in stage.facts(ArchiveRead)] == [12]
    assert PROBES_FOUND in {fact.name for fact in stage.facts(Sample)}
    assert stage.facts(Broke) == []


def test_only_a_line_that_differs_keeps_an_excerpt(stage):
    stage.archive = FakeArchive(
        stage.load,
        stage.clock,
        extra=[StoredDocument("i/x", stamp("other", RUN, 3)), StoredDocument("i/y", "no identity")],
    )

    stage.run()

    excerpts = {fact.copy: fact.excerpt for fact in stage.facts(Found) if fact.excerpt}
    assert set(excerpts) == {"i/x", "i/y"}
    assert excerpts["i/y"] == "no identity"


def test_a_missing_record_is_waited_for_until_the_deadline(stage):
    stage.archive = FakeArchive(stage.load, stage.clock, missing={4})

    stage.run()

    began = {fact.phase: fact.at_ns / SECOND for fact in stage.facts(PhaseChanged)}
    assert began["probe"] - began["drain"] >= stage.scenario.drain_seconds
    assert 4 not in {fact.sequence for fact in stage.facts(Found)}


def test_a_record_that_had_its_time_in_the_drain_is_not_waited_for_again(stage):
    stage.archive = FakeArchive(stage.load, stage.clock, missing={4})

    stage.run()

    began = {fact.phase: fact.at_ns / SECOND for fact in stage.facts(PhaseChanged)}
    assert began["stop"] - began["read back"] < 5


def test_an_archive_that_answers_again_before_the_deadline_is_read(stage):
    stage.archive.unreadable_until_ns = stage.clock.now_ns() + 20 * SECOND

    stage.run()

    assert stage.facts(Broke) == []
    assert len(stage.facts(ArchiveRead)) == 1


def test_an_archive_that_stays_unreadable_breaks_the_run_and_proves_nothing(stage):
    stage.archive.unreadable_until_ns = stage.clock.now_ns() + 10_000 * SECOND

    stage.run()

    assert stage.facts(ArchiveRead) == []
    assert [fact.message for fact in stage.facts(Broke)] == ["connection refused"]
    assert stage.log[-2:] == ["load stops", "stack stops"]


def test_a_target_that_is_not_there_skips_the_step(stage):
    stage.services = FakeDeployment(stage.log, "services", {})

    stage.run()

    assert [fact.reason for fact in stage.facts(StepSkipped)] == ["elasticsearch: no such target here"]
    assert stage.facts(FaultChanged) == []


def test_a_target_without_the_capability_skips_the_step(stage):
    stage.services = FakeDeployment(stage.log, "services", {"elasticsearch": object()})

    stage.run()

    assert "cannot be hurtable" in stage.facts(StepSkipped)[0].reason


def test_the_undo_is_on_disk_while_the_fault_is_on_and_gone_after_it(stage):
    seen = []
    stage.fault.evidence = lambda target: (bool(seen.append(open_undos(stage.journals))), "")

    stage.run()

    assert [entry.undo.action for entry in seen[0]] == ["stop_hurting"]
    assert open_undos(stage.journals) == []


def test_a_fault_that_cannot_be_taken_back_breaks_the_run_and_stays_in_the_journal(stage):
    stage.fault = FakeFault(stage.log, breaks_on_exit=True)

    stage.run()

    assert "cannot be taken back" in stage.facts(Broke)[0].message
    assert len(open_undos(stage.journals)) == 1
    assert stage.log[-2:] == ["load stops", "stack stops"]


def test_evidence_that_cannot_be_had_is_a_fault_not_seen(stage):
    def broken(target):
        raise FaultError("no route")

    stage.fault.evidence = broken

    stage.run()

    (seen,) = stage.facts(FaultSeen)
    assert not seen.landed
    assert "no route" in seen.proof


def test_an_interruption_heals_stops_and_is_passed_on(stage):
    class Interrupting(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            if stage.target.hurt and not stage.log.count("interrupted"):
                stage.log.append("interrupted")
                raise InterruptedRunError("the run was asked to end by a signal")

    stage.clock = Interrupting()
    stage.load = FakeLoad(stage.log, stage.clock)
    stage.archive = FakeArchive(stage.load, stage.clock)

    with pytest.raises(InterruptedRunError):
        stage.run()

    assert stage.log[-4:] == ["interrupted", "healed", "load stops", "stack stops"]
    assert open_undos(stage.journals) == []
    assert stage.facts(ArchiveRead) == []


def test_a_stack_that_does_not_start_breaks_the_run_and_is_stopped(stage):
    stage.stack = FakeDeployment(stage.log, "stack", start_error=StackError("no such program"))

    stage.run()

    assert [fact.message for fact in stage.facts(Broke)] == ["no such program"]
    assert "stack stops" in stage.log


def test_a_service_that_dies_breaks_the_run_but_a_process_of_the_stack_is_the_stacks_own_affair(stage):
    stage.services.exits = [("proxy", -11)]
    stage.stack.exits = [("shipper", 1)]

    stage.run()

    assert [(fact.process, fact.returncode) for fact in stage.facts(ProcessExited)] == [
        ("proxy", -11),
        ("shipper", 1),
    ]
    assert [fact.message for fact in stage.facts(Broke)] == ['"proxy" ended by itself with -11']


def test_a_person_watching_sees_phase_fault_and_counts(stage):
    stage.run()

    phases = {progress.phase for progress in stage.progress}
    assert {"steady", "inject", "recovery"} <= phases
    assert any(progress.fault == "killed on elasticsearch" for progress in stage.progress)
    assert stage.progress[-1].stored == 12


def test_a_plug_ins_own_error_breaks_the_run_and_leaves_the_fault_in_the_journal(stage):
    @contextmanager
    def inject(target, rng):
        raise ValueError("a defect of the plug-in")
        yield

    stage.fault.inject = inject

    stage.run()

    assert stage.facts(Broke)[0].message.startswith("ValueError: a defect of the plug-in (test_runner.py:")
    assert len(open_undos(stage.journals)) == 1
    assert stage.log[-2:] == ["load stops", "stack stops"]


def test_an_error_while_the_fault_is_on_takes_it_back_and_closes_the_journal(stage):
    def broken(target):
        raise ValueError("a defect of the evidence")

    stage.fault.evidence = broken

    stage.run()

    assert "a defect of the evidence" in stage.facts(Broke)[0].message
    assert not stage.target.hurt
    assert open_undos(stage.journals) == []


def test_an_undo_that_fails_while_a_signal_is_answered_does_not_hide_the_signal(stage):
    class Interrupting(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            if stage.target.hurt:
                raise InterruptedRunError("the run was asked to end by a signal")

    stage.clock = Interrupting()
    stage.load = FakeLoad(stage.log, stage.clock)
    stage.fault = FakeFault(stage.log, breaks_on_exit=True)

    with pytest.raises(InterruptedRunError):
        stage.run()

    assert "cannot be taken back" in stage.facts(Broke)[0].message
    assert len(open_undos(stage.journals)) == 1


def test_one_part_that_does_not_stop_keeps_no_other_from_stopping(stage):
    def stop():
        raise RuntimeError("stuck")

    stage.load.stop = stop

    stage.run()

    assert stage.log[-1] == "stack stops"
    assert stage.facts(Broke)[0].message.startswith("RuntimeError: stuck")


def test_what_a_scenario_leaves_breaks_it(stage):
    stage.left = ["process 7 still runs: a shipper"]

    stage.run()

    assert [fact.message for fact in stage.facts(Broke)] == [
        "the scenario left something: process 7 still runs: a shipper"
    ]


def test_a_fault_is_noted_with_the_capability_it_uses(stage):
    stage.run()

    assert {fact.needs for fact in stage.facts(FaultChanged)} == {"Hurtable"}


def test_what_was_stored_comes_with_the_values_that_say_what_came_first(stage):
    stage.order_by = ("a", "b")

    stage.run()

    assert {fact.sequence: fact.order for fact in stage.facts(Found)}[4] == "[4,4]"


def test_a_dead_letter_settles_a_debt_and_is_recorded_with_its_reason(stage):
    stage.archive = FakeArchive(stage.load, stage.clock, missing={4})
    stage.letters = FakeLetters([4])

    stage.run()

    began = {fact.phase: fact.at_ns / SECOND for fact in stage.facts(PhaseChanged)}
    assert began["probe"] - began["drain"] < 5
    assert [(fact.sequence, fact.reason, fact.excerpt) for fact in stage.facts(DeadLettered)] == [
        (4, "mapping", "")
    ]
    assert [fact.copies for fact in stage.facts(DeadLettersRead)] == [1]


def test_a_stack_without_dead_letters_has_no_reading_of_them(stage):
    stage.run()

    assert stage.facts(DeadLettersRead) == []


def test_memory_is_sampled_before_sending_and_about_once_a_second(stage):
    stage.run()

    began_ns = stage.load.began_ns
    samples = [fact for fact in stage.facts(Sample) if fact.name == f"{MEMORY_MIB}.application"]
    sending = [fact for fact in samples if began_ns <= fact.at_ns < began_ns + 10 * SECOND]
    assert min(fact.at_ns for fact in samples) < began_ns
    assert 8 <= len(sending) <= 11


def test_exits_are_measured_after_a_whole_run(stage):
    stage.run()

    exits = {fact.name: fact.value for fact in stage.facts(Sample) if fact.name.startswith(EXIT_SECONDS)}
    assert exits == {f"{EXIT_SECONDS}.application": 0.5, f"{EXIT_SECONDS}.stack": 0}


def test_an_application_that_was_gone_already_has_no_exit_time(stage):
    stage.load.exit_seconds = None

    stage.run()

    assert f"{EXIT_SECONDS}.application" not in {fact.name for fact in stage.facts(Sample)}


def test_counters_are_read_under_our_names_and_only_where_all_their_keys_are_there(stage):
    stage.counters = FakeCounters(stage.clock)

    stage.run()

    last = {fact.name: fact.value for fact in stage.facts(CounterRead)}
    assert last == {"delivered": 12, "held": 13}


def test_counters_that_lag_are_waited_for_after_the_drain(stage):
    class Late(FakeCounters):
        def read(self, keys):
            if stage.load.exit_seconds and "load finishes" in stage.log and not self._settled_ns:
                self._settled_ns = stage.clock.now_ns() + SECOND
            settled = self._settled_ns and stage.clock.now_ns() >= self._settled_ns
            return {"ok": 12.0 if settled else 3.0, "lost": 0.0}

    stage.counters = Late(stage.clock)

    stage.run()

    readings = [fact.value for fact in stage.facts(CounterRead) if fact.name == "delivered"]
    assert (readings[0], readings[-1]) == (3, 12)


def test_counters_that_cannot_be_read_leave_no_reading_and_break_nothing(stage):
    class Broken:
        def read(self, keys):
            raise StackError("no such page")

    stage.counters = Broken()

    stage.run()

    assert stage.facts(CounterRead) == []
    assert stage.facts(Broke) == []


def test_a_fault_that_poisons_records_is_asked_which_when_all_is_over(stage):
    class Poisoning(FakeFault):
        def poisoned(self, target):
            return [3, 6] if "load finishes" in stage.log else []

    stage.fault = Poisoning(stage.log)

    stage.run()

    assert [fact.sequence for fact in stage.facts(Poisoned)] == [3, 6]
