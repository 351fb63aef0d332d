"""How many records an answer may tell, by when each was logged and could first be searched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Entry, Timeline
from harness.judging.told import why_unread
from harness.model.declarations import Answers, Namespaces
from harness.model.facts import AnswerGiven
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict

NOT_PROMISED = "the stack promises no answers"
_CLOCKS_NS = 10_000_000
"""How far a time of day, taken back to the monotonic clock, may be off."""
_ASKING_NS = 5 * SECOND_NS
"""Who says that it asked earlier says that its answer is old."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """An answer tells at least `least` records and at most `most`."""

    least: int
    most: int


def bounds(
    timeline: Timeline, answers: Answers, given: AnswerGiven, namespaces: Namespaces | None = None
) -> Bounds:
    """Return how many records an answer may tell.

    At least those that were surely logged in its time and could be searched before it was asked, or, where it
    says that it is old, so long before. At most those that may have been logged in its time before it came.
    An answer about one of several tenants tells the records of that one. Without tenants, an answer about
    another namespace than the run's own tells none.

    Args:
        timeline: of the scenario.
        answers: what the stack promises of its answers: how soon a record can be searched, and its own
            namespace.
        given: the answer, with the stretch of time that it is about.
        namespaces: the tenants of the run; None where it has none.
    """
    entries: Collection[Entry] = timeline.entries.values()
    if namespaces is not None:
        entries = [each for each in entries if namespaces.tenant(each.sequence) == given.namespace]
    elif given.namespace != answers.own_namespace:
        return Bounds(0, 0)
    asked_ns = max(given.asked_ns, given.at_ns - _ASKING_NS) - given.stale_ns
    known_ns = asked_ns - int(answers.visible_seconds * SECOND_NS)
    least = sum(_is_surely_within(each, given) and _is_seen(each, known_ns) for each in entries)
    return Bounds(least, sum(_may_be_within(each, given) for each in entries))


def _is_seen(entry: Entry, by_ns: int) -> bool:
    return entry.first_seen_ns is not None and entry.first_seen_ns <= by_ns


def _is_surely_within(entry: Entry, given: AnswerGiven) -> bool:
    if entry.sent_ns is None or entry.returned_ns is None:
        return False
    return given.from_ns + _CLOCKS_NS <= entry.sent_ns and entry.returned_ns <= given.to_ns - _CLOCKS_NS


def _may_be_within(entry: Entry, given: AnswerGiven) -> bool:
    if entry.sent_ns is None or entry.sent_ns > given.at_ns:
        return False
    ended_ns = given.at_ns if entry.returned_ns is None else entry.returned_ns
    return given.from_ns - _CLOCKS_NS <= ended_ns and entry.sent_ns <= given.to_ns + _CLOCKS_NS


class AnswerCheck:
    """A check of what a stack answers about what it stored.

    Args:
        charge: what is to be judged.
        measure: on which scale.
    """

    def __init__(self, charge: Charge, measure: Measure) -> None:
        self._is_promised = charge.answers is not None
        self.answers = charge.answers or Answers("")
        self.namespaces = charge.namespaces
        self.measure = measure

    def lacks(self) -> str:
        """Say what is missing where there is nothing to judge."""
        return "" if self._is_promised else NOT_PROMISED

    def undecided(self, timeline: Timeline) -> Verdict | None:
        """Return why nothing can be judged; None where it can."""
        said = why_unread(timeline.answers_read, "answers")
        if not said and timeline.answers:
            return None
        said = said or "The stack answered nothing."
        return self.measure.verdict(Status.INCONCLUSIVE, None, said)
