"""Records are due at a constant rate, each at a random moment of its own interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.model.nanoseconds import SECOND_NS


@dataclass(frozen=True)
class Steady:
    """A constant rate; the jitter in each interval keeps the load from beating with the stack's timers.

    Args:
        rate_per_second: records per second, of all producers together.
    """

    rate_per_second: float = 100.0

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return one due time for each interval of 1 / rate, in ns after the start of sending, ascending."""
        interval_ns = SECOND_NS / self.rate_per_second
        count = int(seconds * self.rate_per_second)
        return [int((index + rng.random()) * interval_ns) for index in range(count)]
