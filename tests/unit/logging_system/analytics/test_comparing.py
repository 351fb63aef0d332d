from __future__ import annotations

import random

import pytest

from logging_system.analytics.comparing import PARTS, change_of, dispersion_of, share_change, sides
from logging_system.analytics.windows import Window
from tests.unit.logging_system.analytics.test_windows import NOW


def test_a_rate_that_doubles_for_long_is_a_change_with_its_interval() -> None:
    found = change_of("errors", [10] * 20, [20] * 20, 1200.0, 1200.0)

    assert found.ratio == 2.0
    assert found.is_change
    assert found.high is not None
    assert found.low < 2.0 < found.high


def test_windows_of_different_length_are_compared_by_rate() -> None:
    found = change_of("errors", [30] * 20, [10] * 20, 3600.0, 1200.0)

    assert found.ratio == pytest.approx(1.0)
    assert not found.is_change


def test_one_burst_is_no_change_where_bursts_are_usual() -> None:
    before, after = [0] * 15 + [40] * 5, [0] * 12 + [45] * 8

    assert dispersion_of(before, after) > 10
    assert not change_of("errors", before, after, 600.0, 600.0).is_change
    assert change_of("errors", [10] * 20, [18] * 20, 600.0, 600.0).is_change


def test_what_did_not_come_before_is_a_change_only_where_it_comes_often() -> None:
    none = [0] * 20

    assert not change_of("errors", none, [1] + [0] * 19, 600.0, 600.0).is_change
    often = change_of("errors", none, [2] * 20, 600.0, 600.0)
    assert often.is_change
    assert often.ratio is None


def test_none_on_both_sides_is_no_change() -> None:
    found = change_of("errors", [0] * 20, [0] * 20, 600.0, 600.0)

    assert (found.is_change, found.high) == (False, None)


def test_a_burst_of_records_with_the_same_share_of_errors_is_no_change_of_the_share() -> None:
    every, errors = [[100] * 20, [100] * 10 + [1000] * 10], [[5] * 20, [5] * 10 + [50] * 10]

    found = share_change(every, errors)

    assert found.ratio == pytest.approx(1.0)
    assert not found.is_change
    assert share_change([[100] * 20] * 2, [[5] * 20, [15] * 20]).is_change
    assert share_change([[0] * 20] * 2, [[0] * 20] * 2).high is None


@pytest.mark.parametrize("burst", [1, 8])
def test_noise_is_called_a_change_in_about_one_of_a_hundred_comparisons(burst: int) -> None:
    """The interval holds what it promises, for single events and for events that come in bursts of eight."""
    rng = random.Random(7)

    def counts() -> list[int]:
        parts = [0] * PARTS
        for _ in range(4000 // burst):
            if rng.random() < 0.1:
                parts[rng.randrange(PARTS)] += burst
        return parts

    wrong = sum(change_of("errors", counts(), counts(), 600.0, 600.0).is_change for _ in range(400))

    assert wrong <= 16


def test_the_sides_of_a_moment_do_not_overlap_and_end_now() -> None:
    moment = NOW.replace(hour=11, minute=40)

    before, after = sides(moment, NOW, 3600.0)

    assert (before, after) == (Window(moment.replace(hour=10), moment), Window(moment, NOW))
    with pytest.raises(ValueError, match="is not past"):
        sides(NOW, NOW, 3600.0)
