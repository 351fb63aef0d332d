"""Fresh records after each healing and after the drain, and what the runner reads to find what is owed."""

from __future__ import annotations

import pytest

from harness.evidence.following import Following
from harness.evidence.lines import stamp
from harness.model.declarations import Step
from harness.model.errors import StackError
from harness.model.facts import ArchiveRead, Event, FreshLooked, FreshSent, PhaseChanged
from harness.model.protocols import StoredDocument
from harness.runs.fresh_records import FreshRecords
from harness.testing import FakeClock
from tests.unit.harness.literal_history import scenario
from tests.unit.harness.runs.stage import RUN, SECOND, FakeArchive, FakeLoad


class SlowArchive:
    """Holds what is put into it; a reading takes a while and shows what was there when it began."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds
        self.sequences = []
        self.broken = False

    def refresh(self):
        if self.broken:
            raise StackError("connection refused")

    def read(self, fields=()):
        there = list(self.sequences)
        self.clock.sleep(self.seconds)
        return iter([StoredDocument(f"i/{n}", stamp("line", RUN, n)) for n in there])


@pytest.fixture
def clock():
    return FakeClock()


def _fresh(archive, clock):
    facts: list[Event] = []
    load = FakeLoad([], clock)

    def follow(from_now):
        return Following([archive], RUN, from_now=from_now)

    return FreshRecords(load, follow, clock.now_ns, facts.append), facts


def test_a_look_that_began_before_the_limit_is_followed_by_one_after_it(clock):
    archive = SlowArchive(clock, 38.0)
    fresh, facts = _fresh(archive, clock)
    fresh.send(30.0)
    fresh.look()
    archive.sequences = [10, 11]
    waiting = fresh.waiting()
    fresh.look()

    looks = [(fact.began_ns / SECOND, fact.at_ns / SECOND, fact.found) for fact in facts[1:]]
    assert waiting
    assert looks == [(0.0, 38.0, 0), (38.0, 76.0, 2)]
    assert not fresh.waiting()


def test_what_never_comes_is_looked_for_until_a_look_began_at_the_limit(clock):
    fresh, facts = _fresh(SlowArchive(clock, 1.0), clock)
    fresh.send(5.0)
    while fresh.waiting():
        clock.sleep(0.25)
        fresh.look()

    assert facts[-1].found == 0
    assert facts[-1].began_ns >= 5 * SECOND
    assert facts[-2].began_ns < 5 * SECOND


def test_looks_take_at_most_a_tenth_of_the_time_while_the_load_goes_on(clock):
    fresh, facts = _fresh(SlowArchive(clock, 0.5), clock)
    fresh.send(60.0)
    while fresh.waiting():
        clock.sleep(0.25)
        fresh.look_sparingly()

    looked = sum(fact.at_ns - fact.began_ns for fact in facts[1:])
    assert len(facts[1:]) >= 2
    assert looked <= 0.1 * clock.now_ns()


def test_while_the_store_is_down_nobody_can_look_and_the_wave_ends_all_the_same(clock):
    archive = SlowArchive(clock, 0.0)
    archive.broken = True
    fresh, facts = _fresh(archive, clock)
    fresh.send(5.0)
    while fresh.waiting():
        clock.sleep(0.25)
        fresh.look_sparingly()

    assert [type(fact) for fact in facts] == [FreshSent]


OUTER, NESTED, LATER = (
    Step("killed", "elasticsearch", 2.0, 4.0),
    Step("killed", "elasticsearch", 3.0, 1.0),
    Step("killed", "elasticsearch", 7.0, 1.0),
)


def test_a_wave_is_sent_after_each_fault_that_lies_within_no_other(stage):
    stage.scenario = scenario(OUTER, NESTED, LATER)
    stage.run()

    waves = [(round(fact.at_ns / SECOND), fact.after) for fact in stage.facts(FreshSent)]
    began = stage.load.began_ns / SECOND
    assert stage.scenario.healings == 2
    assert [after for _, after in waves] == ["killed on elasticsearch", "killed on elasticsearch", ""]
    assert [at - round(began) for at, _ in waves[:2]] == [6, 8]


def test_a_scenario_without_a_fault_has_no_healing(stage):
    assert scenario().healings == 0


def test_records_are_looked_for_while_the_load_goes_on(stage):
    stage.run()

    drain_ns = next(fact.at_ns for fact in stage.facts(PhaseChanged) if fact.phase == "drain")
    after_healing = [fact for fact in stage.facts(FreshLooked) if fact.first == 10]
    assert after_healing[-1].found == 2
    assert after_healing[-1].at_ns < drain_ns


class Counting(FakeArchive):
    """Counts how often it is read; `takes_back` is gone once the load has finished."""

    def __init__(self, stage, takes_back=None):
        super().__init__(stage.load, stage.clock)
        self._stage, self._takes_back = stage, takes_back
        self.readings = 0

    def count(self):
        return len(self._load.owed())

    def read(self, fields=()):
        if fields:
            self.readings += 1
        gone = self._takes_back if "load finishes" in self._stage.log else None
        return (document for document in super().read(fields) if document.copy != gone)

    def follow(self, *, from_now=False):
        return self


def test_an_archive_with_as_many_copies_as_debts_is_read_whole_once(stage):
    stage.archive = Counting(stage)
    stage.order_by = ("number",)
    stage.run()

    assert stage.archive.readings == 1
    assert [fact.copies for fact in stage.facts(ArchiveRead)] == [14]


def test_a_copy_that_was_seen_and_then_deleted_is_missing_from_the_reading_that_is_judged(stage):
    stage.archive = Counting(stage, takes_back="i/4")
    stage.order_by = ("number",)
    stage.run()

    began = {fact.phase: fact.at_ns / SECOND for fact in stage.facts(PhaseChanged)}
    assert [fact.copies for fact in stage.facts(ArchiveRead)] == [13]
    assert began["stop"] - began["read back"] >= stage.scenario.drain_seconds
