"""Nothing is found where nothing is wrong."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import limited
from harness.judging.checker import Charge
from harness.judging.finding_story import FindingCheck, told
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class FindingsFalse(FindingCheck):
    """Nothing is found where nothing is wrong.

    No finding is written while no fault is on, and none has been healed within `findings.after_seconds`. On
    load with planned errors (`error_burst`) these are something to find, so nothing is false there.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "findings"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        super().__init__(charge, measure, is_about_faults=False)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the findings that no fault explains."""
        false = self.story(timeline).false
        written = count(len(timeline.findings), "finding")
        if false:
            lines = [f"{each.finding}, {timeline.moment(each.at_ns)}: {told(each)}" for each in false]
            return self.measure.verdict(
                Status.FAIL,
                len(false),
                f"{len(false):,} of {written} came while nothing was wrong.",
                counterexample=limited(lines),
            )
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        if not timeline.findings:
            return self.measure.verdict(Status.PASS, 0, "Nothing was found while nothing was wrong.")
        return self.measure.verdict(Status.PASS, 0, f"A fault explains each of {written}.")
