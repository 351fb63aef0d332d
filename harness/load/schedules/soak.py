"""The rate rises gently, stands for long and falls again: what grows without bound shows in that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from harness.load.schedules.changing_rate import due_times_ns, require_rates, require_seconds
from harness.model.errors import ScenarioError


@dataclass(frozen=True)
class Soak:
    """It shows what grows without bound; make `sending_seconds` as long as you can wait.

    Args:
        rate_per_second: records per second in between, of all producers together.
        rise_seconds: how long the rate takes to rise from nothing, and at the end to fall, in seconds.
    """

    rate_per_second: float = 100.0
    rise_seconds: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is no soak.

        Raises:
            ScenarioError: a number is out of range.
        """
        require_rates(rate_per_second=self.rate_per_second)
        require_seconds(rise_seconds=self.rise_seconds)

    def offsets_ns(self, seconds: float, rng: Random) -> Sequence[int]:
        """Return the due times of the whole soak, in ns after the start of sending, ascending.

        Raises:
            ScenarioError: sending ends before the rate has risen and fallen.
        """
        rise, rate = self.rise_seconds, self.rate_per_second
        if 2 * rise >= seconds:
            raise ScenarioError(
                f"rising and falling takes {2 * rise:g} s, but sending ends at {seconds:g} s; raise "
                "sending_seconds, or lower rise_seconds"
            )
        return due_times_ns([(0.0, 0.0), (rise, rate), (seconds - rise, rate), (seconds, 0.0)], rng)
