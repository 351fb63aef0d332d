"""Every stored line is, byte for byte, a line that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.account import account
from harness.facts import Event, Found, Unreadable
from harness.protocols import Charge, Status, Verdict

VETO = "undetected corruption"


class Integrity:
    """Every stored line is, byte for byte, a line that was sent: none changed, none torn, none invented.

    A copy that cannot be read at all proves no line; it counts here and is named.
    """

    objective: ClassVar[str] = "integrity.corrupted"
    dimension: ClassVar[str] = "integrity"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge

    def check(self, events: Sequence[Event]) -> Verdict:
        """Count the copies whose text differs from what was sent, or that carry no identity of this run."""
        run = account(events)
        changed = [
            found
            for sequence, copies in run.copies.items()
            for found in copies
            if found.digest != run.entries[sequence].digest
        ]
        unreadable = len(run.unreadable)
        found_wrong: list[Found | Unreadable] = [*changed, *run.strays, *run.unreadable]
        total = len(run.strays) + unreadable + sum(len(copies) for copies in run.copies.values())
        if found_wrong:
            return Verdict(
                self.objective,
                self.dimension,
                Status.FAIL,
                f"of {total:,} stored copies {len(changed):,} differ from what was sent and "
                f"{len(run.strays):,} carry no identity of this run (invented or torn)"
                + (f"; {unreadable:,} cannot be read" if unreadable else ""),
                len(found_wrong),
                "copies",
                0,
                counterexample=_shown(found_wrong[0]),
                # What shows itself as damaged is no undetected corruption.
                vetoes=(VETO,) if changed or run.strays else (),
            )
        if not total or not run.read_whole:
            why = "no record was found" if run.read_whole else "the archive was not read whole"
            return Verdict(self.objective, self.dimension, Status.INCONCLUSIVE, why, None, "copies", 0)
        return Verdict(
            self.objective,
            self.dimension,
            Status.PASS,
            f"all {total:,} stored copies equal, byte for byte, what was sent",
            0,
            "copies",
            0,
        )


def _shown(found: Found | Unreadable) -> tuple[str, ...]:
    if isinstance(found, Unreadable):
        return (f"the copy at {found.copy} cannot be read: {found.reason}", f"it holds: {found.excerpt!r}")
    name = "a copy without identity" if found.sequence is None else f"a copy of record {found.sequence}"
    return (f"{name} at {found.copy}", f"it reads: {found.excerpt!r}")
