"""A record that is neither refused nor counted as dropped is acknowledged: a stack does not fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure, given_limit
from harness.judging.timeline import Entry, Timeline, sequences_text
from harness.judging.wording import count
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

SHARE_MAX_PERCENT = 1.0
UNDER_WAY_SECONDS = 5.0
"""How long before the application's death a record may have been sent without an answer yet."""

DROPPED = "dropped"


class UnacknowledgedPercent:
    """A record that is neither refused nor counted as dropped is acknowledged in the end.

    A stack that takes records and never says a word about them loses nothing that it owes; it must not look
    good for that. What it counts as dropped is excused, as are records that were under way when a fault
    killed the application. At most one due record in a hundred may be left over.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "degradation"
    unit: ClassVar[str] = "%"

    def __init__(self, charge: Charge, *, limit_percent: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_percent: percent of the due records at most; by default 1.
        """
        self._limit_percent = given_limit("limit_percent", limit_percent) or SHARE_MAX_PERCENT
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit_percent)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the due records that were never acknowledged and that nothing accounts for."""
        due = timeline.scheduled()
        if not due:
            return self._measure.verdict(Status.INCONCLUSIVE, None, "No record was due.")
        if "read back" not in timeline.phases:
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, "The run ended before the last answers were seen."
            )
        silent = [entry for entry in due if entry.acknowledged_ns is None and entry.refused_ns is None]
        unsent = _not_held_up_by_the_stack(timeline, silent)
        killed = [entry for entry in silent if _was_under_way_at_a_kill(timeline, entry)]
        nowhere = sum(not timeline.kept(entry.sequence) for entry in silent)
        dropped = min(nowhere, max(0, int(timeline.counter(DROPPED) or 0)))
        unexplained = max(0, len(silent) - len(unsent) - len(killed) - dropped)
        percent = 100 * unexplained / len(due)
        said = f"All {count(len(due), 'record')} were acknowledged or refused."
        if silent and not unexplained:
            said = f"All {count(len(due), 'record')} were acknowledged, refused or accounted for."
        elif silent:
            said = (
                f"{unexplained:,} of {len(due):,} records were neither acknowledged nor refused "
                f"({percent:.1f} %; at most {self._limit_percent:g} % allowed)."
            )
        evidence = _evidence(len(silent), dropped, len(killed), len(unsent))
        if percent > self._limit_percent:
            return self._measure.verdict(
                Status.FAIL,
                percent,
                said,
                (*evidence, _named(silent)),
                _life(timeline, silent, unsent, killed),
            )
        if 100 * len(unsent) > self._limit_percent * len(due):
            said = f"{len(unsent):,} of {len(due):,} records were never handed to the stack."
            return self._measure.verdict(Status.INCONCLUSIVE, None, said, evidence)
        return self._measure.verdict(Status.PASS, percent, said, evidence)


def _not_held_up_by_the_stack(timeline: Timeline, silent: Sequence[Entry]) -> list[Entry]:
    """Return the records never handed over, by producers that no earlier call held up or that were gone."""
    gone = [
        (each.process, window)
        for each in timeline.sender_exits()
        if (window := timeline.gone(each.process)) is not None
    ]
    stuck = {
        entry.producer
        for entry in timeline.entries.values()
        if entry.sent_ns is not None and entry.returned_ns is None
    }
    return [
        entry
        for entry in silent
        if entry.sent_ns is None
        and (
            entry.producer not in stuck
            or any(
                window.holds(entry.due_ns) and timeline.sends(process, entry.producer)
                for process, window in gone
            )
        )
    ]


def _was_under_way_at_a_kill(timeline: Timeline, entry: Entry) -> bool:
    sent_ns = entry.sent_ns
    return sent_ns is not None and any(
        0 <= killed_ns - sent_ns <= UNDER_WAY_SECONDS * SECOND_NS
        for killed_ns in timeline.kills_ns(entry.producer)
    )


def _evidence(silent: int, dropped: int, killed: int, unsent: int) -> tuple[str, ...]:
    """Say what accounts for the records that were neither acknowledged nor refused."""
    parts = (
        (silent, "neither acknowledged nor refused."),
        (dropped, "counted as dropped by the stack."),
        (killed, "under way when the application was killed."),
        (unsent, "never handed to the stack."),
    )
    return tuple(f"{count(number, 'record was', 'records were')} {what}" for number, what in parts if number)


def _named(silent: Sequence[Entry]) -> str:
    return f"Neither acknowledged nor refused: {sequences_text([entry.sequence for entry in silent])}."


def _life(
    timeline: Timeline, silent: Sequence[Entry], unsent: Sequence[Entry], killed: Sequence[Entry]
) -> tuple[str, ...]:
    explained = {entry.sequence for entry in (*unsent, *killed)}
    entry = next(entry for entry in silent if entry.sequence not in explained)
    return (
        f"Record {entry.sequence} was due at {timeline.moment(entry.due_ns)}.",
        timeline.call_told(entry),
        "It was never acknowledged, never refused, and is not counted as dropped.",
    )
