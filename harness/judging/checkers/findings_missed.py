"""The stack finds every fault that hurts it long enough."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import limited
from harness.judging.checker import Charge
from harness.judging.finding_story import FindingCheck
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class FindingsMissed(FindingCheck):
    """The stack finds every fault that hurts it long enough.

    A fault of the store, of the way to it, of a disk or of the keys that lasts `findings.fault_seconds_min`
    is followed by a finding, whatever cause that names. One that comes late is judged by `findings_late`.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "faults"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the faults that nothing was found about."""
        owed = self.story(timeline).owed
        if unread := self.unread(timeline):
            return self.inconclusive(unread)
        if not owed:
            return self.nothing_owed()
        missed = [each for each in owed if not each.found]
        faults = count(len(owed), "fault")
        if not missed:
            return self.measure.verdict(
                Status.PASS, 0, f"{len(owed):,} of {faults} were found.", samples=len(owed)
            )
        read_ns = 0 if timeline.findings_read is None else timeline.findings_read.at_ns
        if any(each.limit_ns > read_ns for each in missed):
            return self.inconclusive("The run ended before a fault had to be found.")
        lines = [
            f"{each.window.label}, {timeline.moment(each.window.from_ns)}: nothing was found about it."
            for each in missed
        ]
        return self.measure.verdict(
            Status.FAIL,
            len(missed),
            f"{len(missed):,} of {faults} were not found.",
            counterexample=limited(lines),
            samples=len(owed),
        )
