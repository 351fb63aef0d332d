"""Something is done about every fault that the stack promises to act on."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.action_check import ActionCheck
from harness.judging.alert_check import limited
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class ActionsMissed(ActionCheck):
    """Something is done about every fault that the stack promises to act on.

    Of the causes in `actions.causes`, a fault that lasts `actions.fault_seconds_min` or longer is followed by
    an action within `actions.deadline_seconds` of its injection; where what acts was hurt, or the way to the
    receiver, that time begins again with the healing. Of those in `actions.causes_after_healing` it always
    begins with the healing.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "faults"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the faults that nothing was done about in time."""
        owed = self.owed(timeline)
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        if not owed:
            return self.inconclusive("No fault that must be acted on lasted long enough.")
        missed = [
            (window, limit_ns)
            for window, limit_ns in owed
            if not any(window.from_ns <= each.at_ns <= limit_ns for each in timeline.actions)
        ]
        faults = count(len(owed), "fault")
        if not missed:
            return self.measure.verdict(Status.PASS, 0, f"Something was done about {faults}.")
        lines = [
            f"{window.label}, {timeline.moment(window.from_ns)}: nothing was done by "
            f"{timeline.seconds(limit_ns)}."
            for window, limit_ns in missed
        ]
        return self.measure.verdict(
            Status.FAIL,
            len(missed),
            f"Nothing was done about {len(missed):,} of {faults}.",
            counterexample=limited(lines),
        )
