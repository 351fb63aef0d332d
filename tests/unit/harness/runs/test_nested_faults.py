"""Faults within faults: each ends when its file says, and all are taken back, whatever one of them takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from harness.cleanup.undo_journal import open_undos
from harness.model.declarations import Step
from harness.model.errors import FaultError, InterruptedRunError
from harness.model.facts import Broke, FaultChanged, FaultSeen, FreshSent, StepSkipped
from harness.runs.act import ACT_SECONDS_MAX
from harness.testing import FakeClock
from tests.unit.harness.literal_history import scenario
from tests.unit.harness.runs.stage import SECOND, FakeArchive, FakeDeployment, FakeFault, FakeLoad, Hurtable

REAL_SECONDS_MAX = 20.0
OUTER = Step("black_hole", "elasticsearch", 3.0, 4.0)
INNER = Step("stopped", "shipper", 4.0, 1.0)


def _nothing() -> None:
    pass


class Nested(FakeFault):
    """A fault that says what it does, and does it only after `injecting` and `healing` have returned."""

    def __init__(self, log, name, injecting: Callable = _nothing, healing: Callable = _nothing, **options):
        super().__init__(log, **options)
        self._name, self._injecting, self._healing = name, injecting, healing

    @contextmanager
    def inject(self, target, rng):
        self._log.append(f"{self._name} begins")
        self._injecting()
        target.hurt = True
        try:
            yield
        finally:
            self._log.append(f"{self._name} heals")
            self._healing()
            target.hurt = False
            self._log.append(f"{self._name} healed")


@pytest.fixture
def nested(stage):
    """A stage with two targets, and one fault within another on them."""
    targets = {"elasticsearch": Hurtable(), "shipper": Hurtable()}
    stage.services = FakeDeployment(stage.log, "services", targets)
    stage.scenario = scenario(OUTER, INNER)
    stage.faults = [Nested(stage.log, "outer"), Nested(stage.log, "inner")]
    return stage


def _changes(stage, *states):
    began_ns = stage.load.began_ns
    return [
        (fact.fault, fact.state, round((fact.at_ns - began_ns) / SECOND, 1))
        for fact in stage.facts(FaultChanged)
        if fact.state in states
    ]


def _slow(event):
    """Return what takes until an event, which the test lets come."""
    return lambda: event.wait(REAL_SECONDS_MAX)


def test_an_inner_fault_slow_to_begin_leaves_the_outer_one_its_length(nested):
    """A process that closes only once the outage is over: both end as soon as they can."""
    closed = threading.Event()
    nested.faults = [
        Nested(nested.log, "outer", healing=closed.set),
        Nested(nested.log, "inner", injecting=_slow(closed)),
    ]

    nested.run()

    *changes, (last, _, healing) = _changes(nested, "injecting", "healing")
    assert changes == [
        ("black_hole", "injecting", 3.0),
        ("stopped", "injecting", 4.0),
        ("black_hole", "healing", 7.0),
    ]
    assert last == "stopped"
    assert healing >= 7.0
    assert {(fact.step, fact.landed) for fact in nested.facts(FaultSeen)} == {(0, True), (1, True)}
    assert open_undos(nested.journals) == []
    assert nested.facts(Broke) == []


def test_an_inner_fault_slow_to_heal_leaves_the_outer_one_its_length(nested):
    started = threading.Event()
    nested.faults = [
        Nested(nested.log, "outer", healing=started.set),
        Nested(nested.log, "inner", healing=_slow(started)),
    ]

    nested.run()

    assert _changes(nested, "healing") == [("stopped", "healing", 5.0), ("black_hole", "healing", 7.0)]
    assert nested.log.index("outer heals") < nested.log.index("inner healed")
    assert open_undos(nested.journals) == []


def test_facts_tell_when_a_fault_was_on_and_healed_and_not_when_that_was_noticed(nested):
    """The inner one takes half a second of the clock for each, in its own thread."""
    nested.faults[1] = Nested(
        nested.log,
        "inner",
        injecting=lambda: nested.clock.sleep(0.5),
        healing=lambda: nested.clock.sleep(0.5),
    )

    nested.run()

    assert [
        each for each in _changes(nested, "injecting", "injected", "healing", "healed") if "stopped" in each
    ] == [
        ("stopped", "injecting", 4.0),
        ("stopped", "injected", 4.5),
        ("stopped", "healing", 5.5),
        ("stopped", "healed", 6.0),
    ]


def test_an_inner_fault_that_began_late_ends_with_the_outer_one(nested):
    nested.faults[1] = Nested(nested.log, "inner", injecting=lambda: nested.clock.sleep(2.5))

    nested.run()

    assert _changes(nested, "injected", "healing") == [
        ("black_hole", "injected", 3.0),
        ("stopped", "injected", 6.5),
        ("stopped", "healing", 7.0),
        ("black_hole", "healing", 7.0),
    ]


def test_fresh_records_are_sent_once_nothing_is_on_any_more(nested):
    closed = threading.Event()
    nested.faults = [
        Nested(nested.log, "outer", healing=closed.set),
        Nested(nested.log, "inner", injecting=_slow(closed)),
    ]

    nested.run()

    healed_ns = max(fact.at_ns for fact in nested.facts(FaultChanged) if fact.state == "healed")
    waves = nested.facts(FreshSent)
    assert [wave.after for wave in waves] == ["stopped on shipper", ""]
    assert waves[0].at_ns >= healed_ns


def test_of_two_faults_on_one_target_the_inner_one_is_healed_first_however_long_it_takes(nested):
    started = threading.Event()
    nested.scenario = scenario(OUTER, Step("frozen", "elasticsearch", 4.0, 1.0))
    nested.faults[1] = Nested(nested.log, "inner", healing=_slow(started))

    def sleep(seconds, sleep=nested.clock.sleep):
        sleep(seconds)
        if nested.clock.now_ns() > nested.load.began_ns + 9 * SECOND:
            started.set()

    nested.clock.sleep = sleep
    nested.run()

    assert nested.log.index("inner healed") < nested.log.index("outer heals")
    (_, _, healing) = _changes(nested, "healing")[-1]
    assert healing >= 9.0


def test_an_interruption_heals_the_outer_fault_while_the_inner_one_still_begins(nested):
    """The process closes only once the outage is over; whoever waited for it first would wait in vain."""
    closed = threading.Event()

    class Interrupting(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            if "inner begins" in nested.log and "interrupted" not in nested.log:
                nested.log.append("interrupted")
                raise InterruptedRunError("the run was asked to end by a signal")

    nested.clock = Interrupting()
    nested.load = FakeLoad(nested.log, nested.clock)
    nested.archive = FakeArchive(nested.load, nested.clock)
    nested.faults = [
        Nested(nested.log, "outer", healing=closed.set),
        Nested(nested.log, "inner", injecting=_slow(closed)),
    ]

    with pytest.raises(InterruptedRunError):
        nested.run()

    told = nested.log[nested.log.index("interrupted") :]
    assert told[:3] == ["interrupted", "outer heals", "outer healed"]
    assert told[3:5] == ["inner heals", "inner healed"]
    assert open_undos(nested.journals) == []


def test_an_error_heals_both_and_on_one_target_the_inner_one_first(nested):
    def broken(target):
        raise ValueError("a defect of the evidence")

    nested.scenario = scenario(OUTER, Step("frozen", "elasticsearch", 4.0, 1.0))
    nested.faults[1].evidence = broken

    nested.run()

    told = [each for each in nested.log if "heal" in each]
    assert told == ["inner heals", "inner healed", "outer heals", "outer healed"]
    assert "a defect of the evidence" in nested.facts(Broke)[0].message
    assert open_undos(nested.journals) == []


def test_an_inner_fault_that_cannot_be_taken_back_alone_stays_in_the_journal(nested):
    def refuses():
        raise FaultError("it does not start again")

    nested.faults[1] = Nested(nested.log, "inner", healing=refuses)

    nested.run()

    assert [entry.step for entry in open_undos(nested.journals)] == ["literal.1"]
    assert "outer healed" in nested.log
    assert "it does not start again" in nested.facts(Broke)[0].message


def test_a_fault_that_never_gets_on_is_given_up_and_stays_in_the_journal(nested):
    never = threading.Event()
    nested.faults[1] = Nested(nested.log, "inner", injecting=_slow(never))

    nested.run()
    never.set()

    assert nested.facts(Broke)[0].message.startswith(
        f"stopped on shipper: its injection has not ended after {ACT_SECONDS_MAX:g} s"
    )
    assert _changes(nested, "healing") == [("black_hole", "healing", 7.0)]
    assert [entry.step for entry in open_undos(nested.journals)] == ["literal.1"]


def test_a_step_that_could_begin_only_after_what_was_to_be_around_it_is_skipped(nested):
    """Outside of the outage it would prove something else."""
    started = threading.Event()
    nested.scenario = scenario(OUTER, INNER, Step("killed", "shipper", 5.5, 0.5))
    nested.faults = [
        Nested(nested.log, "outer", healing=started.set),
        Nested(nested.log, "inner", healing=_slow(started)),
        Nested(nested.log, "last"),
    ]

    nested.run()

    assert [(fact.step, fact.reason) for fact in nested.facts(StepSkipped)] == [
        (2, "it was to be within black_hole on elasticsearch, which was healed before it could begin")
    ]
    assert "last begins" not in nested.log


def test_a_step_within_one_that_was_skipped_is_skipped_too(nested):
    nested.services = FakeDeployment(nested.log, "services", {"shipper": Hurtable()})

    nested.run()

    assert [fact.reason for fact in nested.facts(StepSkipped)] == [
        "elasticsearch: this run has no such target",
        "it was to be within black_hole on elasticsearch, which was skipped",
    ]
    assert nested.facts(FaultChanged) == []


def test_a_step_that_comes_after_another_waits_until_that_one_is_healed(nested):
    nested.scenario = scenario(INNER, Step("killed", "elasticsearch", 5.5, 1.0))
    nested.faults[0] = Nested(nested.log, "outer", healing=lambda: nested.clock.sleep(2.0))

    nested.run()

    assert _changes(nested, "healed", "injecting")[1:3] == [
        ("stopped", "healed", 7.0),
        ("killed", "injecting", pytest.approx(7.0, abs=0.3)),
    ]
