"""The order of a run: what is waited for and for how long, and what is always stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.model.declarations import APPLICATION, worker_name
from harness.model.errors import NotReadyError, OwnPartError, SlowStartError, StackError
from harness.model.facts import ArchiveRead, Broke, Found, PhaseChanged, ProcessExited
from harness.model.protocols import Tally
from harness.runs.debts import Debts
from tests.unit.harness.runs.stage import SECOND, FakeArchive, FakeDeployment, FakeLoad


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


def test_a_person_watching_sees_phase_fault_and_counts(stage):
    stage.run()

    phases = {progress.phase for progress in stage.progress}
    assert {"steady", "inject", "recovery"} <= phases
    assert any(progress.fault == "killed on elasticsearch" for progress in stage.progress)
    assert stage.progress[-1].stored == 14


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


def test_a_stack_that_does_not_start_ends_the_run_with_its_reason_and_is_stopped(stage):
    stage.stack = FakeDeployment(stage.log, "stack", start_error=StackError("no such program"))

    with pytest.raises(NotReadyError) as caught:
        stage.run()

    assert caught.value.reason == "no such program"
    assert [fact.message for fact in stage.facts(Broke)] == ["no such program"]
    assert "stack stops" in stage.log


@pytest.mark.parametrize(
    ("cause", "exit_code"), [(StackError("it ended"), 3), (OSError(11, "no more processes"), 7)]
)
def test_a_part_of_our_own_that_does_not_start_is_not_called_the_stacks(stage, cause, exit_code):
    told = StackError("oracle is not ready")
    told.__cause__ = cause
    stage.stack = FakeDeployment(stage.log, "stack", start_error=OwnPartError(str(told), told))

    with pytest.raises(NotReadyError) as caught:
        stage.run()

    assert caught.value.exit_code == exit_code
    assert str(caught.value).startswith("logquake itself did not get ready in scenario")
    assert caught.value.reason == "oracle is not ready"
    assert "stack stops" in stage.log


def test_a_part_of_our_own_that_is_too_slow_is_the_machines_fault(stage):
    told = SlowStartError("oracle is not ready after 30 s")
    stage.stack = FakeDeployment(stage.log, "stack", start_error=OwnPartError(str(told), told))

    with pytest.raises(NotReadyError) as caught:
        stage.run()

    assert caught.value.exit_code == 7


def test_a_service_that_dies_breaks_the_run_but_a_process_of_the_stack_is_the_stacks_own_affair(stage):
    stage.services.exits = [("proxy", -11)]
    stage.stack.exits = [("shipper", 1)]

    stage.run()

    assert [(fact.process, fact.returncode) for fact in stage.facts(ProcessExited)] == [
        ("proxy", -11),
        ("shipper", 1),
    ]
    assert [fact.message for fact in stage.facts(Broke)] == ['"proxy" ended by itself with -11']


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


def _unanswered_until(stage, seconds, records=3):
    """Let the load have records that the stack acknowledges only so many seconds after sending began."""
    said = stage.load.tally

    def tally():
        told = said()
        late = stage.clock.now_ns() < stage.load.began_ns + seconds * SECOND
        return replace(told, acknowledged=told.acknowledged - records) if told.sent and late else told

    stage.load.tally = tally


class _Held:
    """Counters of a stack that holds three records until a moment."""

    def __init__(self, stage, until_seconds):
        self._stage, self._until_seconds = stage, until_seconds

    def read(self, keys):
        seconds = (self._stage.clock.now_ns() - (self._stage.load.began_ns or 0)) / SECOND
        return {"ok": 0.0, "lost": 3.0 if seconds < self._until_seconds else 0.0}


def _drained_seconds(stage):
    began = {fact.phase: fact.at_ns / SECOND for fact in stage.facts(PhaseChanged)}
    return began["probe"] - began["drain"]


def test_a_record_in_a_back_off_of_half_a_minute_is_waited_for(stage):
    _unanswered_until(stage, 40)

    stage.run()

    assert 29 <= _drained_seconds(stage) <= 32


def test_the_drain_ends_early_once_the_counters_say_that_nothing_is_held(stage):
    _unanswered_until(stage, 1_000)
    stage.counters = _Held(stage, until_seconds=15)

    stage.run()

    assert 5 <= _drained_seconds(stage) <= 10


def test_the_drain_of_what_is_never_answered_nor_counted_takes_its_time(stage):
    _unanswered_until(stage, 1_000)

    stage.run()

    assert stage.scenario.drain_seconds <= _drained_seconds(stage) <= stage.scenario.drain_seconds + 1


def test_the_drain_says_what_it_waits_for(stage):
    _unanswered_until(stage, 20)
    stage.archive = FakeArchive(stage.load, stage.clock, missing={4})

    stage.run()

    told = [progress.waiting for progress in stage.progress if progress.phase == "drain"]
    assert told[0] == "waiting for 3 records to be acknowledged or refused, for at most 60 s more"
    assert "waiting for 1 acknowledged record to be stored, for at most 40 s more" in told
    assert {progress.waiting for progress in stage.progress if progress.phase == "probe"} <= {""}


class LosesAWorker(FakeLoad):
    """One of several workers ends by itself: 3 records are never sent, 2 calls under way get no answer."""

    def tally(self):
        told = super().tally().acknowledged
        return Tally(told + 5, told + 2, told, 0, told)

    def under_way(self, sender):
        return {worker_name(1): 2}[sender]

    def unsent(self, sender):
        return {worker_name(1): 3}[sender]


def test_the_drain_does_not_wait_for_what_a_worker_took_with_it_that_ended_by_itself(stage):
    stage.load = LosesAWorker(stage.log, stage.clock)
    stage.archive = FakeArchive(stage.load, stage.clock)
    stage.load.exits = [(worker_name(1), -9)]

    stage.run()

    assert _drained_seconds(stage) < 5


def test_the_drain_waits_for_what_workers_that_still_run_have_not_sent(stage):
    stage.load = LosesAWorker(stage.log, stage.clock)
    stage.archive = FakeArchive(stage.load, stage.clock)

    stage.run()

    assert _drained_seconds(stage) >= stage.scenario.drain_seconds


def test_a_fault_on_one_worker_cuts_off_no_answers_of_the_others():
    class TwoWorkers:
        def under_way(self, sender):
            return {worker_name(1): 2, worker_name(2): 7, APPLICATION: 9}[sender]

    load: Any = TwoWorkers()
    unused: Any = None
    debts = Debts(load, unused, unused, unused, unused)

    debts.cut_off_answers(worker_name(1))
    first = debts.cut_off
    debts.cut_off_answers(worker_name(1))
    again = debts.cut_off
    debts.cut_off_answers(worker_name(2))
    both = debts.cut_off
    debts.cut_off_answers(APPLICATION)

    assert (first, again, both, debts.cut_off) == (2, 2, 9, 9)
