"""An error of a kind never logged before: planned by the schedule, marked as what there is to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.planned_load import PlannedLoad


@dataclass(frozen=True)
class NewError(PlannedLoad):
    """Nothing is injected: the schedule is a `template_flood` whose new errors come in these seconds.

    As a step it is what a finding is owed for, and what a chart shows as a band. That the application logs
    meanwhile is proved by its log calls; which lines these were, the reading of the archive compares as ever.

    Args:
        rate_per_second_min: the rate of log calls, per second, that proves that the load goes on; at most
            20,000.
    """

    ends_by_itself: ClassVar[str] = "the schedule's own errors end by themselves"
