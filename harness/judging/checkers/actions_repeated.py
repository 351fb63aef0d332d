"""About one finding a thing is done once."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.action_check import ActionCheck
from harness.judging.alert_check import limited
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import ActionTaken
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class ActionsRepeated(ActionCheck):
    """About one finding a thing is done once.

    However many engines there are, and whichever of them crashes: a second message about the same finding,
    with the same key or with another, did the thing twice.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "actions"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        super().__init__(charge, measure, is_about_faults=False)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the actions beyond the first about each finding."""
        by_finding: dict[str, list[ActionTaken]] = {}
        for each in sorted(timeline.actions, key=lambda each: each.at_ns):
            by_finding.setdefault(each.about, []).append(each)
        repeated = [(taken[0], each) for taken in by_finding.values() for each in taken[1:]]
        actions = count(len(timeline.actions), "action")
        if repeated:
            lines = [
                f"{first.about}: {first.key} at {timeline.moment(first.at_ns)}, {again.key} at "
                f"{timeline.moment(again.at_ns)}."
                for first, again in repeated
            ]
            return self.measure.verdict(
                Status.FAIL,
                len(repeated),
                f"{len(repeated):,} of {actions} did again what had been done.",
                counterexample=limited(lines),
            )
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        return self.measure.verdict(Status.PASS, 0, f"None of {actions} was repeated.")
