"""Bursts come at moments that only the seed knows, at the rate that is asked for, and nothing else does."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from harness.load.schedules.bursts import Bursts
from harness.model.errors import ScenarioError
from harness.model.nanoseconds import SECOND_NS


def test_bursts_of_twenty_times_the_rate_come_irregularly_and_never_last_longer_than_asked():
    offsets = Bursts(50, 20, 3, 20).offsets_ns(300, Random(7))
    tenths = Counter(offset * 10 // SECOND_NS for offset in offsets)
    high = [tenth for tenth in range(3_000) if tenths[tenth] > 50]
    begins = [tenth for tenth in high if tenth - 1 not in high]
    lengths = [next(later for later in range(begin, 3_000) if later not in high) - begin for begin in begins]
    pauses = {after - before for before, after in pairwise(begins)}

    assert list(offsets) == sorted(offsets)
    assert 9 <= len(begins) <= 28
    assert min(begins) >= 100
    assert max(lengths) <= 32
    assert len(pauses) > len(begins) / 2
    assert max(tenths.values()) <= 102


def test_the_same_seed_gives_the_same_bursts():
    assert Bursts().offsets_ns(60, Random(3)) == Bursts().offsets_ns(60, Random(3))
    assert Bursts().offsets_ns(60, Random(3)) != Bursts().offsets_ns(60, Random(4))


@pytest.mark.parametrize(
    ("arguments", "seconds", "told"),
    [
        ({"times": 1}, 60, "times 1 must be above 1"),
        ({"rate_per_second": 5_000, "times": 20}, 60, "rate_per_second * times 100000 is not in"),
        ({"pause_seconds": 0}, 60, "pause_seconds 0 is not in"),
        ({"pause_seconds": 50}, 20, "raise sending_seconds, or lower pause_seconds"),
    ],
)
def test_what_are_no_bursts_is_refused_with_a_remedy(arguments, seconds, told):
    with pytest.raises(ScenarioError) as caught:
        Bursts(**arguments).offsets_ns(seconds, Random(1))
    assert told in str(caught.value)
