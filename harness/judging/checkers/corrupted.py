"""Every stored line is, byte for byte, a line that was sent, and has the fields that it was sent with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.commonalities import common_lines
from harness.judging.measure import Measure
from harness.judging.outcomes import unread_outlet
from harness.judging.stored_fields import Comparison, compare_fields
from harness.judging.timeline import Entry, Timeline
from harness.judging.wording import count
from harness.model.facts import DeadLettered, Found, Unreadable
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "undetected corruption"


# A cut may fall within a character of UTF-8.
_TORN_BYTES_MAX = 3


class Corrupted:
    """Every stored line is, byte for byte, a line that was sent: none changed, none torn, none invented.

    What the stack file declares under `transforms` is no change, as long as it explains every difference.
    That holds for dead letters as well: a person has to be able to send them again. A line that ends too
    early is truncated: a WARN where the stack promises to cut only what is longer than `line_bytes_max` and
    kept that much of it. A copy that cannot be read at all proves no line; it counts here and is named.

    Where the stack file names `fields` of a stored document (time, level, logger, sequence), an archived copy
    of a right line has to have in them what that record was sent with: a text that stands in another record's
    document shows there.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "integrity"
    unit: ClassVar[str] = "copies"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge
        self._line_bytes_max = charge.promises.line_bytes_max
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def check(self, timeline: Timeline) -> Verdict:
        """Count the copies whose text differs from what was sent, or that carry no identity of this run."""
        copies = _copies(timeline)
        right, differ = _by_text(timeline, copies)
        cut = [found for found in differ if self._may_be_cut(found)]
        fields = compare_fields(timeline, right, self._charge.fields)
        wrong = _Wrong(
            [found for found in differ if found.cut_at_bytes and not self._may_be_cut(found)],
            [found for found in differ if not found.cut_at_bytes],
            [*timeline.strays, *timeline.stray_letters],
            timeline.unreadable,
            fields,
        )
        total = len(wrong.strays) + len(copies) + len(wrong.unreadable)
        if wrong.all:
            return self._measure.verdict(
                Status.FAIL,
                len(wrong.all),
                f"{len(wrong.all):,} of {total:,} stored copies are wrong: "
                f"{wrong.told(self._line_bytes_max)}.",
                evidence=(
                    *common_lines(timeline, _entries(timeline, [*wrong.changed, *wrong.cut]), "changed"),
                    *_told_whole(timeline),
                ),
                counterexample=wrong.shown(),
                # What shows itself as damaged is no undetected corruption.
                vetoes=(VETO,) if len(wrong.all) > len(wrong.unreadable) else (),
            )
        if fields.misnamed:
            return self._measure.verdict(Status.ERROR, None, _told_misnamed(fields))
        if why := self._unproved(timeline, total, fields):
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        if cut:
            return self._measure.verdict(
                Status.WARN,
                len(cut),
                f"{len(cut):,} of {total:,} stored copies ({len(cut) / total:.1%}) are truncated {_at(cut)}; "
                f"the stack promises to keep {self._line_bytes_max:,} bytes of a line (line_bytes_max).",
                counterexample=_shown(cut[0]),
            )
        return self._measure.verdict(Status.PASS, 0, _told_right(copies, total, fields))

    def _unproved(self, timeline: Timeline, total: int, fields: Comparison) -> str:
        """Say why copies that are right prove nothing; empty where they do."""
        if why := unread_outlet(timeline, self._charge) or ("" if total else "No record was found."):
            return why
        return f"The load does not tell what it sent as {', '.join(fields.untold)}." if fields.untold else ""

    def _may_be_cut(self, found: Found | DeadLettered) -> bool:
        """Return whether a copy was cut no shorter than the stack promises."""
        return (
            self._line_bytes_max is not None and found.cut_at_bytes + _TORN_BYTES_MAX >= self._line_bytes_max
        )


