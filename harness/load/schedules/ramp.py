"""The rate rises, or falls, evenly from the first record to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.load.schedules.changing_rate import due_times_ns, require_rates


@dataclass(frozen=True)
class Ramp:
    """It finds the rate at which a stack begins to hold back.

    Args:
        rate_per_second: records per second when sending begins, of all producers together.
        to_per_second: records per second when sending ends.
    """

    rate_per_second: float = 20.0
    to_per_second: float = 200.0

    def __post_init__(self) -> None:
        """Refuse rates that nobody can send.

        Raises:
            ScenarioError: a rate is out of range.
        """
        require_rates(rate_per_second=self.rate_per_second, to_per_second=self.to_per_second)

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times of the whole ramp, in ns after the start of sending, ascending."""
        return due_times_ns([(0.0, self.rate_per_second), (seconds, self.to_per_second)], rng)
