"""What the store refuses for good, and nothing else, ends among the dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.outcomes import fates, unread_outlet
from harness.judging.timeline import Timeline, sequences_text
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class DeadLettersMisplaced:
    """What the store refuses for good, and nothing else, ends among the dead letters.

    A record that the store would have taken does not belong there: nobody looks for it in that place, so it
    was given up rather than delivered. A record that the store refused for good belongs nowhere else: one
    that reached the archive later was sent again and again until the fault was gone.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "delivery"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge
        self._measure = Measure(self.objective, self.dimension, "records", 0)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return "" if self._charge.dead_letters else "the stack declares no dead_letters"

    def check(self, timeline: Timeline) -> Verdict:
        """Compare the dead letters with what was refused for good."""
        why = unread_outlet(timeline, self._charge)
        if not why and not timeline.letters_read_whole:
            why = "the dead letters were not read whole"
        if not why and not (timeline.copies or timeline.letters):
            why = "no record was found"
        if why:
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        given_up = [sequence for sequence in timeline.letters if sequence not in timeline.poison]
        forced = [n for n in timeline.poison if n in timeline.copies and n not in timeline.letters]
        gone = [
            entry.sequence
            for entry in fates(timeline, self._charge).missing
            if entry.sequence in timeline.poison
        ]
        evidence = (
            f"the store refused {len(timeline.poison):,} records for good; "
            f"{len(timeline.letters):,} records are among the dead letters",
        )
        if given_up and timeline.poison_unknown:
            why = (
                f"{len(given_up):,} dead letters may be records refused for good: nobody can tell which were"
            )
            return self._measure.verdict(Status.INCONCLUSIVE, None, why, evidence)
        if not (given_up or forced or gone):
            said = f"the dead letters hold exactly the {len(timeline.poison):,} records refused for good"
            return self._measure.verdict(Status.PASS, 0, said, evidence)
        return self._measure.verdict(
            Status.FAIL,
            len(given_up) + len(forced) + len(gone),
            f"{len(given_up):,} records were given up although the store never refused them for good, "
            f"{len(forced):,} refused for good were sent again until the store took them, "
            f"{len(gone):,} are in no place at all",
            (*evidence, *_named("given up", given_up), *_named("sent again", forced), *_named("gone", gone)),
            _life(timeline, min([*given_up, *forced, *gone])),
        )


def _named(what: str, sequences: Sequence[int]) -> tuple[str, ...]:
    return (f"{what}: {sequences_text(sequences)}",) if sequences else ()


def _life(timeline: Timeline, sequence: int) -> tuple[str, ...]:
    lines: list[str] = []
    if (entry := timeline.entries.get(sequence)) is not None:
        sent_ns = entry.sent_ns or entry.due_ns
        lines.append(
            f"record {sequence} was sent at {timeline.seconds(sent_ns)}, {timeline.what_was_on(sent_ns)}"
        )
    if sequence in timeline.poison:
        lines.append("the store refused it for good")
    else:
        lines.append("the store never refused it for good")
    lines += [
        f"it is among the dead letters at {letter.copy}: {letter.reason or 'no reason given'}"
        for letter in timeline.letters.get(sequence, ())
    ]
    lines += [f"it is in the archive at {found.copy}" for found in timeline.copies.get(sequence, ())]
    return tuple(lines)
