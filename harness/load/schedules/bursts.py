"""Honest load: a constant rate, and bursts of a multiple of it at moments that nobody can foresee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.load.schedules.changing_rate import due_times_ns, require_rates, require_seconds
from harness.model.errors import ScenarioError


@dataclass(frozen=True)
class Bursts:
    """Bursts come again and again; the seed decides when each begins and how long it lasts.

    Each burst lasts between half of `for_seconds` and all of it, and begins between half and one and a half
    times `pause_seconds` after the one before ended.

    Args:
        rate_per_second: the base rate in records per second, of all producers together.
        times: how many times the base rate is due during a burst; above 1.
        for_seconds: how long the longest burst may last, in seconds.
        pause_seconds: how long the base rate holds between two bursts on average, in seconds.
    """

    rate_per_second: float = 50.0
    times: float = 20.0
    for_seconds: float = 3.0
    pause_seconds: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what are no bursts, or more than any producer can send.

        Raises:
            ScenarioError: a number is out of range.
        """
        if not self.times > 1:
            raise ScenarioError(f"times {self.times:g} must be above 1; a burst is more than the base rate")
        require_rates(
            rate_per_second=self.rate_per_second,
            **{"rate_per_second * times": self.rate_per_second * self.times},
        )
        require_seconds(for_seconds=self.for_seconds, pause_seconds=self.pause_seconds)

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times of base rate and bursts, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: not even one burst ends before sending does.
        """
        base, peak = self.rate_per_second, self.rate_per_second * self.times
        knots = [(0.0, base)]
        while True:
            begin = knots[-1][0] + self.pause_seconds * rng.uniform(0.5, 1.5)
            end = begin + self.for_seconds * rng.uniform(0.5, 1.0)
            if end >= seconds:
                break
            knots += [(begin, base), (begin, peak), (end, peak), (end, base)]
        if len(knots) == 1:
            raise ScenarioError(
                f"the first burst ends at {end:.1f} s, but sending ends at {seconds:g} s; raise "
                "sending_seconds, or lower pause_seconds"
            )
        return due_times_ns([*knots, (seconds, base)], rng)
