"""Every acknowledged record can be read back, from the archive or from the dead letters."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.outcomes import Fates, destruction, fates, unread_outlet
from harness.judging.timeline import Entry, Timeline, sequences_text
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

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge

    def check(self, timeline: Timeline) -> Verdict:
        """Count the acknowledged records without any copy, less those that are excused, destroyed or held."""
        measure = Measure(self.objective, self.dimension, "records", 0)
        if unread := unread_outlet(timeline, self._charge):
            return measure.verdict(Status.INCONCLUSIVE, None, unread)
        found = fates(timeline, self._charge)
        if not found.owed:
            return measure.verdict(
                Status.INCONCLUSIVE, None, "nothing was acknowledged, so nothing could be lost"
            )
        evidence = _evidence(timeline, found, self._charge)
        if found.lost_min:
            return measure.verdict(
                Status.FAIL,
                found.lost_min,
                f"{found.lost_min:,} of {found.owed:,} acknowledged records cannot be read back"
                + (": the archive does not exist" if timeline.absent else ""),
                evidence=evidence,
                counterexample=_life(timeline, found.missing[0]),
                vetoes=(VETO,),
            )
        if found.held:
            said = f"{len(found.missing):,} acknowledged records cannot be read back yet"
            return measure.verdict(
                Status.INCONCLUSIVE, None, f"{said}; the stack says it still holds them", evidence=evidence
            )
        kept = found.owed - len(found.excused) - found.destroyed
        if not kept:
            return measure.verdict(
                Status.INCONCLUSIVE, None, "nothing that was owed outlived the fault", evidence
            )
        said = f"all {kept:,} acknowledged records that are owed were read back"
        if found.destroyed:
            said += f"; destroyed by a fault, permitted and counted: {found.destroyed:,}"
        return measure.verdict(Status.PASS, 0, said, evidence)


def _evidence(timeline: Timeline, found: Fates, charge: Charge) -> tuple[str, ...]:
    unknown = len(timeline.entries) - found.owed
    lines = [f"{unknown:,} records were never acknowledged and may be stored or not"]
    if timeline.letters:
        lines.append(f"{len(timeline.letters):,} records are among the dead letters, where they can be read")
    if found.excused:
        names = sequences_text([entry.sequence for entry in found.excused])
        lines.append(f"excused, acknowledged at memory before the application was killed: {names}")
    if found.missing:
        lines[:0] = _missing(timeline, found, charge)
    if timeline.absent:
        lines.insert(0, timeline.absent)
    if timeline.unreadable:
        first = timeline.unreadable[0]
        lines.append(
            f"{len(timeline.unreadable):,} stored copies cannot be read, e.g. {first.copy}: {first.reason}"
        )
    return tuple(lines)


def _missing(timeline: Timeline, found: Fates, charge: Charge) -> list[str]:
    lines = [f"missing: {sequences_text([entry.sequence for entry in found.missing])}"]
    if found.held:
        lines.append(f"{found.held:,} of these at most are what the stack says it still holds")
    destroyed = destruction(timeline, charge)
    if destroyed.permitted:
        lines += [
            destroyed.sentence(),
            *(f"destroyed: {place}" for place in destroyed.places[:_PLACES_SHOWN]),
        ]
    return lines


def _life(timeline: Timeline, entry: Entry) -> tuple[str, ...]:
    acknowledged_ns = entry.acknowledged_ns or 0
    return (
        f"record {entry.sequence} was due at {timeline.seconds(entry.due_ns)} on producer {entry.producer}",
        timeline.call_told(entry),
        f"the stack acknowledged it at {timeline.moment(acknowledged_ns)}",
        "no copy of it is in the archive" + (" or the dead letters" if timeline.letters_read_whole else ""),
    )
