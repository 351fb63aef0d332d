"""Reading is behind once there was always more than a look takes, for as long as is declared."""

from __future__ import annotations

import math

from logging_system.alerting.reading_lag import ReadingLag
from logging_system.monitoring.events import WatchBehind, WatchCaughtUp


def test_it_is_behind_after_the_declared_lag_and_until_all_was_read() -> None:
    lag = ReadingLag(10.0, 4)
    events = [lag.look(float(second), float(second)) for second in range(15)]

    assert [each for each in events if each] == [WatchBehind(lag_seconds=10.0, one_in=4)]
    assert (lag.is_behind, lag.seconds) == (True, 14.0)
    assert lag.look(17.0, 2.0) is None
    assert lag.look(18.0, None) == WatchCaughtUp(lasted_seconds=8.0)
    assert (lag.is_behind, lag.seconds) == (False, 0.0)


def test_a_burst_that_is_read_in_between_begins_anew() -> None:
    lag = ReadingLag(10.0, 4)
    events = [lag.look(float(second), None if second % 8 == 0 else 100.0) for second in range(60)]

    assert set(events) == {None}


def test_records_with_a_wrong_clock_have_not_waited_longer_than_there_was_something_left() -> None:
    lag = ReadingLag(10.0, 4)

    assert lag.look(0.0, 86_400.0) is None
    assert lag.look(5.0, math.inf) is None
    assert lag.seconds == 5.0


def test_records_from_the_future_have_not_waited() -> None:
    lag = ReadingLag(10.0, 4)
    events = [lag.look(float(second), -3_600.0) for second in range(30)]

    assert (set(events), lag.seconds) == ({None}, 0.0)
