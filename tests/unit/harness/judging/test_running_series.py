"""The live seconds are those that the report draws at the end, in whatever order facts come in."""

from math import inf
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harness.judging.running_series import RunningSeries
from harness.judging.series import series
from harness.judging.timeline import timeline
from harness.model.facts import STORED, Answered, Due, Found, Refused, Sample, Withheld
from tests.unit.harness.literal_history import at, fault, life, phases, without

LIVES = st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 5_000)), max_size=40)


def _facts(lives):
    facts = [*phases(), *(Sample(at(second + 0.9), STORED, second * 3) for second in (0, 1, 2, 4, 7, 8))]
    for sequence, (due, call_ms) in enumerate(lives):
        facts += [each for each in life(sequence, due, call_ms) if not isinstance(each, Found)]
    return facts


@given(LIVES, st.integers(0, 1_000), st.integers(1, 10))
def test_the_live_seconds_are_those_of_the_report(lives, seed, readings):
    facts = _facts(lives)
    whole = series(timeline(facts))
    rng, live = Random(seed), RunningSeries()
    rng.shuffle(facts)
    for first in range(readings):
        live.add(facts[first::readings])

    rows = live.seconds(at(14.0))

    assert [row.due for row in rows[:9]] == [row.due for row in whole[:9]]
    assert [row.answered for row in rows[:9]] == [row.answered for row in whole[:9]]
    assert [row.acknowledged for row in rows[:9]] == [row.acknowledged for row in whole[:9]]
    assert [(row.stored, row.backlog) for row in rows] == [(row.stored, row.backlog) for row in whole[:14]]
    assert [row.response_p99_ms for row in rows[:9]] == [row.response_p99_ms for row in whole[:9]]
    assert [row.response_p50_ms for row in rows[:9]] == [row.response_p50_ms for row in whole[:9]]
    assert live.seconds(at(14.0)) == rows


def test_a_call_that_has_not_returned_has_taken_until_now():
    live = RunningSeries()
    live.add(without([*phases(), *life(0, 0.5)], Answered, 0))

    assert live.seconds(at(3.5))[0].response_p99_ms == 3_000
    assert live.seconds(at(20.0))[0].response_p99_ms == 19_500

    live.add([Answered(0, at(4.5))])
    assert live.seconds(at(20.0))[0].response_p99_ms == 4_000


def test_nothing_is_shown_before_sending_begins_and_nothing_is_forgotten_until_then():
    live = RunningSeries()
    live.add([Sample(at(0.5), STORED, 3)])

    assert live.seconds(at(5)) == []

    live.add(phases())
    assert live.seconds(at(5))[0].stored == 3


def test_a_fault_is_a_band_without_an_end_until_it_is_healed():
    facts = fault()
    live = RunningSeries()
    live.add(
        [*phases(), *(each for each in facts if getattr(each, "state", "") not in {"healing", "healed"})]
    )
    (open_band,) = live.bands.values()
    live.add([each for each in facts if getattr(each, "state", "") == "healed"])
    (band,) = live.bands.values()

    assert (open_band.from_seconds, open_band.to_seconds, open_band.landed) == (4.0, inf, True)
    assert band.to_seconds == 6.0


def test_refusals_and_what_was_kept_back_are_counted():
    live = RunningSeries()
    live.add([*phases(), Withheld(5, at(1)), Withheld(6, at(1)), Due(6, at(1), 0, "x"), Refused(6, at(1.2))])

    assert (live.due, live.refused, live.withheld) == (1, 1, {5})
