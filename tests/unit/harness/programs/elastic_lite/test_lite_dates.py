"""Dates and date math."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.programs.elastic_lite.language.dates import (
    DEFAULT_FORMAT,
    EPOCH,
    NS_IN_MS,
    parse_date_math_ns,
    parse_date_ns,
)

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
NOW_MS = 1_704_204_245_678  # 2024-01-02T14:04:05.678Z


def parse_date(value: str | int, date_format: str) -> int | None:
    """A date in milliseconds."""
    found = parse_date_ns(value, date_format)
    return None if found is None else found // NS_IN_MS


def ms(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


@given(MOMENTS)
def test_iso_date_is_read_to_the_millisecond(moment: datetime) -> None:
    """The parser agrees with the standard library's writer."""
    text = f"{moment.year:04}" + moment.isoformat(timespec="milliseconds")[-25:].replace("+00:00", "Z")

    assert parse_date(text, DEFAULT_FORMAT) == (moment - EPOCH) // timedelta(milliseconds=1)


@given(st.integers(10_000, 10**15) | st.integers(-(10**15), -1))
def test_number_is_milliseconds_written_either_way(number: int) -> None:
    """A number and its text mean the same, four digits apart: those are a year."""
    assert parse_date(number, DEFAULT_FORMAT) == number
    assert parse_date(str(number), DEFAULT_FORMAT) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", "2024-01-01T00:00:00+00:00"),
        ("2024-02", "2024-02-01T00:00:00+00:00"),
        ("2024-02-03T04", "2024-02-03T04:00:00+00:00"),
        ("2024-02-03T04:05:06.789123456+02:00", "2024-02-03T02:05:06.789+00:00"),
        ("2024-02-03T04:05:06,5-0130", "2024-02-03T05:35:06.500+00:00"),
    ],
)
def test_later_parts_of_a_date_may_be_missing(text: str, expected: str) -> None:
    assert parse_date(text, DEFAULT_FORMAT) == ms(expected)


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-1-1", "2024-02-30", "2024-01-01 00:00", "2024-01-01T24:00", "12024-01-01"]
)
def test_text_that_is_no_date_is_none(text: str) -> None:
    assert parse_date(text, DEFAULT_FORMAT) is None


def test_other_formats_are_tried_in_turn() -> None:
    assert parse_date("2024/01/02", "yyyy/MM/dd||epoch_second") == ms("2024-01-02T00:00:00+00:00")
    assert parse_date("60", "yyyy/MM/dd||epoch_second") == 60_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2024-01-02T14:04:05.678+00:00"),
        ("now-1d", "2024-01-01T14:04:05.678+00:00"),
        ("now-1d/d", "2024-01-01T00:00:00+00:00"),
        ("now/w", "2024-01-01T00:00:00+00:00"),
        ("now+1M/M", "2024-02-01T00:00:00+00:00"),
        ("2024-01-31||+1M", "2024-02-29T00:00:00+00:00"),
        ("2024-01-02T03:04:05||/h", "2024-01-02T03:00:00+00:00"),
        ("2024-06-07||-1y/y", "2023-01-01T00:00:00+00:00"),
    ],
)
def test_date_math_moves_and_rounds(text: str, expected: str) -> None:
    assert parse_date_math_ns(text, DEFAULT_FORMAT, NOW_MS) == ms(expected) * NS_IN_MS


@pytest.mark.parametrize("text", ["now-", "now-1", "now*2", "soon||+1d", "2024||x"])
def test_broken_date_math_is_none(text: str) -> None:
    assert parse_date_math_ns(text, DEFAULT_FORMAT, NOW_MS) is None
