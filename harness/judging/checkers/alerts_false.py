"""No alert comes without enough errors."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import AlertCheck, limited, shown
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class AlertsFalse(AlertCheck):
    """No alert comes without enough errors.

    There were never `alerts.threshold` errors within `alerts.window_seconds`, a step of the stack's time more
    forgiven, so soon before a message said that there were. Errors that come late and at once, because the
    stack stood still, are errors of the time at which they were logged.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "alerts"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the messages that no errors explain."""
        found = self.stories(timeline)
        false = [(story, firing) for story in found for firing in story.false]
        messages = sum(len(story.firings) for story in found)
        if false:
            return self.measure.verdict(
                Status.FAIL,
                len(false),
                f"{len(false):,} of {count(messages, 'alert')} came without enough errors.",
                counterexample=limited(
                    [f"{shown(timeline, firing, story.channel.name)}." for story, firing in false]
                ),
            )
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        if not messages:
            return self.measure.verdict(Status.PASS, 0, "No alert came without enough errors.")
        said = f"Each of {count(messages, 'alert')} came after enough errors."
        return self.measure.verdict(Status.PASS, 0, said)
