"""No record is stored more often than the stack promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.account import account, sequences_text
from harness.facts import Event
from harness.protocols import Charge, Status, Verdict


class Duplication:
    """No record is stored more often than `copies_max`, acknowledged or not. The oracle never sends twice."""

    objective: ClassVar[str] = "integrity.duplicated"
    dimension: ClassVar[str] = "integrity"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._copies_max = charge.promises.copies_max

    def check(self, events: Sequence[Event]) -> Verdict:
        """Count the records with too many copies."""
        run = account(events)
        many = {sequence: found for sequence, found in run.copies.items() if len(found) > self._copies_max}
        if many:
            first = min(many)
            entry = run.entries[first]
            places = [found.copy for found in many[first]]
            return Verdict(
                self.objective,
                self.dimension,
                Status.FAIL,
                f"{len(many):,} of {len(run.copies):,} stored records have more than {self._copies_max} copy",
                len(many),
                "records",
                0,
                (f"duplicated: {sequences_text(list(many))}",),
                (
                    f"record {first} was sent once, at {run.seconds(entry.sent_ns)}, "
                    f"{run.what_was_on(entry.sent_ns or entry.due_ns)}",
                    *(f"copy {number}: {place}" for number, place in enumerate(places[:5], start=1)),
                ),
            )
        if not run.copies or not run.read_whole:
            why = "no record was found" if run.read_whole else "the archive was not read whole"
            return Verdict(self.objective, self.dimension, Status.INCONCLUSIVE, why, None, "records", 0)
        return Verdict(
            self.objective,
            self.dimension,
            Status.PASS,
            f"none of {len(run.copies):,} stored records has more than {self._copies_max} copy",
            0,
            "records",
            0,
        )
