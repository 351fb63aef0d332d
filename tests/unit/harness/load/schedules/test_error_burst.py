"""Which records are errors is planned: a few all the time, and bursts at their moments."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.schedules.error_burst import ErrorBurst
from harness.model.errors import ScenarioError
from harness.model.protocols import Levelled

SECOND = 1_000_000_000


def error_seconds(schedule, seconds, seed=1):
    offsets = schedule.offsets_ns(seconds, Random(seed))
    levels = schedule.levels(offsets)
    assert len(levels) == len(offsets)
    assert set(levels) <= {"I", "E"}
    return [offset / SECOND for offset, level in zip(offsets, levels, strict=True) if level == "E"]


def test_it_says_levels():
    assert isinstance(ErrorBurst(), Levelled)


@given(
    rate=st.integers(20, 300),
    errors=st.integers(1, 10),
    times=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_each_burst_has_its_errors_in_its_seconds_and_a_few_are_between(rate, errors, times, seed):
    schedule = ErrorBurst(rate, 0.5, errors, at_seconds=3.0, for_seconds=1.0, times=times, every_seconds=5.0)
    found = error_seconds(schedule, 20.0, seed)

    # Each is the first record due at its planned moment or after it: within two intervals.
    late = 2 / rate
    for burst in range(times):
        begin = 3.0 + burst * 5.0
        within = [moment for moment in found if begin <= moment < begin + 1.0 + late]
        # Between bursts there is one each two seconds.
        assert errors <= len(within) <= errors + 1
    assert abs(len(found) - times * errors - 10) <= 1


def test_without_bursts_there_are_the_few_errors_alone():
    found = error_seconds(ErrorBurst(100, 0.5, times=0), 10.0)

    assert [round(moment) for moment in found] == [1, 3, 5, 7]


def test_the_same_records_have_the_same_levels_whatever_the_seed_of_another_run():
    schedule = ErrorBurst()
    offsets = schedule.offsets_ns(10, Random(3))

    assert schedule.levels(offsets) == ErrorBurst().levels(offsets)


def test_no_record_has_no_level():
    assert ErrorBurst().levels([]) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"rate_per_second": 0}, "rate_per_second 0 is not in 0 to 20,000"),
        ({"errors_per_second": 101}, "errors_per_second 101 is not in 0 to 100"),
        ({"at_seconds": 0}, "at_seconds 0 is not in"),
        ({"times": -1}, "times -1 is not in 0 to 1,000"),
        ({"errors": 101}, "errors 101 in 1 s are not in 1 to 100"),
        ({"every_seconds": 0.5}, "every_seconds 0.5 is less than for_seconds 1"),
    ],
)
def test_what_cannot_be_sent_is_refused(arguments, said):
    with pytest.raises(ScenarioError, match=said):
        ErrorBurst(**arguments)


def test_bursts_that_do_not_end_before_sending_does_are_refused():
    with pytest.raises(
        ScenarioError, match="the schedule's last burst ends at 15 s, but sending ends at 15 s"
    ):
        ErrorBurst(times=2).offsets_ns(15, Random(1))
