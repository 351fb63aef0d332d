"""A checker of somebody's own that asks when records were first seen in the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.model.facts import Acknowledged, Event, FirstSeen
from harness.model.protocols import Charge, Status, Verdict

LIMIT_SECONDS = 30.0


class SeenInTime:
    """Every acknowledged record is seen in the archive soon after it was acknowledged."""

    objective: ClassVar[str] = "own.seen_in_time"
    dimension: ClassVar[str] = "delivery"
    needs_first_seen: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what to judge; it needs none of it."""

    def check(self, events: Sequence[Event]) -> Verdict:
        """Compare each record's time first seen with that of its acknowledgement."""
        seen_ns = {
            sequence: each.at_ns
            for each in events
            if isinstance(each, FirstSeen)
            for sequence in range(each.first, each.last + 1)
        }
        owed = {each.sequence: each.at_ns for each in events if isinstance(each, Acknowledged)}
        limit_ns = LIMIT_SECONDS * 1e9
        late = [n for n, at_ns in owed.items() if n not in seen_ns or seen_ns[n] > at_ns + limit_ns]
        readings = len(set(seen_ns.values()))
        status = Status.FAIL if late else Status.PASS if owed else Status.INCONCLUSIVE
        return Verdict(
            self.objective, self.dimension, status, f"{len(late)} of {len(owed)} late", value=float(readings)
        )
