"""Questions are answered all the time, also from what was known before."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from harness.judging.answer_check import AnswerCheck
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline, Window
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class AnswersMissing(AnswerCheck):
    """Questions are answered all the time, also from what was known before.

    While records are sent, and until the drain begins, no `answers.every_seconds` pass without an answer, be
    the store down or not; while `answers.asker` itself is hurt, no time passes.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "s"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        limit = None if charge.answers is None else charge.answers.every_seconds
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, limit))

    def check(self, timeline: Timeline) -> Verdict:
        """Measure the longest time without an answer."""
        if (undecided := self.undecided(timeline)) is not None:
            return undecided
        began_ns, ended_ns = timeline.began_ns, timeline.phases.get("drain", timeline.ended_ns)
        came = [began_ns, *sorted(each.at_ns for each in timeline.answers), ended_ns]
        moments = [each for each in came if began_ns <= each <= ended_ns]
        hurt = [
            window
            for step, window in timeline.fault_windows
            if self.answers.asker and timeline.fault_targets[step] == self.answers.asker
        ]
        gaps = [
            (_without(hurt, before_ns, after_ns) / SECOND_NS, before_ns)
            for before_ns, after_ns in pairwise(moments)
        ]
        seconds, since_ns = max(gaps, default=(0.0, began_ns))
        said = f"The longest time without an answer was {seconds:.1f} s, from {timeline.moment(since_ns)} on."
        status = Status.PASS if seconds <= self.answers.every_seconds else Status.FAIL
        return self.measure.verdict(status, seconds, said, samples=len(timeline.answers))


def _without(hurt: list[Window], from_ns: int, to_ns: int) -> int:
    """Return how long it was, without the time in which the asker was hurt."""
    lost_ns = sum(max(0, min(each.to_ns, to_ns) - max(each.from_ns, from_ns)) for each in hurt)
    return to_ns - from_ns - lost_ns
