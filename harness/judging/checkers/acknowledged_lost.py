"""Every acknowledged record can be read back, from the archive or from the dead letters."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.commonalities import common_lines
from harness.judging.losses import buffered_told, loss_lines
from harness.judging.measure import Measure
from harness.judging.outcomes import Outcomes, destruction, outcomes_of, unread_outlet
from harness.judging.timeline import Entry, Timeline, sequences_text
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "acknowledged loss"
_PLACES_SHOWN = 5


class AcknowledgedLost:
    """Every acknowledged record can be read back, from the archive or from the dead letters.

    A record nobody acknowledged may be stored or not. Missing records that the stack says it still holds are
    late rather than lost, which `fresh_record_seconds` judges. What a fault destroyed on the stack's disk is
    not lost by the stack, as long as the scenario permits it and the stack kept the damage within its
    promise and counted it; one record more is loss. Where no archive exists under its name all are missing,
    and the evidence says so first, since the name may be wrong. Without a whole reading of all outlets, or
    with nothing acknowledged, there is no verdict.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "delivery"
    unit: ClassVar[str] = "records"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge

    def check(self, timeline: Timeline) -> Verdict:
        """Count the acknowledged records without any copy, less those that are excused, destroyed or held."""
        measure = Measure(self.objective, self.dimension, self.unit, 0)
        if unread := unread_outlet(timeline, self._charge):
            return measure.verdict(Status.INCONCLUSIVE, None, unread)
        found = outcomes_of(timeline, self._charge)
        if not found.owed:
            return measure.verdict(
                Status.INCONCLUSIVE, None, "No record was acknowledged, so none could be lost."
            )
        evidence = _evidence(timeline, found, self._charge)
        if found.lost_min:
            return measure.verdict(
                Status.FAIL,
                found.lost_min,
                f"{found.lost_min:,} of {found.owed:,} acknowledged records cannot be read back"
                + (f"; {what}." if (what := self._particulars(timeline, found)) else "."),
                evidence=evidence,
                counterexample=_life(timeline, found.missing[0]),
                vetoes=(VETO,),
            )
        if found.held:
            said = (
                f"{len(found.missing):,} of {found.owed:,} acknowledged records cannot be read back yet; "
                "the stack reports that it still holds them."
            )
            return measure.verdict(Status.INCONCLUSIVE, None, said, evidence)
        kept = found.owed - len(found.excused) - found.destroyed
        if not kept:
            return measure.verdict(
                Status.INCONCLUSIVE,
                None,
                f"Faults excuse all {found.owed:,} acknowledged records, so there is nothing to judge.",
                evidence,
            )
        said = f"All {count(kept, 'acknowledged record')} were read back."
        if kept < found.owed:
            excused = found.owed - kept
            said = (
                f"{kept:,} of {found.owed:,} acknowledged records were read back; faults excuse {excused:,}."
            )
        if found.destroyed:
            said += f" Destroyed by a fault, permitted and counted: {found.destroyed:,}."
        return measure.verdict(Status.PASS, 0, said, evidence)

    def _particulars(self, timeline: Timeline, found: Outcomes) -> str:
        if timeline.absent:
            return "the archive does not exist"
        if found.destroyed or found.held:
            return ""  # which of the missing are lost is unknown, so nothing is said of where they stood
        return buffered_told(timeline, found.missing, self._charge.promises.visible_seconds)


def _evidence(timeline: Timeline, found: Outcomes, charge: Charge) -> tuple[str, ...]:
    unsent = sum(bool(timeline.never_sent_by(entry)) for entry in timeline.entries.values())
    unknown = len(timeline.entries) - found.owed - unsent
    lines = []
    if unknown:
        lines.append(
            f"{count(unknown, 'record was', 'records were')} never acknowledged and may be stored or not."
        )
    if timeline.letters:
        lines.append(
            f"{count(len(timeline.letters), 'record is', 'records are')} readable among the dead letters."
        )
    if found.excused:
        names = sequences_text([entry.sequence for entry in found.excused])
        lines.append(f"Excused, because acknowledged at memory before the application was killed: {names}.")
    if found.missing:
        lines[:0] = _missing(timeline, found, charge)
    if _is_no_faults_doing(timeline, found):
        lines.insert(
            0,
            "Not one record arrived, not even of those before the first fault: `logquake run no_fault` shows "
            "what is lost without any.",
        )
    if timeline.absent:
        lines.insert(0, timeline.absent)
    if timeline.unreadable:
        first = timeline.unreadable[0]
        lines.append(
            f"{count(len(timeline.unreadable), 'stored copy', 'stored copies')} cannot be read, "
            f"e.g. {first.copy}: {first.reason}"
        )
    return tuple(lines)


def _is_no_faults_doing(timeline: Timeline, found: Outcomes) -> bool:
    """Return whether there are faults, and all was lost that was acknowledged before and after they began."""
    steady = timeline.steady()
    return (
        bool(timeline.fault_windows)
        and len(found.missing) == found.owed
        and any(steady.holds(entry.due_ns) for entry in found.missing)
    )


def _missing(timeline: Timeline, found: Outcomes, charge: Charge) -> list[str]:
    lines = loss_lines(timeline, found.missing, charge.promises.visible_seconds)
    lines += [
        f"{len(sequences):,} of them are in {place}, where the stack file does not look: "
        f"{sequences_text(sequences)}."
        for place, sequences in timeline.elsewhere.items()
    ]
    if found.lost_min == len(found.missing):
        lines += common_lines(timeline, found.missing, "missing")
    if found.held:
        lines.append(f"The stack reports that it still holds {found.held:,} of these.")
    destroyed = destruction(timeline, charge)
    if destroyed.permitted:
        lines += [
            destroyed.sentence(),
            *(f"Destroyed: {place}" for place in destroyed.places[:_PLACES_SHOWN]),
        ]
    return lines


def _life(timeline: Timeline, entry: Entry) -> tuple[str, ...]:
    acknowledged_ns = entry.acknowledged_ns or 0
    return (
        f"Record {entry.sequence} was due at {timeline.seconds(entry.due_ns)} on producer {entry.producer}.",
        timeline.call_told(entry),
        f"The stack acknowledged it at {timeline.moment(acknowledged_ns)}.",
        "No copy of it is in the archive" + (" or the dead letters." if timeline.letters_read_whole else "."),
    )
