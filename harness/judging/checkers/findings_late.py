"""Faults are found in time."""

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


class FindingsLate(FindingCheck):
    """Faults are found in time.

    From the injection of a fault until its first finding is written: at most `findings.deadline_seconds`; a
    fault of `findings.watcher` meanwhile puts that off until it was healed.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "s"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        limit = None if charge.findings is None else charge.findings.deadline_seconds
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, limit))

    def check(self, timeline: Timeline) -> Verdict:
        """Measure each fault that was found; the slowest one is the value."""
        found = [each for each in self.story(timeline).owed if each.found]
        if not found:
            return self.inconclusive(self.unread(timeline) or "No fault that must be found was found.")
        late = [each for each in found if each.found[0].at_ns > each.limit_ns]
        slowest = max(each.seconds for each in found)
        faults = count(len(found), "fault")
        if not late:
            said = f"The slowest of {faults} was found after {slowest:.1f} s."
            return self.measure.verdict(Status.PASS, slowest, said, samples=len(found))
        lines = [
            f"{each.window.label}, {timeline.moment(each.window.from_ns)}: found at "
            f"{timeline.seconds(each.found[0].at_ns)}, owed by {timeline.seconds(each.limit_ns)}."
            for each in late
        ]
        return self.measure.verdict(
            Status.FAIL,
            slowest,
            f"{len(late):,} of {faults} were found too late, the slowest after {slowest:.1f} s.",
            counterexample=limited(lines),
            samples=len(found),
        )
