"""What the runner notes beside the story: what was found, counted and measured."""

from __future__ import annotations

from typing import ClassVar

from harness.evidence.lines import stamp
from harness.judging.checker import NeedsFirstSeen
from harness.judging.timeline import Timeline, timeline
from harness.model.errors import StackError
from harness.model.facts import (
    EXIT_SECONDS,
    MEMORY_MIB,
    ArchiveRead,
    Broke,
    CounterRead,
    DeadLettered,
    DeadLettersRead,
    Due,
    FirstSeen,
    Found,
    FreshLooked,
    FreshSent,
    PhaseChanged,
    Sample,
    SeenElsewhere,
)
from harness.model.protocols import Status, StoredDocument, Verdict
from tests.unit.harness.runs.stage import RUN, SECOND, FakeArchive, FakeCounters, FakeLetters


def test_everything_found_is_recorded_and_the_reading_is_noted(stage):
    stage.run()

    assert sorted(fact.sequence for fact in stage.facts(Found)) == list(range(14))
    assert [fact.copies for fact in stage.facts(ArchiveRead)] == [14]
    assert [(fact.first, fact.last, bool(fact.after)) for fact in stage.facts(FreshSent)] == [
        (10, 11, True),
        (12, 13, False),
    ]
    assert {fact.first for fact in stage.facts(FreshLooked) if fact.found == 2} == {10, 12}
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


class SeenInTime:
    """Every record is seen in the archive in time after sending began: a check that somebody may write."""

    objective: ClassVar[str] = "seen_in_time"
    dimension: ClassVar[str] = "delivery"
    needs_first_seen: ClassVar[bool] = True

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds

    def check(self, timeline: Timeline) -> Verdict:
        seen_ns = [each.first_seen_ns for each in timeline.entries.values() if each.first_seen_ns is not None]
        late = sum(at_ns - timeline.began_ns > self._limit_seconds * SECOND for at_ns in seen_ns)
        status = Status.FAIL if late else Status.PASS if seen_ns else Status.INCONCLUSIVE
        return Verdict(self.objective, self.dimension, status, f"{late} records were seen late")


def test_the_archive_is_not_polled_unless_a_check_asks_for_it(stage):
    stage.run()

    assert stage.facts(FirstSeen) == []
    assert SeenInTime(60.0).check(timeline(stage.facts(object))).status is Status.INCONCLUSIVE


def test_every_record_has_a_time_at_which_it_was_first_seen(stage):
    stage.first_seen = True
    stage.run()

    seen = [n for fact in stage.facts(FirstSeen) for n in range(fact.first, fact.last + 1)]
    assert sorted(seen) == list(range(14))


def test_a_check_that_asks_for_it_judges_by_the_times(stage):
    stage.first_seen = True
    stage.run()

    assert isinstance(SeenInTime(60.0), NeedsFirstSeen)
    # What is due is the oracle's fact, and there is none on this stage.
    due = [Due(sequence, SECOND, 0, "") for sequence in range(14)]
    seen = timeline([*due, *stage.facts(object)])
    assert SeenInTime(60.0).check(seen).status is Status.PASS
    assert SeenInTime(1.0).check(seen).status is Status.FAIL


def test_while_the_archive_is_down_nothing_is_seen_and_afterwards_all(stage):
    stage.first_seen = True
    stage.archive.unreadable_until_ns = 8 * SECOND
    stage.run()

    times = [fact.at_ns for fact in stage.facts(FirstSeen)]
    assert min(times) >= 8 * SECOND
    assert stage.facts(Broke) == []


class Beside(FakeArchive):
    """An archive that lacks a record, which lies in a neighbour beside records of other runs."""

    def neighbours(self):
        lines = [stamp("line 4", RUN, 4), stamp("line 5", "run-02", 5), stamp("line 3", RUN, 3)]
        documents = [StoredDocument(f"j/{at}", line) for at, line in enumerate(lines)]
        return [
            ("the index beside", FakeArchive(self._load, self._clock, missing=range(99), extra=documents))
        ]


def test_a_missing_record_is_looked_for_beside_the_archive(stage):
    stage.archive = Beside(stage.load, stage.clock, missing={4, 7})
    stage.run()

    assert [(fact.sequence, fact.place) for fact in stage.facts(SeenElsewhere)] == [(4, "the index beside")]


def test_where_nothing_is_missing_nobody_looks_beside_the_archive(stage):
    stage.archive = Beside(stage.load, stage.clock)
    stage.run()

    assert stage.facts(SeenElsewhere) == []
