"""One firing is told once within the promised cooldown."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import AlertCheck, limited
from harness.judging.alerting import ChannelStory, Repeat
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class AlertsRepeated(AlertCheck):
    """One firing is told once within the promised cooldown.

    Two messages with different keys on one channel are further apart than `alerts.cooldown_seconds`; what was
    held up by a fault counts from when it can have been made, and a deadline is forgiven. A message with the
    same key comes again only where it was unknown whether it had arrived: after a fault on the channel or on
    `alerts.watcher`. Such ones are counted, and no fault of the stack.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "messages"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the messages that should not have come."""
        found = self.stories(timeline)
        repeats = [(story, repeat) for story in found for repeat in story.repeats]
        resent = sum(story.resent for story in found)
        evidence = (
            (f"{count(resent, 'message')} came again with the same key after a fault.",) if resent else ()
        )
        if repeats:
            return self.measure.verdict(
                Status.FAIL,
                len(repeats),
                f"{count(len(repeats), 'message')} came again within the cooldown.",
                evidence=evidence,
                counterexample=limited([_line(timeline, *each) for each in repeats]),
            )
        if unread := self.unread(timeline):
            return self.inconclusive(unread, evidence)
        if not (messages := sum(len(story.firings) for story in found)):
            return self.inconclusive("No message that the alert fires came.")
        said = f"None of {count(messages, 'message')} came again within the cooldown."
        return self.measure.verdict(Status.PASS, 0, said, evidence=evidence)


def _line(timeline: Timeline, story: ChannelStory, repeat: Repeat) -> str:
    first, second = repeat.first, repeat.second
    where = f"{story.channel.name}, {timeline.moment(second.came_ns[-1])}"
    if first is second:
        return f"{where}: message {first.key} came again after {repeat.seconds:.1f} s, and nothing was wrong."
    return f"{where}: message {second.key} came {repeat.seconds:.1f} s after {first.key}."
