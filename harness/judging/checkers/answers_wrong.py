"""What the stack answers about its records is true of the time that it says."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.alert_check import limited
from harness.judging.answer_check import AnswerCheck, Bounds, bounds
from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.facts import AnswerGiven
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class AnswersWrong(AnswerCheck):
    """What the stack answers about its records is true of the time that it says.

    An answer of now tells every record of the time asked about that anybody could search when it was asked,
    and none that had not been logged when it came. One that says how old it is, is judged as of then. An
    answer about one of several tenants (`namespaces`) tells the records of that one; where there are none, an
    answer about another namespace than the run's own tells none of its records.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "self-observability"
    unit: ClassVar[str] = "answers"
    needs_end: ClassVar[bool] = True
    needs_first_seen: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        super().__init__(charge, Measure(self.objective, self.dimension, self.unit, 0))

    def check(self, timeline: Timeline) -> Verdict:
        """Count the answers that tell too few records or too many."""
        judged = [
            (given, bounds(timeline, self.answers, given, self.namespaces)) for given in timeline.answers
        ]
        own = self.answers.own_namespace if self.namespaces is None else None
        wrong = [(given, owed) for given, owed in judged if not owed.least <= given.records <= owed.most]
        answers = count(len(judged), "answer")
        if wrong:
            return self.measure.verdict(
                Status.FAIL,
                len(wrong),
                f"{len(wrong):,} of {answers} are wrong.",
                counterexample=limited([_line(timeline, own, *each) for each in wrong]),
                samples=len(judged),
            )
        if (undecided := self.undecided(timeline)) is not None:
            return undecided
        old = sum(given.stale_ns > 0 for given, _ in judged)
        said = f"{answers} are right{f'; {old:,} said how old they were' if old else ''}."
        return self.measure.verdict(Status.PASS, 0, said, samples=len(judged))


def _line(timeline: Timeline, own: str | None, given: AnswerGiven, owed: Bounds) -> str:
    asked = timeline.moment(given.asked_ns)
    claimed = f"{given.stale_ns / SECOND_NS:.1f} s old" if given.stale_ns else "of now"
    if own is not None and given.namespace != own:
        return f"asked at {asked} about {given.namespace}: {given.records:,} records, which are all of {own}."
    about = f" about {given.namespace}" if given.namespace and own is None else ""
    said = f"asked at {asked}{about}, {claimed}: {given.records:,} records"
    if given.records < owed.least:
        return f"{said}; {owed.least:,} could be searched then."
    return f"{said}; {owed.most:,} had been logged."