@dataclass(frozen=True, slots=True)
class _Wrong:
    """The copies that are not what was sent, by what is wrong with them."""

    cut: Sequence[Found | DeadLettered]
    changed: Sequence[Found | DeadLettered]
    strays: Sequence[Found | DeadLettered]
    unreadable: Sequence[Unreadable]
    fields: Comparison

    @property
    def all(self) -> list[Found | DeadLettered | Unreadable]:
        """Return all of them."""
        return [*self.by_text, *self.fields.differing]

    @property
    def by_text(self) -> list[Found | DeadLettered | Unreadable]:
        """Return those whose text is not what was sent."""
        return [*self.changed, *self.cut, *self.strays, *self.unreadable]

    def shown(self) -> tuple[str, ...]:
        """Return the story of the first of them."""
        return _shown(self.by_text[0]) if self.by_text else self.fields.story

    def told(self, line_bytes_max: int | None) -> str:
        """Say how many there are of each."""
        promise = (
            "and the stack promises no line_bytes_max"
            if line_bytes_max is None
            else f"though the stack promises line_bytes_max {line_bytes_max:,}"
        )
        parts = (
            (len(self.changed), "differ from what was sent"),
            (len(self.cut), f"are truncated {_at(self.cut)}, {promise}"),
            (len(self.strays), "carry no identity of this run (invented or torn)"),
            (len(self.unreadable), "cannot be read"),
            (len(self.fields.differing), self.fields.told()),
        )
        return ", ".join(f"{number:,} {what}" for number, what in parts if number)


def _copies(timeline: Timeline) -> list[tuple[int, Found | DeadLettered]]:
    return [
        *((sequence, found) for sequence, archived in timeline.copies.items() for found in archived),
        *((sequence, letter) for sequence, letters in timeline.letters.items() for letter in letters),
    ]


def _by_text(
    timeline: Timeline, copies: Sequence[tuple[int, Found | DeadLettered]]
) -> tuple[list[Found], list[Found | DeadLettered]]:
    """Return the archived copies whose text is right, and all copies whose text is not."""
    right: list[Found] = []
    differ: list[Found | DeadLettered] = []
    for sequence, found in copies:
        if found.digest != timeline.entries[sequence].digest and not found.transformed:
            differ.append(found)
        elif isinstance(found, Found):
            right.append(found)
    return right, differ


def _told_whole(timeline: Timeline) -> Iterable[str]:
    return (
        f"The archive holds them whole in another place: `{each.place}`, e.g. in {each.copy}."
        for each in timeline.whole_elsewhere
    )


def _told_misnamed(fields: Comparison) -> str:
    paths = " and ".join(fields.misnamed)
    return (
        f"No stored copy has a value that can be read at {paths}: correct the path in the stack file, or "
        "remove it where the stack stores no such thing."
    )


def _told_right(copies: Sequence[tuple[int, Found | DeadLettered]], total: int, fields: Comparison) -> str:
    transformed = sum(found.transformed for _, found in copies)
    said = f"All {count(total, 'stored copy', 'stored copies')} equal what was sent, byte for byte"
    if transformed:
        said += f", {transformed:,} of them after a declared transform"
    if fields.names:
        *others, last = fields.names
        said += f"; {', '.join(others)} and {last} are as sent" if others else f"; {last} is as sent"
    return f"{said}."


def _at(cut: Sequence[Found | DeadLettered]) -> str:
    """Say at which size copies were cut."""
    sizes = sorted({found.cut_at_bytes for found in cut})
    if len(sizes) < 2:
        return f"at {sum(sizes):,} bytes"
    return f"at {sizes[0]:,} to {sizes[-1]:,} bytes"


def _entries(timeline: Timeline, copies: Iterable[Found | DeadLettered]) -> list[Entry]:
    """Return the records that copies are of, each once."""
    sequences = {found.sequence for found in copies if found.sequence is not None}
    return [timeline.entries[sequence] for sequence in sorted(sequences)]


def _shown(found: Found | DeadLettered | Unreadable) -> tuple[str, ...]:
    if isinstance(found, Unreadable):
        return (f"The copy at {found.copy} cannot be read: {found.reason}", f"It holds: {found.excerpt!r}")
    if found.sequence is None:
        name = "A copy without identity"
    elif found.ambiguous:
        name = f"A copy without identity, of record {found.sequence} or another of such a text,"
    else:
        name = f"A copy of record {found.sequence}"
    if not found.differs_at:
        return (f"{name} is at {found.copy}", f"It reads: {found.excerpt!r}")
    return (
        f"{name} is at {found.copy}; it differs from character {found.differs_at:,} on.",
        f"Sent:   {found.expected!r}",
        f"Stored: {found.excerpt!r}",
    )
