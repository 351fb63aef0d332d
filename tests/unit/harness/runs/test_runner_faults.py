"""How the runner injects, proves and takes back a fault, whatever goes wrong meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from harness.cleanup.undo_journal import open_undos
from harness.model.declarations import Step
from harness.model.errors import FaultError, InterruptedRunError
from harness.model.facts import ArchiveRead, Broke, Destroyed, FaultChanged, FaultSeen, Poisoned, StepSkipped
from harness.testing import FakeClock
from tests.unit.harness.literal_history import STEP, scenario
from tests.unit.harness.runs.stage import SECOND, FakeArchive, FakeDeployment, FakeFault, FakeLoad


def test_a_fault_is_injected_seen_and_healed_when_planned(stage):
    stage.run()

    began_ns = stage.load.began_ns
    changes = {fact.state: (fact.at_ns - began_ns) / SECOND for fact in stage.facts(FaultChanged)}
    assert changes["injected"] == pytest.approx(STEP.at_seconds, abs=0.3)
    assert changes["healed"] == pytest.approx(STEP.at_seconds + STEP.for_seconds, abs=0.3)
    assert [(fact.landed, fact.proof) for fact in stage.facts(FaultSeen)] == [(True, "seen")]
    assert not stage.target.hurt


def test_a_target_that_is_not_there_skips_the_step(stage):
    stage.services = FakeDeployment(stage.log, "services", {})

    stage.run()

    assert [fact.reason for fact in stage.facts(StepSkipped)] == [
        "elasticsearch: this run has no such target"
    ]
    assert stage.facts(FaultChanged) == []


def test_a_target_without_the_capability_skips_the_step(stage):
    stage.services = FakeDeployment(stage.log, "services", {"elasticsearch": object()})

    stage.run()

    assert "this target does not support Hurtable" in stage.facts(StepSkipped)[0].reason


def test_the_undo_is_on_disk_while_the_fault_is_on_and_gone_after_it(stage):
    seen = []

    def evidence(target):
        seen.append(open_undos(stage.journals))
        return False, ""

    stage.fault.evidence = evidence

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

    first, last = stage.facts(FaultSeen)
    assert not first.landed
    assert not last.landed
    assert "no route" in last.proof


def _when_seen(stage):
    began_ns = stage.load.began_ns
    return [(round((fact.at_ns - began_ns) / SECOND), fact.landed) for fact in stage.facts(FaultSeen)]


def test_a_fault_proved_at_once_is_looked_at_once(stage):
    stage.run()

    assert _when_seen(stage) == [(STEP.at_seconds, True)]


def test_a_fault_not_proved_at_once_is_looked_at_again_before_it_is_healed(stage):
    late_ns = stage.clock.now_ns() + int((STEP.at_seconds + 1.5) * SECOND)
    stage.fault.evidence = lambda target: (stage.clock.now_ns() > late_ns and target.hurt, "looked")

    stage.run()

    assert _when_seen(stage) == [(STEP.at_seconds, False), (STEP.at_seconds + STEP.for_seconds, True)]


def test_a_fault_never_proved_is_looked_at_twice_and_not_seen(stage):
    stage.fault = FakeFault(stage.log, landed=False)

    stage.run()

    assert _when_seen(stage) == [(STEP.at_seconds, False), (STEP.at_seconds + STEP.for_seconds, False)]


def test_a_fault_that_adds_up_is_told_with_what_it_came_to_in_all(stage):
    class Adding(FakeFault):
        def evidence_in_all(self, target):
            return target.hurt, "52 of 52"

    stage.fault = Adding(stage.log)

    stage.run()

    assert [(fact.landed, fact.proof) for fact in stage.facts(FaultSeen)] == [
        (True, "seen"),
        (True, "52 of 52"),
    ]


def test_a_last_look_that_fails_leaves_what_the_first_one_proved(stage):
    class Hiding(FakeFault):
        def evidence_in_all(self, target):
            raise FaultError("no route")

    stage.fault = Hiding(stage.log)

    stage.run()

    assert [fact.landed for fact in stage.facts(FaultSeen)] == [True, False]
    assert stage.facts(Broke) == []


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


def test_a_plug_ins_own_error_breaks_the_run_and_leaves_the_fault_in_the_journal(stage):
    @contextmanager
    def inject(target, rng):
        raise ValueError("a defect of the plug-in")
        yield  # type: ignore[unreachable]  # makes it a generator

    stage.fault.inject = inject

    stage.run()

    assert stage.facts(Broke)[0].message.startswith(
        "ValueError: a defect of the plug-in (test_runner_faults.py:"
    )
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


def test_a_fault_is_noted_with_the_capability_it_uses(stage):
    stage.run()

    assert {fact.needs for fact in stage.facts(FaultChanged)} == {"Hurtable"}


class Poisoning(FakeFault):
    """Refuses for good what `refused` returns when it is asked."""

    def __init__(self, log, refused, deliberation_seconds=0.0):
        super().__init__(log)
        self._refused = refused
        self.deliberation_seconds = deliberation_seconds

    def poisoned(self, target):
        return self._refused()


def test_a_fault_that_poisons_records_is_asked_which_when_all_is_over(stage):
    stage.fault = Poisoning(stage.log, lambda: [3, 6] if "load finishes" in stage.log else [])

    stage.run()

    assert [fact.sequence for fact in stage.facts(Poisoned)] == [3, 6]


@pytest.mark.parametrize(
    ("refused_seconds", "deliberation_seconds", "noted_in_the_fault"),
    [(5.9, 0.0, True), (4.9, 1.0, True), (5.2, 1.0, False), (4.0, 3.0, False)],
)
def test_what_is_refused_too_late_for_the_stack_to_find_out_is_noted_after_the_fault(
    stage, refused_seconds, deliberation_seconds, noted_in_the_fault
):
    def refused():
        return [3] if stage.clock.now_ns() >= stage.load.began_ns + refused_seconds * SECOND else []

    stage.fault = Poisoning(stage.log, refused, deliberation_seconds)

    stage.run()

    healed_ns = next(fact.at_ns for fact in stage.facts(FaultChanged) if fact.state == "healing")
    assert (stage.facts(Poisoned)[0].at_ns <= healed_ns) is noted_in_the_fault
    assert {fact.sequence for fact in stage.facts(Poisoned)} == {3}


def test_what_is_refused_is_noted_in_the_fault_although_every_wait_ends_a_little_late(stage):
    class Late(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds + 0.003)

    stage.clock = Late()
    stage.load = FakeLoad(stage.log, stage.clock)
    stage.fault = Poisoning(stage.log, lambda: [3])

    stage.run()

    healed_ns = next(fact.at_ns for fact in stage.facts(FaultChanged) if fact.state == "healing")
    assert stage.facts(Poisoned)[0].at_ns <= healed_ns


def test_a_step_that_takes_longer_than_its_time_leaves_the_refusals_around_it_undated(stage):
    class Slow(FakeFault):
        def evidence(self, target):
            stage.clock.sleep(3.0)
            return True, "seen"

    stage.scenario = scenario(
        Step("body_limited", "elasticsearch", 3.0, 4.0), Step("killed", "elasticsearch", 4.0, 0.5)
    )
    stage.faults = [Poisoning(stage.log, lambda: [3], deliberation_seconds=1.0), Slow(stage.log)]

    stage.run()

    healed_ns = max(fact.at_ns for fact in stage.facts(FaultChanged))
    assert min(fact.at_ns for fact in stage.facts(Poisoned)) > healed_ns


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
            yield  # type: ignore[unreachable]  # makes it a generator

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


def test_a_proof_that_takes_long_prolongs_no_fault_and_delays_no_step_within_it(stage):
    """The outer fault is looked at for longer than it lasts; the inner one begins and ends as planned."""
    ending = threading.Event()

    class SlowlyProved(FakeFault):
        def evidence(self, target):
            return ending.wait(20), "seen too late"

    stage.scenario = scenario(
        Step("killed", "elasticsearch", 3.0, 4.0), Step("bit_flip", "elasticsearch", 4.0, 1.0)
    )
    stage.faults = [SlowlyProved(stage.log), FakeFault(stage.log)]

    stage.run()
    ending.set()

    began_ns = stage.load.began_ns
    changes = [
        (fact.fault, fact.state, round((fact.at_ns - began_ns) / SECOND, 1))
        for fact in stage.facts(FaultChanged)
        if fact.state in {"injected", "healed"}
    ]
    assert changes == [
        ("killed", "injected", 3.0),
        ("bit_flip", "injected", 4.0),
        ("bit_flip", "healed", 5.0),
        ("killed", "healed", 7.0),
    ]
    proofs = [(fact.step, fact.landed, fact.proof) for fact in stage.facts(FaultSeen)]
    assert proofs == [(1, True, "seen"), (0, False, "the proof took longer than the fault lasted")]
