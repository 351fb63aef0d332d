"""A finding names the cause that the fault is."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import limited
from harness.judging.checker import Charge
from harness.judging.finding_story import FindingCheck, Owed, names_a_cause, told
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


def _first_says(owed: Owed) -> str:
    """Return what the stack says of the first finding about a fault, as a sentence; empty where nothing."""
    said = owed.found[0].says
    return f"It says: {told(owed.found[0])}" if said else ""


class FindingsMisnamed(FindingCheck):
    """A finding names the cause that the fault is.

    Of what is found about a fault, at least one names where its cause lies. A store that is down and one that
    cannot be reached look the same from afar, so either name is right for both.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "faults"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the faults that were found under other names only."""
        found = [each for each in self.story(timeline).owed if each.found]
        if not found:
            return self.inconclusive(self.unread(timeline) or "No fault that must be found was found.")
        wrong = [
            each
            for each in found
            if not any(names_a_cause(each, finding, self._findings) for finding in each.found)
        ]
        faults = count(len(found), "fault")
        if not wrong:
            return self.measure.verdict(
                Status.PASS, 0, f"The cause of {faults} was named.", samples=len(found)
            )
        lines = [
            f"{each.window.label}: found as {', '.join(sorted({one.cause for one in each.found}))}; "
            f"it is {' or '.join(sorted(each.causes))}. {_first_says(each)}".rstrip()
            for each in wrong
        ]
        return self.measure.verdict(
            Status.FAIL,
            len(wrong),
            f"{len(wrong):,} of {faults} were found under a wrong cause.",
            counterexample=limited(lines),
            samples=len(found),
        )
