"""Which records have a shape of their own is planned: floods at their moments, and new errors among them."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.shaped_lines import NEVER_LOGGED, ORDINARY, UNIQUE, USUAL_ERROR
from harness.load.schedules.template_flood import TemplateFlood
from harness.model.errors import ScenarioError
from harness.model.protocols import Levelled, Shaped

SECOND = 1_000_000_000


def planned(schedule, seconds, seed=1):
    """Return moment, level and shape of each record."""
    offsets = schedule.offsets_ns(seconds, Random(seed))
    moments = [offset / SECOND for offset in offsets]
    return list(zip(moments, schedule.levels(offsets), schedule.shapes(offsets), strict=True))


def test_it_says_levels_and_shapes():
    assert isinstance(TemplateFlood(), Levelled)
    assert isinstance(TemplateFlood(), Shaped)


@given(times=st.integers(1, 3), errors=st.integers(1, 20), seed=st.integers(0, 99))
def test_each_flood_is_in_its_seconds_and_the_new_errors_are_where_they_are_planned(times, errors, seed):
    schedule = TemplateFlood(
        40, 200, at_seconds=3, for_seconds=2, times=times, every_seconds=5, errors=errors,
        errors_at_seconds=4, errors_for_seconds=1.5,
    )  # fmt: skip
    records = planned(schedule, 25.0, seed)
    floods = [(3 + 5 * number, 5 + 5 * number) for number in range(times)]
    new = [moment for moment, _, shape in records if shape == NEVER_LOGGED]
    unique = [moment for moment, _, shape in records if shape == UNIQUE]

    assert len(new) == errors
    # Each is the next record that is due: within two intervals.
    assert new[0] >= 4
    assert new[-1] <= 5.5 + 2 / 40
    assert all(any(begin <= moment < end for begin, end in floods) for moment in unique)
    assert abs(len(unique) + errors - times * 400) <= 2 * times + errors
    assert all(before < after for before, after in pairwise(moment for moment, *_ in records))


def test_a_tenth_of_all_records_are_errors_in_a_flood_as_ever():
    schedule = TemplateFlood(errors=1, errors_at_seconds=1, errors_for_seconds=1)
    records = planned(schedule, 90.0)
    shares = {
        of: sum(level == "E" for level in levels) / len(levels)
        for of, levels in {
            "flood": [level for _, level, shape in records if shape == UNIQUE],
            "ever": [level for _, level, shape in records if shape in (ORDINARY, USUAL_ERROR)],
        }.items()
    }

    assert shares == pytest.approx({"flood": 0.1, "ever": 0.1}, abs=0.005)
    assert {shape for _, level, shape in records if level == "I"} == {ORDINARY, UNIQUE}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"flood_per_second": 50}, "must be above rate_per_second 50"),
        ({"times": 0}, "times 0 is not in 1 to"),
        ({"every_seconds": 5}, "a flood ends before the next one begins"),
        ({"errors": 101}, "not in 1 to 100, half of the records"),
        ({"rate_per_second": 0}, "rate_per_second 0 is not in 0 to"),
        ({"for_seconds": -1}, "for_seconds -1 is not in 0 to"),
    ],
)
def test_what_is_no_flood_is_refused(arguments, said):
    with pytest.raises(ScenarioError, match=said):
        TemplateFlood(**arguments)


def test_a_flood_that_ends_after_sending_is_refused():
    with pytest.raises(ScenarioError, match=r"ends at 82 s, but sending ends at 80 s"):
        TemplateFlood().offsets_ns(80, Random(1))
