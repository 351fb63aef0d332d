"""Records are due at a constant rate, and for a while at a multiple of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from harness.model.errors import ScenarioError
from harness.model.nanoseconds import SECOND_NS

RATE_PER_SECOND_MAX = 20_000
SECONDS_MAX = 3_600.0


@dataclass(frozen=True)
class Spike:
    """The base rate is due `times` over, from `at_seconds` on for `for_seconds`.

    Each record is due at a random moment of an interval of its own, as in a steady schedule.

    Args:
        rate_per_second: the base rate in records per second, of all producers together.
        times: how many times the base rate is due during the spike; above 1.
        at_seconds: when the spike begins, in seconds after sending began.
        for_seconds: how long the spike lasts, in seconds.
    """

    rate_per_second: float = 100.0
    times: float = 10.0
    at_seconds: float = 5.0
    for_seconds: float = 3.0

    def __post_init__(self) -> None:
        """Refuse what is no spike, or more than any producer can send.

        Raises:
            ScenarioError: a number is out of range.
        """
        if not 0 < self.rate_per_second <= RATE_PER_SECOND_MAX:
            raise ScenarioError(
                f"rate_per_second {self.rate_per_second:g} is not in 0 to {RATE_PER_SECOND_MAX:,}"
            )
        if not 1 < self.times <= RATE_PER_SECOND_MAX:
            raise ScenarioError(f"times {self.times:g} must be above 1; a spike is more than the base rate")
        if self.rate_per_second * self.times > RATE_PER_SECOND_MAX:
            raise ScenarioError(
                f"rate_per_second {self.rate_per_second:g} * times {self.times:g} is above "
                f"{RATE_PER_SECOND_MAX:,} records a second, more than the application can send"
            )
        for name, seconds in (("at_seconds", self.at_seconds), ("for_seconds", self.for_seconds)):
            if not 0 < seconds <= SECONDS_MAX:
                raise ScenarioError(f"{name} {seconds:g} is not in 0 to {SECONDS_MAX:g}")

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times before, in and after the spike, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: the spike does not end before sending does.
        """
        end_seconds = self.at_seconds + self.for_seconds
        if end_seconds >= seconds:
            raise ScenarioError(
                f"the schedule's spike ends at {end_seconds:g} s, but sending ends at {seconds:g} s; raise "
                "sending_seconds, or end the spike earlier"
            )
        base, peak = self.rate_per_second, self.rate_per_second * self.times
        return [
            *_even(base, 0.0, self.at_seconds, rng),
            *_even(peak, self.at_seconds, end_seconds, rng),
            *_even(base, end_seconds, seconds, rng),
        ]


def _even(rate_per_second: float, from_seconds: float, to_seconds: float, rng: Random) -> Iterator[int]:
    interval_ns = SECOND_NS / rate_per_second
    begin_ns = from_seconds * SECOND_NS
    for index in range(int((to_seconds - from_seconds) * rate_per_second)):
        yield int(begin_ns + (index + rng.random()) * interval_ns)
