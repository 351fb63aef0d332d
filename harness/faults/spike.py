"""The load surges: what the schedule planned as a spike is marked as a fault, and proved to have come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.planned_load import PlannedLoad


@dataclass(frozen=True)
class Spike(PlannedLoad):
    """Nothing is injected: the schedule of the scenario is a `spike` over the same seconds.

    As a step it is what steady state ends at, what evidence is asked for, and what a chart shows as a band.
    `rate_per_second_min` is the rate of log calls that proves it.

    Args:
        rate_per_second_min: the rate of log calls, per second, that proves the spike; at most 20,000.
    """

    ends_by_itself: ClassVar[str] = "the schedule's own spike ends by itself"
