"""The rate rises by steps, and stands still on each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.load.schedules.changing_rate import due_times_ns, require_rates, require_seconds


@dataclass(frozen=True)
class Step:
    """All steps rise by the same amount, and each shows what the stack does at its rate.

    Args:
        rate_per_second: records per second of the first step, of all producers together.
        by_per_second: how much more each next step has, in records per second.
        every_seconds: how long a step lasts, in seconds; the last one ends with the sending.
    """

    rate_per_second: float = 50.0
    by_per_second: float = 50.0
    every_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is no step.

        Raises:
            ScenarioError: a number is out of range.
        """
        require_rates(rate_per_second=self.rate_per_second, by_per_second=self.by_per_second)
        require_seconds(every_seconds=self.every_seconds)

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times of all steps, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: the last step is higher than anybody can send.
        """
        steps = math.ceil(seconds / self.every_seconds)
        rates = [self.rate_per_second + step * self.by_per_second for step in range(steps)]
        require_rates(**{f"the rate of step {steps}:": rates[-1]})
        knots = [
            (moment, rate)
            for step, rate in enumerate(rates)
            for moment in (step * self.every_seconds, min(seconds, (step + 1) * self.every_seconds))
        ]
        return due_times_ns(knots, rng)
