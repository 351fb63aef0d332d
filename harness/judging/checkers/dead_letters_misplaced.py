"""What the store refuses for good, and nothing else, ends among the dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.outcomes import outcomes_of, unread_outlet
from harness.judging.timeline import Timeline, sequences_text
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class DeadLettersMisplaced:
    """What the store refuses for good, and nothing else, ends among the dead letters.

    A record that the store would have taken does not belong there: nobody looks for it in that place, so it
    was given up rather than delivered. A record that the store refused for good belongs nowhere else: one
    that reached the archive later was sent again and again until the fault was gone. Only one that was first
    refused just before the healing may be there: the stack had no time to find out that it was for good.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "delivery"
    unit: ClassVar[str] = "records"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return "" if self._charge.dead_letters else "the stack declares no dead_letters"

    def check(self, timeline: Timeline) -> Verdict:
        """Compare the dead letters with what was refused for good."""
        why = unread_outlet(timeline, self._charge)
        if not why and not timeline.letters_read_whole:
            why = "The dead letters were not read whole."
        if not why and not (timeline.copies or timeline.letters):
            why = "No record was found."
        if why:
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        given_up = [sequence for sequence in timeline.letters if sequence not in timeline.poison]
        stored = [n for n in timeline.poison if n in timeline.copies and n not in timeline.letters]
        forced = [n for n in stored if _was_early(timeline, timeline.poison[n])]
        late = [n for n in stored if n not in forced]
        gone = [
            entry.sequence
            for entry in outcomes_of(timeline, self._charge).missing
            if entry.sequence in timeline.poison
        ]
        refused, letters = len(timeline.poison), len(timeline.letters)
        evidence = (
            *((f"The store refused {count(refused, 'record')} for good.",) if refused else ()),
            *((f"{count(letters, 'record is', 'records are')} among the dead letters.",) if letters else ()),
            *_named("Refused just before the healing and stored after it", late),
        )
        if given_up and timeline.poison_unknown:
            why = f"{len(given_up):,} of {letters:,} dead letters may be misplaced: the refusals are unknown."
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, evidence)
        if not (given_up or forced or gone):
            return self._measure.verdict(Status.PASS, 0, _in_place(refused, letters, len(late)), evidence)
        parts = (
            (given_up, "given up although the store never refused them for good"),
            (forced, "refused for good, but sent again until the store took them"),
            (gone, "refused for good and cannot be found anywhere"),
        )
        return self._measure.verdict(
            Status.FAIL,
            len(given_up) + len(forced) + len(gone),
            "; ".join(
                f"{count(len(found), 'record was', 'records were')} {what}" for found, what in parts if found
            )
            + ".",
            (*evidence, *_named("Given up", given_up), *_named("Sent again", forced), *_named("Gone", gone)),
            _life(timeline, min([*given_up, *forced, *gone])),
        )


def _was_early(timeline: Timeline, noted_ns: int) -> bool:
    """Return whether a refusal was known while the fault was on, early enough for the stack to find out."""
    return any(window.holds(noted_ns) for _, window in timeline.fault_windows)


def _in_place(refused: int, letters: int, late: int) -> str:
    if letters:
        return f"All {count(letters, 'dead letter')} were refused for good by the store."
    if late:
        records = count(late, "record was", "records were")
        return f"{records} refused just before the healing, and stored after it."
    if refused:
        records = count(refused, "record was", "records were")
        return f"{records} refused for good; the stack owed none of them, and there are no dead letters."
    return "Nothing was refused for good; there are no dead letters."


def _named(what: str, sequences: Sequence[int]) -> tuple[str, ...]:
    return (f"{what}: {sequences_text(sequences)}.",) if sequences else ()


def _life(timeline: Timeline, sequence: int) -> tuple[str, ...]:
    lines: list[str] = []
    if (entry := timeline.entries.get(sequence)) is not None:
        sent_ns = entry.sent_ns or entry.due_ns
        lines.append(f"Record {sequence} was sent at {timeline.moment(sent_ns)}.")
    if sequence in timeline.poison:
        lines.append("The store refused it for good.")
    else:
        lines.append("The store never refused it for good.")
    lines += [
        f"It is among the dead letters at {letter.copy}: {letter.reason or 'no reason given'}"
        for letter in timeline.letters.get(sequence, ())
    ]
    lines += [f"It is in the archive at {found.copy}" for found in timeline.copies.get(sequence, ())]
    return tuple(lines)
