"""What became of the records a stack owes: the rules that several checkers share, in one place.

    acknowledged ─┬─ in the archive or the dead letters                       kept
                  └─ missing ─┬─ acknowledged at `memory`, then the application was killed    excused
                              ├─ as many as a fault lawfully destroyed, and the stack counted  destroyed
                              ├─ as many as the stack says it still holds                     held
                              └─ the rest                                                     lost

An acknowledgement at `memory` says that a record is in the application's memory, which SIGKILL destroys; one
at `write` or `fsync` claims to survive it and is never excused. A fault that destroys bytes costs what was
written there, so that neither the number of places nor the stack's word alone excuses anything: both bound
it. `held` is the stack's own word: it moves a record from lost to late, and late is judged too, so that
nobody gains by claiming it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.checker import Charge
from harness.judging.timeline import Entry, Timeline
from harness.model.declarations import Level

HELD = "held"
DESTROYED = "destroyed"
DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Destruction:
    """What faults destroyed for good, and what that may cost.

    Attributes:
        permitted: in how many places the scenario lets its faults destroy something.
        places: the places proved to be destroyed, as far as they are permitted.
        blast_records: how many records one place may cost, as the stack promises; None = it promises nothing.
        counted: how many records the stack itself counts as destroyed; None = nothing was read.
    """

    permitted: int
    places: tuple[str, ...]
    blast_records: int | None
    counted: int | None

    @property
    def records_max(self) -> int:
        """Return how many missing records are excused at the most."""
        return min(len(self.places) * (self.blast_records or 0), self.counted or 0)

    def sentence(self) -> str:
        """Say what is excused and on what grounds, or what is missing for it."""
        if not self.places:
            return "Nothing is excused as destroyed: no place was proved to be hit."
        if self.blast_records is None:
            return "Nothing is excused as destroyed: the stack promises no corruption_blast_records."
        if self.counted is None:
            return "Nothing is excused as destroyed: the stack's counter `destroyed` was not read."
        return (
            f"At most {self.records_max:,} records are excused as destroyed: {len(self.places):,} places "
            f"were hit, each may cost {self.blast_records:,}, and the stack counts {self.counted:,}."
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the owed records.

    `missing` are those that no kill excuses, first acknowledged first. Nobody can tell which of them were
    `destroyed` and which are `held`, only how many.
    """

    owed: int
    missing: tuple[Entry, ...]
    excused: tuple[Entry, ...]
    destroyed: int
    held: int

    @property
    def lost_min(self) -> int:
        """Return how many are lost whatever the stack still holds."""
        return len(self.missing) - self.destroyed - self.held


def outcomes_of(timeline: Timeline, charge: Charge) -> Outcomes:
    """Sort the owed records by what became of them; meaningful only where the outlets were read whole.

    Returns:
        How many are owed, the missing ones that the stack is blamed for and those that died with the
        application, each by when it was acknowledged; how many of the blamed were destroyed by a fault, and
        how many of the rest the stack counts as held still.
    """
    owed = timeline.acknowledged()
    missing = sorted(
        (entry for entry in owed if not timeline.kept(entry.sequence)),
        key=lambda entry: entry.acknowledged_ns or 0,
    )
    excused = [entry for entry in missing if died_with_the_application(timeline, charge, entry)]
    names = {entry.sequence for entry in excused}
    blamed = tuple(entry for entry in missing if entry.sequence not in names)
    destroyed = min(len(blamed), destruction(timeline, charge).records_max)
    held = min(len(blamed) - destroyed, max(0, int(timeline.counter(HELD) or 0)))
    return Outcomes(len(owed), blamed, tuple(excused), destroyed, held)


def destruction(timeline: Timeline, charge: Charge) -> Destruction:
    """Return what was destroyed in a run, and what that may cost."""
    steps = charge.scenario.steps
    counted = timeline.counter(DESTROYED)
    return Destruction(
        sum(step.permits.destroyed for step in steps),
        tuple(
            place
            for number, step in enumerate(steps)
            if number in timeline.landed
            for place in timeline.destroyed.get(number, [])[: step.permits.destroyed]
        ),
        charge.promises.corruption_blast_records,
        None if counted is None else max(0, int(counted)),
    )


def died_with_the_application(timeline: Timeline, charge: Charge, entry: Entry) -> bool:
    """Return whether a kill excuses that a record is missing: it was acknowledged at `memory` before that."""
    if charge.promises.durability is not Level.MEMORY or entry.acknowledged_ns is None:
        return False
    return any(entry.acknowledged_ns <= killed_ns for killed_ns in timeline.application_kills_ns())


def unread_outlet(timeline: Timeline, charge: Charge) -> str:
    """Say which outlet was not read whole, so that absence proves nothing; empty where all were."""
    if not timeline.read_whole:
        return "The archive was not read whole."
    if charge.dead_letters and not timeline.letters_read_whole:
        return "The dead letters were not read whole."
    return ""
