import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.statistics import excess_odds, quantile, samples_needed


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100)])
def test_a_quantile_is_the_nearest_rank(fraction, expected):
    assert quantile(range(1, 101), fraction) == expected


@given(st.lists(st.floats(0, 1e9), min_size=1), st.floats(0.01, 1.0))
def test_at_least_the_fraction_lies_at_or_below_a_quantile(values, fraction):
    """The definition of the nearest rank, for any sample."""
    bound = quantile(values, fraction)

    assert bound in values
    assert sum(value <= bound for value in values) >= fraction * len(values) - 1e-9


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1])
def test_a_fraction_outside_its_range_is_refused(fraction):
    with pytest.raises(ValueError, match="not in"):
        quantile([1], fraction)


def test_no_sample_has_no_quantile():
    with pytest.raises(ValueError, match="at least one"):
        quantile([], 0.5)


@pytest.mark.parametrize(("fraction", "needed"), [(0.99, 299), (0.95, 59), (0.98, 149)])
def test_sample_sizes_are_those_of_the_order_statistics_bound(fraction, needed):
    assert samples_needed(fraction) == needed


def test_no_excess_is_certain_to_be_reached():
    assert excess_odds(100, 0, 0.01) == 1.0


def test_odds_of_at_least_one_excess_are_the_complement_of_none():
    assert excess_odds(100, 1, 0.01) == pytest.approx(1 - 0.99**100)


def test_many_excesses_are_practically_impossible_when_the_share_is_in_order():
    assert excess_odds(50, 10, 0.01) < 1e-9
