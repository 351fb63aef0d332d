from __future__ import annotations

import logging
import math

import pytest

from logging_system.monitoring.delays import Delays
from logging_system.records.record import Captured, capture, delays_seconds

NOW = 2_000_000_000.0


def captured(**attributes: object) -> Captured:
    return capture(logging.makeLogRecord({"name": "shop", "msg": "m", **attributes}))


def test_each_record_has_its_own_delay() -> None:
    group = [captured(created=NOW - seconds) for seconds in (0.5, 3.0, 0.0)]

    assert delays_seconds(group, NOW) == [0.5, 3.0, 0.0]


@pytest.mark.parametrize(
    "created", [NOW + 60, None, "yesterday", math.nan, math.inf, -math.inf, 10**400, [], object()]
)
def test_a_time_that_is_none_counts_as_now_and_the_others_keep_theirs(created: object) -> None:
    delays = delays_seconds([captured(created=created), captured(created=NOW - 3.0)], NOW)

    assert delays == [0.0, 3.0]
    assert math.isfinite(Delays.of_each(delays).sum_seconds)


def test_a_record_without_a_time_counts_as_now() -> None:
    without = captured()
    del without[0]["created"]

    assert delays_seconds([without], NOW) == [0.0]
