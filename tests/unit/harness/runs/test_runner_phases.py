"""The order of a run: what is waited for and for how long, and what is always stopped."""

from __future__ import annotations

import pytest

from harness.model.errors import NotReadyError, StackError
from harness.model.facts import ArchiveRead, Broke, Found, PhaseChanged, ProcessExited
from tests.unit.harness.runs.stage import SECOND, FakeArchive, FakeDeployment


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
