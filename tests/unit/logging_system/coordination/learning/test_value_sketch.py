"""Quantiles in bounded memory, right within the bucket's width, whatever the order."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.coordination.learning.value_sketch import ValueSketch

_VALUES = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-12, 1e300, -1e300, 5e-324, 7.0])), max_size=60
)


def of(values: list[float]) -> ValueSketch:
    sketch = ValueSketch()
    for value in values:
        sketch.add(value)
    return sketch


def known(sketch: ValueSketch) -> str:
    return json.dumps(sketch.content())


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99])
def test_a_quantile_is_within_five_percent_while_numbers_are_near_each_other(share: float) -> None:
    drawn = random.Random(1)
    values = sorted(drawn.uniform(20, 300) for _ in range(10_000))

    exact = values[math.ceil(share * len(values)) - 1]

    assert of(values).quantile(share) == pytest.approx(exact, rel=0.05)


def test_a_quantile_of_numbers_far_from_each_other_is_within_their_bucket() -> None:
    """Four halvings: a bucket's ends are a factor of 1.1 ** 16 apart, its middle within 65 % of each."""
    drawn = random.Random(2)
    values = sorted(10 ** drawn.uniform(-9, 9) for _ in range(2_000))

    assert of(values).quantile(0.5) == pytest.approx(values[999], rel=0.65)


def test_negative_numbers_nought_and_positive_ones_are_in_order() -> None:
    sketch = of([-9.0, -1.0, 0.0, 1.0, 9.0])

    found = [sketch.quantile(share) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]

    assert found == pytest.approx([-9, -1, 0, 1, 9], rel=0.05)


def test_what_is_no_finite_number_is_not_counted() -> None:
    sketch = of([math.nan, math.inf, -math.inf])

    assert sketch.count == 0
    assert math.isnan(sketch.quantile(0.5))


@settings(max_examples=50)
@given(_VALUES, _VALUES)
def test_two_parts_give_the_same_as_the_whole_in_every_order(one: list[float], two: list[float]) -> None:
    ab, ba = of(one), of(two)
    ab.add_all(of(two))
    ba.add_all(of(one))

    assert known(ab) == known(ba) == known(of(one + two)) == known(of([*reversed(two), *reversed(one)]))


@settings(max_examples=50)
@given(_VALUES)
def test_memory_is_bounded_and_a_restart_loses_nothing(values: list[float]) -> None:
    sketch = of(values)

    assert len(sketch.content()["positive"]) <= sketch.buckets_max
    assert len(sketch.content()["negative"]) <= sketch.buckets_max
    assert known(ValueSketch.restored(json.loads(known(sketch)))) == known(sketch)


def test_what_faded_weighs_less() -> None:
    sketch = of([10.0] * 100)
    sketch.fade(0.1)
    for _ in range(30):
        sketch.add(1_000.0)

    assert sketch.count == pytest.approx(40)
    assert sketch.quantile(0.5) == pytest.approx(1_000, rel=0.05)
