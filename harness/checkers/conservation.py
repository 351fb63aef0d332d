"""Every acknowledged record can be read back, from the archive or from the dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.account import Account, Entry, account, sequences_text
from harness.facts import Event
from harness.fates import Fates, fates, unread_outlet
from harness.protocols import Charge, Status, Verdict

VETO = "acknowledged loss"


class Conservation:
    """Every acknowledged record can be read back, from the archive or from the dead letters.

    A record nobody acknowledged may be stored or not. Missing records that the stack says it still holds are
    late rather than lost, which `liveness` judges. Where no archive exists under its name all are missing,
    and the evidence says so first, since the name may be wrong. Without a whole reading of all outlets, or
    with nothing acknowledged, there is no verdict.
    """

    objective: ClassVar[str] = "delivery.acknowledged_lost"
    dimension: ClassVar[str] = "delivery"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge

    def check(self, events: Sequence[Event]) -> Verdict:
        """Count the acknowledged records without any copy, less those that are excused or held."""
        run = account(events)
        if unread := unread_outlet(run, self._charge):
            return self._verdict(Status.INCONCLUSIVE, None, unread)
        found = fates(run, self._charge)
        if not found.owed:
            return self._verdict(
                Status.INCONCLUSIVE, None, "nothing was acknowledged, so nothing could be lost"
            )
        evidence = _evidence(run, found)
        if found.lost_min:
            return self._verdict(
                Status.FAIL,
                found.lost_min,
                f"{found.lost_min:,} of {found.owed:,} acknowledged records cannot be read back"
                + (": the archive does not exist" if run.absent else ""),
                evidence=evidence,
                counterexample=_life(run, found.missing[0]),
                vetoes=(VETO,),
            )
        if found.held:
            said = f"{len(found.missing):,} acknowledged records cannot be read back yet"
            return self._verdict(
                Status.INCONCLUSIVE, None, f"{said}; the stack says it still holds them", evidence=evidence
            )
        kept = found.owed - len(found.excused)
        if not kept:
            return self._verdict(
                Status.INCONCLUSIVE, None, "nothing that was owed outlived the kill", evidence
            )
        return self._verdict(
            Status.PASS, 0, f"all {kept:,} acknowledged records that are owed were read back", evidence
        )

    def _verdict(
        self,
        status: Status,
        value: float | None,
        summary: str,
        evidence: tuple[str, ...] = (),
        counterexample: tuple[str, ...] = (),
        vetoes: tuple[str, ...] = (),
    ) -> Verdict:
        return Verdict(
            self.objective,
            self.dimension,
            status,
            summary,
            value,
            "records",
            0,
            evidence,
            counterexample,
            vetoes,
        )


def _evidence(run: Account, found: Fates) -> tuple[str, ...]:
    unknown = len(run.entries) - found.owed
    lines = [f"{unknown:,} records were never acknowledged and may be stored or not"]
    if run.letters:
        lines.append(f"{len(run.letters):,} records are among the dead letters, where they can be read")
    if found.excused:
        names = sequences_text([entry.sequence for entry in found.excused])
        lines.append(f"excused, acknowledged at memory before the application was killed: {names}")
    if found.missing:
        lines.insert(0, f"missing: {sequences_text([entry.sequence for entry in found.missing])}")
    if found.held:
        lines.insert(1, f"{found.held:,} of these at most are what the stack says it still holds")
    if run.absent:
        lines.insert(0, run.absent)
    if run.unreadable:
        first = run.unreadable[0]
        lines.append(
            f"{len(run.unreadable):,} stored copies cannot be read, e.g. {first.copy}: {first.reason}"
        )
    return tuple(lines)


def _life(run: Account, entry: Entry) -> tuple[str, ...]:
    acknowledged_ns = entry.acknowledged_ns or 0
    return (
        f"record {entry.sequence} was due at {run.seconds(entry.due_ns)} on producer {entry.producer}",
        f"its log call began at {run.seconds(entry.sent_ns)}, returned at {run.seconds(entry.returned_ns)}",
        f"the stack acknowledged it at {run.seconds(acknowledged_ns)}, {run.what_was_on(acknowledged_ns)}",
        "no copy of it is in the archive" + (" or the dead letters" if run.letters_read_whole else ""),
    )
