from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.analytics.windows import (
    BUCKETS_MAX,
    BUCKETS_WANTED,
    Interval,
    Window,
    fitting_interval,
    histogram_of,
    read_interval,
    read_moment,
    zone_of,
)

NOW = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("15m", datetime(2026, 10, 25, 11, 45, tzinfo=UTC)),
        ("2h", datetime(2026, 10, 25, 10, 0, tzinfo=UTC)),
        ("1d", datetime(2026, 10, 24, 12, 0, tzinfo=UTC)),
        ("2026-10-25T11:00:00+02:00", datetime(2026, 10, 25, 9, 0, tzinfo=UTC)),
        ("2026-10-25T01:00", datetime(2026, 10, 24, 23, 0, tzinfo=UTC)),
        ("2026-10-25T04:00", datetime(2026, 10, 25, 3, 0, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_ago_or_as_a_date_in_the_zone(text: str, expected: datetime) -> None:
    assert read_moment(text, NOW, "Europe/Berlin") == expected


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 m", "2026-13-01", "99999999d", "1.5h"])
def test_what_is_no_moment_is_refused_with_what_is_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|before all time"):
        read_moment(text, NOW, "UTC")


@pytest.mark.parametrize("name", ["Nowhere/Else", "", "../etc/passwd", "Europe/Berlin\0"])
def test_a_zone_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(name)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="is empty"):
        Window(NOW, NOW)


@pytest.mark.parametrize("text", ["1d", "0m", "5", "year", "minute", "1.5h", ""])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no interval"):
        read_interval(text)


@given(st.integers(1, 5 * 365 * 86400))
def test_the_fitting_interval_makes_no_more_buckets_than_a_person_reads(seconds: int) -> None:
    window = Window(NOW - timedelta(seconds=seconds), NOW)
    interval = fitting_interval(window)
    shortest = {"day": 86400, "week": 7 * 86400, "month": 28 * 86400}.get(interval.name, interval.seconds_max)

    assert window.seconds / shortest <= BUCKETS_WANTED * 1.2
    assert histogram_of(window, interval)["field"] == "@timestamp"


def test_more_buckets_than_an_answer_should_have_are_refused() -> None:
    window = Window(NOW - timedelta(seconds=BUCKETS_MAX + 1), NOW)

    with pytest.raises(ValueError, match="more than 1000 buckets"):
        histogram_of(window, Interval("1s", is_calendar=False))
