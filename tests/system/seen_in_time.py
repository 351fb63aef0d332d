"""A checker of somebody's own that asks when records were first seen in the archive."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.timeline import Timeline
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict

LIMIT_SECONDS = 30.0


class SeenInTime:
    """Every acknowledged record is seen in the archive soon after it was acknowledged."""

    objective: ClassVar[str] = "seen_in_time"
    dimension: ClassVar[str] = "delivery"
    needs_first_seen: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what to judge; it needs none of it."""

    def check(self, timeline: Timeline) -> Verdict:
        """Compare each record's time first seen with that of its acknowledgement."""
        owed = timeline.acknowledged()
        seen_ns = {entry.sequence: entry.first_seen_ns for entry in owed if entry.first_seen_ns is not None}
        limit_ns = LIMIT_SECONDS * SECOND_NS
        late = [
            entry
            for entry in owed
            if seen_ns.get(entry.sequence, float("inf")) > (entry.acknowledged_ns or 0) + limit_ns
        ]
        readings = len(set(seen_ns.values()))
        status = Status.FAIL if late else Status.PASS if owed else Status.INCONCLUSIVE
        return Verdict(
            self.objective, self.dimension, status, f"{len(late)} of {len(owed)} late", value=float(readings)
        )
