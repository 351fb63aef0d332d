"""The steady state before the first fault: did the stack work at all, and which records tell?

    due before the first fault ─┬─ in the last `visible_seconds`  may lie in the buffer: not judged
                                ├─ excused by a kill            nobody can know: not judged
                                └─ the rest                     99 % must have been acknowledged and found

A record in the stack's buffer when the fault begins may die of the fault. Whether it does depends on where
the last flush fell, so it tells nothing about the time before.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.checker import Charge
from harness.judging.outcomes import died_with_the_application
from harness.judging.timeline import Timeline
from harness.model.nanoseconds import SECOND_NS

SHARE_MIN = 0.99
RECORDS_MIN = 20
"""Fewer records say nothing of a share. A plan with fewer is refused."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """The records that tell: which they are, how many, and how many of them were acknowledged and found.

    `excused` counts those of the same time that say nothing because a kill excuses them.
    """

    which: str
    judged: int
    held: int
    excused: int

    def problem(self) -> str:
        """Say why there was no steady state; empty where there was."""
        if not self.judged + self.excused:
            return "No record was due before the first fault: nothing was sent."
        if self.excused and self.judged < RECORDS_MIN:
            return (
                f"Only {self.judged:,} {self.which} can show a steady state "
                f"(at least {RECORDS_MIN} required): the kill excuses the other {self.excused:,}."
            )
        if self.held >= SHARE_MIN * self.judged:
            return ""
        return (
            f"{self.held:,} of {self.judged:,} {self.which} were acknowledged and found "
            f"(at least {SHARE_MIN:.0%} required): there was no steady state."
        )


def steadiness(timeline: Timeline, charge: Charge) -> Steadiness:
    """Count the records that were due long enough before the first fault.

    Returns:
        How many of these records were judged and how many of them held, which are due in words, and how many
        are left out since they died with the application.
    """
    window = timeline.steady()
    which, until_ns = "records due", window.to_ns
    if timeline.fault_windows:
        visible_seconds = charge.promises.visible_seconds
        which = f"records due more than {visible_seconds:g} s before the first fault"
        until_ns -= int(visible_seconds * SECOND_NS)
    judged = held = excused = 0
    for entry in timeline.scheduled():
        if not window.from_ns <= entry.due_ns < until_ns:
            continue
        found = entry.acknowledged_ns is not None and entry.sequence in timeline.copies
        if not timeline.kept(entry.sequence) and died_with_the_application(timeline, charge, entry):
            excused += 1
        else:
            judged += 1
            held += found
    return Steadiness(which, judged, held, excused)
