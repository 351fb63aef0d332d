"""No record is stored more often than the stack promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.commonalities import common_lines
from harness.judging.measure import Measure
from harness.judging.outcomes import unread_outlet
from harness.judging.reconnects import reconnect_lines
from harness.judging.resending import cut_lines
from harness.judging.timeline import Timeline, sequences_text
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class Duplicated:
    """No record is stored more often than `copies_max`, acknowledged or not. The oracle never sends twice.

    Copies in the archive and in the dead letters count together: where a record is in both, nobody can tell
    whether it was delivered.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "integrity"
    unit: ClassVar[str] = "records"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._copies_max = charge.promises.copies_max
        self._charge = charge
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the records with too many copies."""
        places = _places(timeline)
        many = {sequence: found for sequence, found in places.items() if len(found) > self._copies_max}
        allowed = count(self._copies_max, "copy", "copies")
        if many:
            first = min(many)
            entry = timeline.entries[first]
            ambiguous = [
                sequence for sequence in many if sequence in timeline.copies and sequence in timeline.letters
            ]
            return self._measure.verdict(
                Status.FAIL,
                len(many),
                f"{len(many):,} of {len(places):,} stored records have more than {allowed}.",
                (
                    f"Duplicated: {sequences_text(list(many))}.",
                    *_said_how_often(many, self._copies_max),
                    *common_lines(timeline, [timeline.entries[each] for each in many], "duplicated"),
                    *_said_ambiguous(ambiguous),
                ),
                (
                    f"Record {first} was sent once, at {timeline.moment(entry.sent_ns or entry.due_ns)}.",
                    *cut_lines(timeline, entry, self._charge.promises.visible_seconds),
                    *reconnect_lines(timeline, entry, self._charge.promises.visible_seconds),
                    *(f"Copy {number}: {place}" for number, place in enumerate(many[first][:5], start=1)),
                ),
            )
        if why := unread_outlet(timeline, self._charge) or ("" if places else "No record was found."):
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        said = f"All {count(len(places), 'stored record')} have at most {allowed}."
        return self._measure.verdict(Status.PASS, 0, said)


def _places(timeline: Timeline) -> dict[int, list[str]]:
    """Return where each record's copies lie, archive first."""
    places = {sequence: [found.copy for found in copies] for sequence, copies in timeline.copies.items()}
    for sequence, letters in timeline.letters.items():
        places.setdefault(sequence, []).extend(f"dead letters: {letter.copy}" for letter in letters)
    return places


def _said_how_often(many: Mapping[int, Sequence[str]], copies_max: int) -> tuple[str, ...]:
    """Say how many copies are too many, where they are more than the records that they are of."""
    too_many = sum(len(found) - copies_max for found in many.values())
    if too_many == len(many):
        return ()
    most = max(many, key=lambda sequence: len(many[sequence]))
    return (f"{too_many:,} copies are too many; record {most} has {len(many[most]):,}.",)


def _said_ambiguous(sequences: Sequence[int]) -> tuple[str, ...]:
    if not sequences:
        return ()
    return (f"Both in the archive and in the dead letters: {sequences_text(sequences)}.",)
