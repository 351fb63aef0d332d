"""Every acknowledged record can be read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.account import Account, Entry, account, sequences_text
from harness.facts import Event
from harness.protocols import Charge, Status, Verdict

VETO = "acknowledged loss"


class Conservation:
    """Every acknowledged record can be read back.

    A record nobody acknowledged may be stored or not. Without a whole reading of the archive, or with nothing
    acknowledged, there is no verdict.
    """

    objective: ClassVar[str] = "delivery.acknowledged_lost"
    dimension: ClassVar[str] = "delivery"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._charge = charge

    def check(self, events: Sequence[Event]) -> Verdict:
        """Count the acknowledged records without any copy in the archive."""
        run = account(events)
        owed = run.acknowledged()
        if not run.read_whole:
            return self._verdict(Status.INCONCLUSIVE, None, "the archive was not read whole")
        if not owed:
            return self._verdict(
                Status.INCONCLUSIVE, None, "nothing was acknowledged, so nothing could be lost"
            )
        lost = [entry for entry in owed if entry.sequence not in run.copies]
        if lost:
            return self._verdict(
                Status.FAIL,
                len(lost),
                f"{len(lost):,} of {len(owed):,} acknowledged records cannot be read back",
                evidence=(f"lost: {sequences_text([entry.sequence for entry in lost])}", *_unreadable(run)),
                counterexample=_life(run, min(lost, key=lambda entry: entry.acknowledged_ns or 0)),
                vetoes=(VETO,),
            )
        unknown = len(run.entries) - len(owed)
        return self._verdict(
            Status.PASS,
            0,
            f"all {len(owed):,} acknowledged records were read back",
            evidence=(
                f"{unknown:,} records were never acknowledged and may be stored or not",
                *_unreadable(run),
            ),
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


def _unreadable(run: Account) -> tuple[str, ...]:
    """Name the copies that may have been records and prove none."""
    if not run.unreadable:
        return ()
    first = run.unreadable[0]
    return (f"{len(run.unreadable):,} stored copies cannot be read, e.g. {first.copy}: {first.reason}",)


def _life(run: Account, entry: Entry) -> tuple[str, ...]:
    acknowledged_ns = entry.acknowledged_ns or 0
    return (
        f"record {entry.sequence} was due at {run.seconds(entry.due_ns)} on producer {entry.producer}",
        f"its log call began at {run.seconds(entry.sent_ns)}, returned at {run.seconds(entry.returned_ns)}",
        f"the stack acknowledged it at {run.seconds(acknowledged_ns)}, {run.what_was_on(acknowledged_ns)}",
        "no copy of it is in the archive",
    )
