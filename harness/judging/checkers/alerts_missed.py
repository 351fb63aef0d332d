"""Every time that errors cross the promised threshold, an alert comes on every channel."""

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


class AlertsMissed(AlertCheck):
    """Every time that errors cross the promised threshold, an alert comes on every channel.

    The schedule `error_burst` decides which records are errors; an alert is owed once the stack has
    acknowledged `alerts.threshold` of them that were logged within `alerts.window_seconds`, whatever is down
    meanwhile. Not owed is what falls into the cooldown of a message before. One that comes late is judged by
    `alerts_late`.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "alerts"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the crossings that nobody was told of, each on each channel."""
        found = self.stories(timeline)
        owed = [(story, told) for story in found for told in story.required]
        missed = [(story, told) for story, told in owed if told.came_ns is None]
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        if not owed:
            return self.inconclusive("The errors never crossed the threshold, so no alert was owed.")
        over = [each for each in missed if not _too_soon(timeline, *each)]
        alerts = count(len(owed), "alert")
        if over:
            return self.measure.verdict(
                Status.FAIL,
                len(over),
                f"{len(over):,} of {alerts} never came.",
                counterexample=limited([_line(timeline, *each) for each in over]),
            )
        if missed:
            said = f"{len(missed):,} of {alerts} had not come when the run ended, and were not late yet."
            return self.inconclusive(said)
        cooling = sum(story.cooling for story in found)
        evidence = (
            (f"{count(cooling, 'crossing')} within the cooldown of a message before.",) if cooling else ()
        )
        return self.measure.verdict(Status.PASS, 0, f"{len(owed):,} of {alerts} came.", evidence=evidence)


def _too_soon(timeline: Timeline, story: ChannelStory, told: Told) -> bool:
    return told.limit_ns > timeline.alerts_read[story.channel.name].at_ns


def _line(timeline: Timeline, story: ChannelStory, told: Told) -> str:
    limit = timeline.seconds(told.limit_ns)
    began = timeline.moment(told.crossing.from_ns)
    return f"{story.channel.name}: the threshold was crossed at {began}; nothing came by {limit}."
