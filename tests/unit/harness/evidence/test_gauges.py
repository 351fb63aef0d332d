"""In which order a round of readings is taken, which judgement relies on."""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from harness.evidence.counters.json_file import JsonFileCounters
from harness.evidence.sampling import Gauges, NamedCounters
from harness.model.facts import CounterRead, Sample


class Counting:
    """A stack's counters, and links over which an answer comes each time that the counters are read."""

    def __init__(self):
        self.answers = 0

    def read(self, keys):
        self.answers += 1
        return dict.fromkeys(keys, 5.0)

    def traffic(self):
        return [Sample(8, "answers.to_store", self.answers)]


def test_links_are_read_after_the_counters_so_that_an_answer_that_came_before_them_is_counted():
    stack = Counting()
    gauges = Gauges((stack,), NamedCounters(stack, {"delivered": ("ok",)}))

    assert list(gauges.read(lambda: 7)) == [
        CounterRead(7, "delivered", 5.0),
        Sample(8, "answers.to_store", 1),
    ]


def test_links_are_read_about_once_a_second():
    gauges = Gauges((Counting(),), None)

    rounds = [len(list(gauges.read(partial(int, at_ns)))) for at_ns in (0, 999_999_999, 1_000_000_000)]

    assert rounds == [1, 0, 1]


def test_a_counter_in_a_file_is_as_old_as_the_newest_file_that_has_it(tmp_path):
    for number, age_seconds in enumerate((5, 60)):
        file = tmp_path / f"status-{number}.json"
        file.write_text('{"in": 10}')
        os.utime(file, times=(time.time() - age_seconds,) * 2)
    (tmp_path / "status-other.json").write_text('{"out": 3}')
    counters = NamedCounters(JsonFileCounters(str(tmp_path / "status-*.json")), {"accepted": ("in",)})

    (fact,) = Gauges((), counters).counter_facts(lambda: 100_000_000_000)

    assert (fact.name, fact.value) == ("accepted", 20)
    assert fact.written_ns == pytest.approx(95_000_000_000, abs=4_000_000_000)


def test_a_counter_of_several_keys_is_as_old_as_the_oldest_of_them(tmp_path):
    for name, age_seconds in (("in", 5), ("more", 60)):
        file = tmp_path / f"{name}.json"
        file.write_text(f'{{"{name}": 10}}')
        os.utime(file, times=(time.time() - age_seconds,) * 2)
    counters = NamedCounters(JsonFileCounters(str(tmp_path / "*.json")), {"accepted": ("in", "more")})

    (fact,) = Gauges((), counters).counter_facts(lambda: 100_000_000_000)

    assert fact.written_ns == pytest.approx(40_000_000_000, abs=4_000_000_000)


def test_of_counters_that_are_counted_when_they_are_asked_for_nobody_can_tell_the_age():
    (fact,) = Gauges((), NamedCounters(Counting(), {"delivered": ("ok",)})).counter_facts(lambda: 7)

    assert fact == CounterRead(7, "delivered", 5.0)


def test_a_counter_that_was_waited_for_is_of_the_moment_at_which_its_answer_was_there():
    """A frozen process answers once it goes on, and counts what it has done since."""
    clock = iter((7, 9))

    counters = NamedCounters(Counting(), {"delivered": ("ok",)})

    assert list(Gauges((), counters).read(lambda: next(clock))) == [CounterRead(9, "delivered", 5.0)]
