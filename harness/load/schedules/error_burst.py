"""Records are due at a constant rate; a few of them are errors, and at planned moments many are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from harness.load.schedules.steady import Steady
from harness.model.errors import ScenarioError
from harness.model.nanoseconds import SECOND_NS

RATE_PER_SECOND_MAX = 20_000
SECONDS_MAX = 3_600.0
TIMES_MAX = 1_000


@dataclass(frozen=True)
class ErrorBurst:
    """Records are INFO, and some of them ERROR.

    The errors between bursts are a few, evenly spread, as every honest application has them. Which records
    are errors is known before anything is sent, so that it is known too when an alert is owed, and when not.

    Args:
        rate_per_second: records per second, of all producers together, errors included.
        errors_per_second: errors per second all the time, from 0 to half the rate.
        errors: how many errors each burst has.
        at_seconds: when the first burst begins, in seconds after sending began.
        for_seconds: how long each burst lasts, in seconds.
        times: how many bursts there are, from 0.
        every_seconds: from the beginning of one burst to that of the next, in seconds.
    """

    rate_per_second: float = 200.0
    errors_per_second: float = 0.5
    errors: int = 20
    at_seconds: float = 4.0
    for_seconds: float = 1.0
    times: int = 1
    every_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Refuse errors that there are no records for.

        Raises:
            ScenarioError: a number is out of range.
        """
        if not 0 < self.rate_per_second <= RATE_PER_SECOND_MAX:
            raise ScenarioError(
                f"rate_per_second {self.rate_per_second:g} is not in 0 to {RATE_PER_SECOND_MAX:,}"
            )
        if not 0 <= self.errors_per_second <= self.rate_per_second / 2:
            raise ScenarioError(
                f"errors_per_second {self.errors_per_second:g} is not in 0 to {self.rate_per_second / 2:g}, "
                "half of rate_per_second"
            )
        for name, seconds in (("at_seconds", self.at_seconds), ("for_seconds", self.for_seconds)):
            if not 0 < seconds <= SECONDS_MAX:
                raise ScenarioError(f"{name} {seconds:g} is not in 0 to {SECONDS_MAX:g}")
        if not 0 <= self.times <= TIMES_MAX:
            raise ScenarioError(f"times {self.times} is not in 0 to {TIMES_MAX:,}")
        if not 1 <= self.errors <= self.for_seconds * self.rate_per_second / 2:
            raise ScenarioError(
                f"errors {self.errors} in {self.for_seconds:g} s are not in 1 to "
                f"{int(self.for_seconds * self.rate_per_second / 2):,}, half of the records of that time"
            )
        if self.every_seconds < self.for_seconds:
            raise ScenarioError(
                f"every_seconds {self.every_seconds:g} is less than for_seconds {self.for_seconds:g}; a "
                "burst ends before the next one begins"
            )

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return one due time for each interval of 1 / rate, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: the last burst does not end before sending does.
        """
        end_seconds = self.at_seconds + (self.times - 1) * self.every_seconds + self.for_seconds
        if self.times and end_seconds >= seconds:
            raise ScenarioError(
                f"the schedule's last burst ends at {end_seconds:g} s, but sending ends at {seconds:g} s; "
                "raise sending_seconds, or end the bursts earlier"
            )
        return Steady(self.rate_per_second).offsets_ns(seconds, rng)

    def levels(self, offsets_ns: Sequence[int]) -> str:
        """Return E for each record that is an error and I for the others: those due next at planned moments.

        Args:
            offsets_ns: when the records are due, ascending.
        """
        levels = ["I"] * len(offsets_ns)
        end_seconds = offsets_ns[-1] / SECOND_NS if offsets_ns else 0.0
        for moment in sorted(self._moments(end_seconds)):
            place = bisect_left(offsets_ns, int(moment * SECOND_NS))
            while place < len(levels) and levels[place] == "E":
                place += 1
            if place < len(levels):
                levels[place] = "E"
        return "".join(levels)

    def _moments(self, end_seconds: float) -> Iterator[float]:
        """Yield when errors are due, in seconds after sending began."""
        for number in range(int(end_seconds * self.errors_per_second)):
            yield (number + 0.5) / self.errors_per_second
        for burst in range(self.times):
            begin_seconds = self.at_seconds + burst * self.every_seconds
            for number in range(self.errors):
                yield begin_seconds + (number + 0.5) * self.for_seconds / self.errors
