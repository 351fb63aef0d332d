"""In which order a round of readings is taken, which judgement relies on."""

from __future__ import annotations

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

    assert list(gauges.read(7)) == [CounterRead(7, "delivered", 5.0), Sample(8, "answers.to_store", 1)]


def test_links_are_read_about_once_a_second():
    gauges = Gauges((Counting(),), None)

    rounds = [len(list(gauges.read(at_ns))) for at_ns in (0, 999_999_999, 1_000_000_000)]

    assert rounds == [1, 0, 1]
