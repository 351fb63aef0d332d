"""Faults begin and end when their file says, although what is asked of the stack meanwhile stands still.

The clock is moved by the run's own waits alone. Whatever stands still does so in a thread of its own until
the clock has moved so far: asked by the thread that moves it, it would stand for ever.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from harness.cleanup.undo_journal import open_undos
from harness.model.declarations import Step
from harness.model.errors import InterruptedRunError
from harness.model.facts import (
    STORED,
    Broke,
    Destroyed,
    FaultChanged,
    FaultSeen,
    FirstSeen,
    FreshSent,
    Poisoned,
    Sample,
)
from harness.model.protocols import Undo
from harness.runs.ticker import TICK_SECONDS, Ticker
from harness.testing import FakeClock
from tests.unit.harness.literal_history import scenario
from tests.unit.harness.runs.stage import (
    QUICK_SECONDS,
    SECOND,
    FakeArchive,
    FakeDeployment,
    FakeFault,
    FakeLoad,
    Hurtable,
    SharedClock,
)

OUTER = Step("black_hole", "link", 3.0, 6.0)
FROZEN = Step("frozen", "elasticsearch", 4.0, 3.0)


@pytest.fixture
def shaken(stage):
    """A stage with two targets whose clock can be stood still for."""
    stage.clock = SharedClock()
    stage.load = FakeLoad(stage.log, stage.clock)
    stage.archive = FakeArchive(stage.load, stage.clock)
    targets = {"elasticsearch": stage.target, "link": Hurtable()}
    stage.services = FakeDeployment(stage.log, "services", targets)
    stage.scenario = scenario(OUTER, FROZEN)
    stage.faults = [FakeFault(stage.log), FakeFault(stage.log)]
    return stage


def _on_time(stage):
    """Return by how many seconds each step began and ended later than its file says."""
    found = {
        (fact.step, fact.state): (fact.at_ns - stage.load.began_ns) / SECOND
        for fact in stage.facts(FaultChanged)
    }
    return [
        late
        for number, step in enumerate(stage.scenario.steps)
        for late in (
            found[number, "injecting"] - step.at_seconds,
            found[number, "healing"] - step.at_seconds - step.for_seconds,
        )
    ]


ON_TIME = pytest.approx([0.0] * 4, abs=TICK_SECONDS + 0.01)


def test_a_look_that_takes_ten_seconds_leaves_a_fault_its_three(shaken):
    def evidence(target):
        shaken.clock.stand(10.0)
        return True, "seen too late"

    shaken.faults[1].evidence = evidence

    shaken.run()

    assert _on_time(shaken) == ON_TIME
    proofs = [(fact.landed, fact.proof) for fact in shaken.facts(FaultSeen) if fact.step == 1]
    assert proofs == [(False, "the proof took longer than the fault lasted")]


def test_a_store_that_cannot_be_counted_while_it_is_frozen_delays_no_healing(shaken):
    def count():
        if shaken.target.hurt:
            shaken.clock.stand(1.0)
        return 7

    shaken.archive.count = count

    shaken.run()

    assert _on_time(shaken) == ON_TIME
    counted_ns = [fact.at_ns for fact in shaken.facts(Sample) if fact.name == STORED]
    frozen_ns = shaken.load.began_ns + 4 * SECOND
    assert any(frozen_ns < at_ns < frozen_ns + 3 * SECOND for at_ns in counted_ns)


def test_an_archive_that_is_read_for_ten_seconds_delays_no_healing_and_no_beginning(shaken):
    shaken.first_seen = True
    read = shaken.archive.read

    def slowly(fields=()):
        if shaken.target.hurt:
            shaken.clock.stand(10.0)
        return read(fields)

    shaken.archive.read = slowly
    shaken.archive.count = lambda: 7

    shaken.run()

    assert _on_time(shaken) == ON_TIME
    assert shaken.facts(FirstSeen)


def test_a_store_that_has_just_been_healed_and_answers_late_delays_no_later_fault(shaken):
    """Fresh records are sent once it says what it holds; the next fault begins meanwhile."""
    shaken.scenario = scenario(FROZEN, Step("killed", "link", 7.5, 1.0))
    refresh = shaken.archive.refresh

    def follow(*, from_now=False):
        if from_now and shaken.clock.now_ns() < shaken.load.began_ns + 9 * SECOND:
            shaken.clock.stand(5.0)
        refresh()
        return shaken.archive

    shaken.archive.follow = follow

    shaken.run()

    assert _on_time(shaken) == ON_TIME
    assert [fact.after for fact in shaken.facts(FreshSent)] == [
        "frozen on elasticsearch",
        "killed on link",
        "",
    ]


def test_what_is_refused_or_destroyed_or_came_of_it_in_all_is_asked_without_delaying_a_healing(shaken):
    class Slow(FakeFault):
        deliberation_seconds = 0.0

        def evidence_in_all(self, target):
            shaken.clock.stand(10.0)
            return True, "in all"

        def poisoned(self, target):
            if target.hurt:
                shaken.clock.stand(10.0)
            return [3]

        def destroyed(self, target):
            shaken.clock.stand(10.0)
            return ["a:1"]

    shaken.faults[1] = Slow(shaken.log)

    shaken.run()

    healed_ns = next(
        fact.at_ns for fact in shaken.facts(FaultChanged) if (fact.step, fact.state) == (1, "healed")
    )
    assert _on_time(shaken) == ON_TIME
    assert [fact.place for fact in shaken.facts(Destroyed)] == ["a:1"]
    assert min(fact.at_ns for fact in shaken.facts(Poisoned)) > healed_ns
    assert "in all" not in [fact.proof for fact in shaken.facts(FaultSeen)]
    assert shaken.facts(Broke) == []


def test_an_undo_that_is_slow_to_be_told_is_on_disk_first_and_delays_nothing_around_it(shaken):
    noted: list[str] = []

    class Slow(FakeFault):
        def undo(self, target):
            shaken.clock.stand(4.5)
            return Undo("stop_hurting", {"target": "elasticsearch"})

        @contextmanager
        def inject(self, target, rng):
            noted.extend(entry.step for entry in open_undos(shaken.journals))
            with super().inject(target, rng):
                yield

    shaken.faults[1] = Slow(shaken.log)

    shaken.run()

    began, healed, inner_began, _ = _on_time(shaken)
    assert [began, healed, inner_began] == pytest.approx([0.0] * 3, abs=TICK_SECONDS + 0.01)
    assert noted == ["literal.0", "literal.1"]
    assert open_undos(shaken.journals) == []


def test_a_look_round_that_fails_aside_breaks_the_run_and_takes_every_fault_back(shaken):
    def watch(progress):
        if "black_hole" in progress.fault:
            raise ValueError("a defect of who watches")

    shaken.progress = type("Watching", (), {"append": staticmethod(watch)})()

    shaken.run()

    assert "a defect of who watches" in shaken.facts(Broke)[0].message
    assert not any(target.hurt for target in shaken.services.targets().values())
    assert open_undos(shaken.journals) == []


def test_a_look_round_aside_is_over_before_the_block_is_left():
    clock, log = SharedClock(), []

    def look_round():
        clock.stand(3.0)
        log.append("looked")

    ticker = Ticker(clock, look_round, QUICK_SECONDS)
    with ticker.looking(aside=True):
        ticker.tick()
        ticker.tick()

    assert log == ["looked"]


def test_an_interruption_is_passed_on_although_a_look_round_fails_too():
    clock, log = SharedClock(), []

    def look_round():
        log.append("looked")
        clock.stand(1.0)
        raise ValueError("gone")

    ticker = Ticker(clock, look_round, QUICK_SECONDS)

    def interrupted():
        with ticker.looking(aside=True):
            ticker.tick()
            clock.sleep(1.0)
            raise InterruptedRunError("a signal")

    with pytest.raises(InterruptedRunError):
        interrupted()

    assert log == ["looked"]


def test_ticks_look_round_themselves_where_nothing_is_done_aside():
    log = []
    ticker = Ticker(FakeClock(), lambda: log.append(threading.current_thread()), QUICK_SECONDS)
    with ticker.looking(aside=True):
        ticker.tick()
        with ticker.looking(aside=False):
            ticker.tick()
        ticker.tick()

    here = threading.current_thread()
    assert [thread is here for thread in log] == [False, True, False]
