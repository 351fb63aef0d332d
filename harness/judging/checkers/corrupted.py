"""Every stored line is, byte for byte, a line that was sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.commonalities import common_lines
from harness.judging.measure import Measure
from harness.judging.outcomes import unread_outlet
from harness.judging.timeline import Entry, Timeline
from harness.judging.wording import count
from harness.model.facts import DeadLettered, Found, Unreadable
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "undetected corruption"


class Corrupted:
    """Every stored line is, byte for byte, a line that was sent: none changed, none torn, none invented.

    What the stack file declares under `transforms` is no change, as long as it explains every difference.
    That holds for dead letters as well: a person has to be able to send them again. A copy that cannot be
    read at all proves no line; it counts here and is named.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "integrity"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge
        self._measure = Measure(self.objective, self.dimension, "copies", 0)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the copies whose text differs from what was sent, or that carry no identity of this run."""
        copies: list[tuple[int, Found | DeadLettered]] = [
            *((sequence, found) for sequence, archived in timeline.copies.items() for found in archived),
            *((sequence, letter) for sequence, letters in timeline.letters.items() for letter in letters),
        ]
        changed = [
            found
            for sequence, found in copies
            if found.digest != timeline.entries[sequence].digest and not found.transformed
        ]
        transformed = sum(found.transformed for _, found in copies)
        strays: list[Found | DeadLettered] = [*timeline.strays, *timeline.stray_letters]
        unreadable = len(timeline.unreadable)
        found_wrong: list[Found | DeadLettered | Unreadable] = [*changed, *strays, *timeline.unreadable]
        total = len(strays) + len(copies) + unreadable
        if found_wrong:
            parts = (
                (len(changed), "differ from what was sent"),
                (len(strays), "carry no identity of this run (invented or torn)"),
                (unreadable, "cannot be read"),
            )
            told = ", ".join(f"{number:,} {what}" for number, what in parts if number)
            return self._measure.verdict(
                Status.FAIL,
                len(found_wrong),
                f"{len(found_wrong):,} of {total:,} stored copies are wrong: {told}.",
                evidence=tuple(common_lines(timeline, _entries(timeline, changed), "changed")),
                counterexample=_shown(found_wrong[0]),
                # What shows itself as damaged is no undetected corruption.
                vetoes=(VETO,) if changed or strays else (),
            )
        if why := unread_outlet(timeline, self._charge) or ("" if total else "No record was found."):
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        said = f"All {count(total, 'stored copy', 'stored copies')} equal what was sent, byte for byte"
        said += f", {transformed:,} of them after a declared transform." if transformed else "."
        return self._measure.verdict(Status.PASS, 0, said)


def _entries(timeline: Timeline, copies: Iterable[Found | DeadLettered]) -> list[Entry]:
    """Return the records that copies are of, each once."""
    sequences = {found.sequence for found in copies if found.sequence is not None}
    return [timeline.entries[sequence] for sequence in sorted(sequences)]


def _shown(found: Found | DeadLettered | Unreadable) -> tuple[str, ...]:
    if isinstance(found, Unreadable):
        return (f"The copy at {found.copy} cannot be read: {found.reason}", f"It holds: {found.excerpt!r}")
    name = "A copy without identity" if found.sequence is None else f"A copy of record {found.sequence}"
    if not found.differs_at:
        return (f"{name} is at {found.copy}", f"It reads: {found.excerpt!r}")
    return (
        f"{name} is at {found.copy}; it differs from character {found.differs_at:,} on.",
        f"Sent:   {found.expected!r}",
        f"Stored: {found.excerpt!r}",
    )
