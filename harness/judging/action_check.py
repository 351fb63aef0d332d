"""What the checks of actions share: when there is something to judge, and which faults are owed one."""

from __future__ import annotations

from harness.judging.checker import Charge, lasting_causes
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline, Window
from harness.judging.told import why_unread
from harness.model.declarations import Actions
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict

NOT_PROMISED = "the stack promises no actions"


class ActionCheck:
    """A check of what a stack does about what it finds.

    Args:
        charge: what is to be judged.
        measure: on which scale.
        is_about_faults: whether there must be a fault that has to be acted on.
    """

    def __init__(self, charge: Charge, measure: Measure, *, is_about_faults: bool = True) -> None:
        self._charge = charge
        self._is_about_faults = is_about_faults
        self.actions = charge.actions or Actions("", "", "", "")
        self.measure = measure

    def lacks(self) -> str:
        """Say what is missing where there is nothing to judge."""
        if self._charge.actions is None:
            return NOT_PROMISED
        seconds = self.actions.fault_seconds_min
        if self._is_about_faults and not self.actions.acts_on(lasting_causes(self._charge, seconds)):
            return f"no fault that must be acted on lasts {seconds:g} s"
        return ""

    def owed(self, timeline: Timeline) -> list[tuple[Window, int]]:
        """Return the faults about which something had to be done, each with the time by which."""
        least_ns = self.actions.fault_seconds_min * SECOND_NS
        return [
            (window, self._limit_ns(timeline, window, self._charge.causes[step]))
            for step, window in timeline.fault_windows
            if step < len(self._charge.causes)
            and self.actions.acts_on(self._charge.causes[step])
            and window.to_ns - window.from_ns >= least_ns
        ]

    def _limit_ns(self, timeline: Timeline, fault: Window, causes: frozenset[str]) -> int:
        deadline_ns = int(self.actions.deadline_seconds * SECOND_NS)
        limit_ns = deadline_ns + (fault.to_ns if self.actions.waits(causes) else fault.from_ns)
        for step, window in sorted(timeline.fault_windows, key=lambda each: each[1].from_ns):
            is_hurt = timeline.fault_targets[step] in self.actions.on_the_way
            if is_hurt and window.from_ns <= limit_ns and window.to_ns > fault.from_ns:
                limit_ns = max(limit_ns, window.to_ns + deadline_ns)
        return limit_ns

    def unread(self, timeline: Timeline) -> str:
        """Say why not all is known that was done; empty where it is."""
        return why_unread(timeline.actions_read, "actions", pieces="messages")

    def inconclusive(self, summary: str) -> Verdict:
        """Return that nothing was decided.

        Args:
            summary: why not, as a sentence for a report.
        """
        return self.measure.verdict(Status.INCONCLUSIVE, None, summary)
