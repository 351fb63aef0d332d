"""What faults have in common that the schedule brings: nothing is injected, and the log calls prove it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from harness.model.errors import ScenarioError
from harness.model.protocols import Undo
from harness.targets.capabilities import Surging

RATE_PER_SECOND_MAX = 20_000
_SECONDS = 1.0


@dataclass(frozen=True)
class PlannedLoad:
    """A stretch of the schedule, marked as a fault.

    Args:
        rate_per_second_min: the rate of log calls, per second, that proves it; at most 20,000.
    """

    rate_per_second_min: float
    needs: ClassVar[type] = Surging
    ends_by_itself: ClassVar[str]
    """Why there is nothing to take back."""

    def __post_init__(self) -> None:
        """Refuse a rate that no schedule has.

        Raises:
            ScenarioError: it is out of range.
        """
        if not 0 < self.rate_per_second_min <= RATE_PER_SECOND_MAX:
            raise ScenarioError(
                f"rate_per_second_min {self.rate_per_second_min:g} is not in 0 to {RATE_PER_SECOND_MAX:,}"
            )

    def undo(self, target: Surging) -> Undo:
        """Say that there is nothing to take back."""
        return Undo("nothing", {"why": self.ends_by_itself})

    def inject(self, target: Surging, rng: Random) -> AbstractContextManager[None]:
        """Do nothing: the schedule was fixed before the run began."""
        return _nothing()

    def evidence(self, target: Surging) -> tuple[bool, str]:
        """Count the log calls that begin within a second."""
        before = target.sent()
        target.wait(_SECONDS)
        rate = (target.sent() - before) / _SECONDS
        return rate >= self.rate_per_second_min, (
            f"Observed {rate:,.0f} calls/s (at least {self.rate_per_second_min:,.0f} required)."
        )


@contextmanager
def _nothing() -> Iterator[None]:
    yield
