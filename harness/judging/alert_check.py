"""What the checks of alerts share: when there is something to judge, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.alerting import ChannelStory, Firing, stories
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.declarations import ERROR_BURST
from harness.model.protocols import Status, Verdict

EVIDENCE_MAX = 10
NOT_PROMISED = "the stack promises no alerts"


class AlertCheck:
    """A check of the alert that a stack promises, on load whose errors are planned.

    Args:
        charge: what is to be judged.
        measure: on which scale.
    """

    def __init__(self, charge: Charge, measure: Measure) -> None:
        self._alerts = charge.alerts
        self._is_planned = charge.scenario.schedule.kind == ERROR_BURST
        self.measure = measure

    def lacks(self) -> str:
        """Say what is missing where there is nothing to judge."""
        if self._alerts is None:
            return NOT_PROMISED
        return "" if self._is_planned else f"only the schedule {ERROR_BURST} plans when an alert is owed"

    def stories(self, timeline: Timeline) -> list[ChannelStory]:
        """Return what came on each channel."""
        return [] if self._alerts is None else stories(timeline, self._alerts)

    def unread(self, timeline: Timeline) -> str:
        """Say why not all is known that came; empty where it is."""
        if self._alerts is None:
            return f"Nothing can be judged: {NOT_PROMISED}."
        for channel in self._alerts.channels:
            read = timeline.alerts_read.get(channel.name)
            if read is None:
                return f"What came by {channel.name} was not read."
            if read.unread:
                return f"What came by {channel.name} could not be read: {read.unread}."
            if read.unreadable:
                messages = count(read.unreadable, "message")
                return f"{messages} by {channel.name} cannot be read as alerts: {read.example}."
        return ""

    def inconclusive(self, summary: str, evidence: Sequence[str] = ()) -> Verdict:
        """Return that nothing was decided.

        Args:
            summary: why not, as a sentence for a report.
            evidence: lines that show it; none by default.
        """
        return self.measure.verdict(Status.INCONCLUSIVE, None, summary, evidence=tuple(evidence))


def shown(timeline: Timeline, firing: Firing, channel: str) -> str:
    """Return one message for a person.

    Args:
        timeline: of the scenario; tells the moment and the fault that was on.
        firing: the message's key and when it came.
        channel: by which the message came, as the stack file names it.
    """
    return f"{channel}, {timeline.moment(firing.at_ns)}: message {firing.key}"


def limited(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - EVIDENCE_MAX
    return (*lines[:EVIDENCE_MAX], f"And {more:,} more.") if more > 0 else tuple(lines)
