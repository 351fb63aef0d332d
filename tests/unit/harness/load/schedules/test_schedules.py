"""Properties of schedules: how many records are due, when, and in which order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.schedules.spike import Spike
from harness.load.schedules.steady import Steady
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
