"""Properties of schedules: how many records are due, when, and in which order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.schedules.ramp import Ramp
from harness.load.schedules.soak import Soak
from harness.load.schedules.spike import Spike
from harness.load.schedules.steady import Steady
from harness.load.schedules.step import Step
from harness.model.errors import ScenarioError

SECOND = 1_000_000_000

tenths = st.integers(1, 50).map(lambda tenths: tenths / 10)


@given(rate=st.floats(1, 500), seconds=st.floats(0.1, 20), seed=st.integers(0, 100))
def test_a_steady_rate_puts_one_record_into_each_interval(rate, seconds, seed):
    """The n-th record is due within the n-th interval of 1 / rate, so the rate holds over any stretch."""
    offsets = Steady(rate).offsets_ns(seconds, Random(seed))

    assert len(offsets) == int(seconds * rate)
    assert all(int(offset * rate / SECOND + 1e-6) - index in {0, 1} for index, offset in enumerate(offsets))
    assert list(offsets) == sorted(offsets)


@given(
    rate=st.integers(1, 100),
    times=st.integers(2, 20),
    at=tenths,
    lasting=tenths,
    after=tenths,
    seed=st.integers(0, 100),
)
def test_a_spike_multiplies_the_rate_within_its_seconds_only(rate, times, at, lasting, after, seed):
    """Before and after the spike the base rate holds, in it `times` as much; due times ascend."""
    seconds = at + lasting + after
    offsets = Spike(rate, times, at, lasting).offsets_ns(seconds, Random(seed))
    in_spike = [offset for offset in offsets if at * SECOND <= offset < (at + lasting) * SECOND]

    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < seconds * SECOND for offset in offsets)
    assert abs(len(in_spike) - rate * times * lasting) <= 2
    assert abs(len(offsets) - len(in_spike) - rate * (at + after)) <= 3


@given(seed=st.integers(0, 1000))
def test_the_same_seed_gives_the_same_schedule(seed):
    assert Spike().offsets_ns(10, Random(seed)) == Spike().offsets_ns(10, Random(seed))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"times": 1.0}, "more than the base rate"),
        ({"rate_per_second": 0.0}, "rate_per_second"),
        ({"rate_per_second": 1000.0, "times": 21.0}, "more than the application can send"),
        ({"at_seconds": 0.0}, "at_seconds"),
        ({"for_seconds": -1.0}, "for_seconds"),
    ],
)
def test_what_is_no_spike_is_refused(arguments, said):
    with pytest.raises(ScenarioError, match=said):
        Spike(**arguments)


def test_a_spike_that_outlasts_the_sending_is_refused():
    with pytest.raises(ScenarioError, match="raise sending_seconds"):
        Spike(at_seconds=5, for_seconds=3).offsets_ns(8.0, Random(1))


rates = st.integers(1, 300)


@given(low=rates, high=rates, seconds=st.integers(2, 20), seed=st.integers(0, 50))
def test_a_ramp_makes_as_many_records_as_its_mean_rate_and_more_where_it_is_higher(low, high, seconds, seed):
    offsets = Ramp(low, high).offsets_ns(float(seconds), Random(seed))
    middle = seconds * SECOND / 2
    first = sum(offset < middle for offset in offsets)

    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < seconds * SECOND for offset in offsets)
    assert abs(len(offsets) - (low + high) / 2 * seconds) <= 1
    assert abs(first - (low + (high - low) / 4) * seconds / 2) <= 2


@given(first=rates, by=rates, every=tenths, steps=st.integers(1, 6), seed=st.integers(0, 50))
def test_each_step_holds_a_rate_that_is_higher_by_as_much(first, by, every, steps, seed):
    offsets = Step(first, by, every).offsets_ns(every * steps, Random(seed))

    assert list(offsets) == sorted(offsets)
    for step in range(steps):
        begin, end = step * every * SECOND, (step + 1) * every * SECOND
        inside = sum(begin <= offset < end for offset in offsets)
        assert abs(inside - (first + step * by) * every) <= 2


@given(rate=rates, rise=tenths, long=st.integers(2, 30), seed=st.integers(0, 50))
def test_a_soak_holds_its_rate_between_a_rise_and_a_fall(rate, rise, long, seed):
    seconds = 2 * rise + long
    offsets = Soak(rate, rise).offsets_ns(seconds, Random(seed))
    held = sum(rise * SECOND <= offset < (rise + long) * SECOND for offset in offsets)

    assert list(offsets) == sorted(offsets)
    assert abs(held - rate * long) <= 2
    assert abs(len(offsets) - rate * (long + rise)) <= 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Ramp(0.0, 10.0), "rate_per_second 0 is not in 0 to 20,000"),
        (lambda: Ramp(1.0, 30_000.0), "to_per_second 30000"),
        (lambda: Step(every_seconds=0.0), "every_seconds 0 is not in 0"),
        (lambda: Step(10_000.0, 10_000.0, 1.0).offsets_ns(3.0, Random(1)), "the rate of step 3: 30000"),
        (lambda: Soak(rise_seconds=5.0).offsets_ns(10.0, Random(1)), "takes 10 s, but sending ends at 10 s"),
    ],
)
def test_a_rate_that_nobody_can_send_is_refused(make, said):
    with pytest.raises(ScenarioError, match=said):
        make()
