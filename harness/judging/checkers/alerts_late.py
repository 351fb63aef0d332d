"""Alerts come in time, and soon after what kept them back was healed."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import AlertCheck, limited
from harness.judging.alerting import ChannelStory, Told
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class AlertsLate(AlertCheck):
    """Alerts come in time, and soon after what kept them back was healed.

    From the acknowledgement of the error that crosses the threshold until the receiver has the message:
    at most `alerts.deadline_seconds`. Where a fault hurt the channel or `alerts.watcher` meanwhile, from its
    healing on: at most `alerts.after_outage_seconds`. A store that is down is no excuse.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "s"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        limit = None if charge.alerts is None else charge.alerts.deadline_seconds
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, limit))

    def check(self, timeline: Timeline) -> Verdict:
        """Measure each alert that came; the slowest one is the value."""
        came = [
            (story, told)
            for story in self.stories(timeline)
            for told in story.required
            if told.came_ns is not None
        ]
        if not came:
            return self.inconclusive(self.unread(timeline) or "No alert that was owed came.")
        late = [(story, told) for story, told in came if (told.came_ns or 0) > told.limit_ns]
        slowest = max(told.late_seconds for _, told in came)
        alerts = count(len(came), "alert")
        if late:
            return self.measure.verdict(
                Status.FAIL,
                slowest,
                f"{len(late):,} of {alerts} came too late, the slowest after {slowest:.1f} s.",
                counterexample=limited([_line(timeline, *each) for each in late]),
                samples=len(came),
            )
        said = f"The slowest of {alerts} came after {slowest:.1f} s."
        return self.measure.verdict(Status.PASS, slowest, said, samples=len(came))


def _line(timeline: Timeline, story: ChannelStory, told: Told) -> str:
    crossed = timeline.moment(told.crossing.from_ns)
    came, limit = timeline.seconds(told.came_ns), timeline.seconds(told.limit_ns)
    begun = f"{story.channel.name}: the threshold was crossed at {crossed}"
    return f"{begun}; the alert came at {came}, owed by {limit}."
