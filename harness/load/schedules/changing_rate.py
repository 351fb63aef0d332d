"""Due times for a rate that changes over time, along straight lines between given moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from harness.model.errors import ScenarioError
from harness.model.nanoseconds import SECOND_NS

RATE_PER_SECOND_MAX = 20_000
SECONDS_MAX = 24 * 3_600.0

Knots = Sequence[tuple[float, float]]
"""Moments in seconds after sending began, ascending, each with the rate then, in records a second."""


def due_times_ns(knots: Knots, rng: Random) -> list[int]:
    """Return when records are due, in ns after the start of sending, ascending.

    Each is due at a random moment of the interval in which the rate makes one record due. Two knots at the
    same moment are a jump.

    Args:
        knots: at least two; before the first and after the last nothing is due.
        rng: of this schedule alone; the same seed makes the same times.
    """
    times: list[int] = []
    before = 0.0
    place = rng.random()
    for (from_seconds, from_rate), (to_seconds, to_rate) in pairwise(knots):
        after = before + (from_rate + to_rate) / 2 * (to_seconds - from_seconds)
        slope = (to_rate - from_rate) / (to_seconds - from_seconds) if to_seconds > from_seconds else 0.0
        while len(times) + place < after:
            left = len(times) + place - before
            times.append(int((from_seconds + _seconds_to(left, from_rate, slope)) * SECOND_NS))
            place = rng.random()
        before = after
    return times


def require_rates(**rates_per_second: float) -> None:
    """Refuse rates that nobody can send.

    Args:
        rates_per_second: each by what a message shall call it, such as its argument; above 0 and at most
            `RATE_PER_SECOND_MAX`.

    Raises:
        ScenarioError: a rate is out of range.
    """
    for name, rate in rates_per_second.items():
        if not 0 < rate <= RATE_PER_SECOND_MAX:
            raise ScenarioError(f"{name} {rate:g} is not in 0 to {RATE_PER_SECOND_MAX:,}")


def require_seconds(**lengths_seconds: float) -> None:
    """Refuse lengths that are none.

    Args:
        lengths_seconds: each by what a message shall call it, such as its argument; above 0 and at most
            `SECONDS_MAX`.

    Raises:
        ScenarioError: a length is out of range.
    """
    for name, seconds in lengths_seconds.items():
        if not 0 < seconds <= SECONDS_MAX:
            raise ScenarioError(f"{name} {seconds:g} is not in 0 to {SECONDS_MAX:g}")


def _seconds_to(records: float, rate: float, slope: float) -> float:
    """Return how long a rate takes to make so many records due while it grows by `slope` a second."""
    if not slope:
        return records / rate
    # The root of rate * t + slope / 2 * t**2 = records that does not cancel where the slope is small.
    return 2 * records / (rate + math.sqrt(max(0.0, rate * rate + 2 * slope * records)))
