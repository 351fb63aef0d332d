"""An error of a kind never logged before: planned by the schedule, marked as what there is to find."""

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
class NewError:
    """Nothing is injected: the schedule is a `template_flood` whose new errors come in these seconds.

    As a step it is what a finding is owed for, and what a chart shows as a band. That the application logs
    meanwhile is proved by its log calls; which lines these were, the reading of the archive compares as ever.

    Args:
        rate_per_second_min: the rate of log calls, per second, that proves that the load goes on; at most
            20,000.
    """

    rate_per_second_min: float
    needs: ClassVar[type] = Surging

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
        return Undo("nothing", {"why": "the schedule's own errors end by themselves"})

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
