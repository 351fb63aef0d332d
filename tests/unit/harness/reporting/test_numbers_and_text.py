from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging.points import apportioned, hundredths
from harness.model.protocols import Status, Verdict
from harness.model.result import DimensionScore, ObjectiveScore, Score
from harness.reporting.escaping import clipped, markup, visible
from harness.reporting.numbers import milliseconds, number, quantity
from harness.reporting.scorecard_words import measured, points_groups

STATUSES = st.sampled_from([Status.PASS, Status.WARN, Status.FAIL, Status.INCONCLUSIVE])
POINTS = {Status.PASS: (1.0, 1.0), Status.WARN: (0.5, 0.5), Status.FAIL: (0.0, 0.0)}


@given(st.lists(st.floats(0, 100), max_size=12))
def test_apportioned_parts_sum_to_the_total_and_are_each_within_a_hundredth(parts: list[float]) -> None:
    total = hundredths(sum(parts))
    shown = apportioned(parts, total)

    assert sum(shown) == total
    assert all(abs(one - part * 100) <= 1.001 for one, part in zip(shown, parts, strict=True))


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.lists(STATUSES, min_size=1, max_size=4)), min_size=1, max_size=7
    )
)
def test_every_printed_column_sums_and_a_decided_row_shows_one_number(
    plan: list[tuple[int, list[Status]]],
) -> None:
    scale = 100 / sum(weight for weight, _ in plan)
    dimensions = []
    for place, (weight, statuses) in enumerate(plan):
        share = weight * scale / len(statuses)
        rows = []
        for status in statuses:
            low, high = POINTS.get(status, (0.0, 1.0))
            rows.append(ObjectiveScore(f"{place}.{status}", status, share, share * low, share * high))
        low, high = sum(row.low for row in rows), sum(row.high for row in rows)
        dimensions.append(DimensionScore(str(place), weight * scale, low, high, tuple(rows)))
    low, high = (round(sum(getattr(one, end) for one in dimensions), 6) for end in ("low", "high"))
    groups = points_groups(Score(low, high, 1.0, tuple(dimensions), (), ()))

    assert sum(group.dimension.low for group in groups) == hundredths(low)
    assert sum(group.dimension.high for group in groups) == hundredths(high)
    assert sum(group.dimension.weight for group in groups) == 10_000
    for group in groups:
        for column in ("weight", "low", "high"):
            assert sum(getattr(row, column) for row in group.objectives) == getattr(group.dimension, column)
        for row in group.objectives:
            assert row.low <= row.high <= row.weight
            assert (row.low == row.high) == (row.status in POINTS)
            assert (row.low == row.weight) == (row.status is Status.PASS)


def test_a_score_just_below_the_bar_is_not_rounded_up_to_it() -> None:
    assert hundredths(97.9999) == 9799
    assert hundredths(98.0 - 1e-12) == 9800


def test_parts_that_contradict_the_total_are_not_bent_to_fit() -> None:
    assert apportioned([10.0, 20.0], 9000) == (1000, 2000)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0004, "ms", "0.4 µs"),
        (12.44, "ms", "12.4 ms"),
        (4480, "ms", "4.48 s"),
        (0.84, "s", "840 ms"),
        (131.4, "s", "2 min 11 s"),
        (8020, "records", "8,020 records"),
        (1, "copies", "1 copy"),
        (0.125, "ratio", "12.5 %"),
        (3 * 2**20, "bytes", "3 MiB"),
        (float("inf"), "s", "∞ ms"),
        (0, "", "0"),
    ],
)
def test_quantities_read_as_people_write_them(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_numbers_keep_three_significant_digits() -> None:
    assert [number(value) for value in (0.12345, 12.345, 1234.5, 2000.0)] == [
        "0.123",
        "12.3",
        "1,234",
        "2,000",
    ]
    assert milliseconds(59_999) == "60 s"


def test_a_value_beyond_its_limit_never_reads_as_the_limit() -> None:
    verdict = Verdict("o", "d", Status.FAIL, "", 100.04, "ms", 100.0)

    assert measured(verdict) == "100.04 ms (limit 100 ms)"
    assert measured(Verdict("o", "d", Status.INCONCLUSIVE, "")) == ""


@given(st.text(st.characters(exclude_categories=())))
def test_visible_text_is_printable_and_encodable(text: str) -> None:
    shown = visible(text)

    assert shown.encode("utf-8").decode() == shown
    assert all(character.isprintable() or character.isspace() for character in shown)
    assert "\n" not in shown


def test_long_text_keeps_both_ends_and_says_what_was_left_out() -> None:
    shown = clipped("a" * 5_000 + "z" * 5_000, 90)

    assert shown == "a" * 60 + " … 9,910 characters … " + "z" * 30


def test_text_is_whole_where_saying_what_was_left_out_would_be_longer() -> None:
    assert clipped("a" * 91, 90) == "a" * 91
    assert len(clipped("a" * 140, 90)) < 140


@given(st.text())
def test_markup_reads_back_as_the_visible_text(text: str) -> None:
    shown = markup(text)

    # A character that nobody sees keeps an @ from mentioning anybody.
    assert html.unescape(shown) == clipped(text).replace("@", "@\u200b")
    assert not set("<>\"'") & set(shown)
