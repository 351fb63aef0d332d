"""What became of the records a stack owes: the rules that several checkers share, in one place.

    acknowledged ─┬─ in the archive or the dead letters                       kept
                  └─ missing ─┬─ acknowledged at `memory`, then the application was killed    excused
                              ├─ as many as the stack says it still holds                     held
                              └─ the rest                                                     lost

An acknowledgement at `memory` says that a record is in the application's memory, which SIGKILL destroys; one
at `write` or `fsync` claims to survive it and is never excused. `held` is the stack's own word: it moves a
record from lost to late, and late is judged too, so that nobody gains by claiming it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.account import Account, Entry
from harness.protocols import Charge, Level

HELD = "held"


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the owed records; `missing` are those that nothing excuses, first acknowledged first."""

    owed: int
    missing: tuple[Entry, ...]
    excused: tuple[Entry, ...]
    held: int

    @property
    def lost_min(self) -> int:
        """Return how many are lost whatever the stack still holds."""
        return len(self.missing) - self.held


def fates(run: Account, charge: Charge) -> Fates:
    """Sort the owed records by what became of them; meaningful only where the outlets were read whole."""
    owed = run.acknowledged()
    missing = sorted(
        (entry for entry in owed if not run.kept(entry.sequence)),
        key=lambda entry: entry.acknowledged_ns or 0,
    )
    excused = [entry for entry in missing if _died_with_the_application(run, charge, entry)]
    names = {entry.sequence for entry in excused}
    blamed = tuple(entry for entry in missing if entry.sequence not in names)
    held = min(len(blamed), max(0, int(run.counter(HELD) or 0)))
    return Fates(len(owed), blamed, tuple(excused), held)


def _died_with_the_application(run: Account, charge: Charge, entry: Entry) -> bool:
    if charge.promises.durability is not Level.MEMORY or entry.acknowledged_ns is None:
        return False
    return any(entry.acknowledged_ns <= killed_ns for killed_ns in run.application_kills_ns())


def unread_outlet(run: Account, charge: Charge) -> str:
    """Say which outlet was not read whole, so that absence proves nothing; empty where all were."""
    if not run.read_whole:
        return "the archive was not read whole"
    if charge.dead_letters and not run.letters_read_whole:
        return "the dead letters were not read whole"
    return ""
