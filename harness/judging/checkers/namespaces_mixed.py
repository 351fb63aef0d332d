"""Each tenant reads its own records, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.declarations import Namespaces, Part
from harness.model.facts import ReadByTenant
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

VETO = "records of another tenant"
_SHOWN_MAX = 8
_NONE = Namespaces({}, Part(""))


class NamespacesMixed:
    """Each tenant reads its own records, and nobody else's.

    Whose each record is follows from its number. When all has come in, every tenant's part of the store is
    read as its own reader reads it, and so are the files in which a reader shows what it got
    (`namespaces.shows`). A record that another tenant gets is counted and is a veto; counted is one, too,
    that is stored and that its own tenant does not find in the store. Without records of two tenants at
    least, or where a reader is to show some and has shown none, there is no verdict.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "confidentiality"
    unit: ClassVar[str] = "records"
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._is_promised = charge.namespaces is not None
        self._namespaces = charge.namespaces or _NONE
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def lacks(self) -> str:
        """Say that there is nothing to keep apart where the stack promises nothing."""
        return "" if self._is_promised else "the stack promises no namespaces"

    def check(self, timeline: Timeline) -> Verdict:
        """Count the records that somebody else gets, and those that their own tenant lacks."""
        foreign = [
            each
            for seen in timeline.read_by_tenant.values()
            for each in seen
            if self._namespaces.tenant(each.sequence) != each.tenant
        ]
        lacking = self._lacking(timeline)
        if foreign or lacking:
            return self._failed(timeline, foreign, lacking)
        if why := self._unproved(timeline):
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        stored, shown = self._amounts(timeline)
        tenants = count(len(self._namespaces.tenants), "tenant")
        said = f"{tenants} read {count(stored, 'stored record')}, each its own."
        more = (f"Readers showed them {count(shown, 'record')}.",) if self._namespaces.shows else ()
        return self._measure.verdict(Status.PASS, 0, said, evidence=more, samples=stored + shown)

    def _lacking(self, timeline: Timeline) -> list[int]:
        """Return the stored records that their own tenant does not find; none where not all was read."""
        read = timeline.tenants_read
        if read is None or read.unread:
            return []
        found = {
            (tenant, each.sequence)
            for tenant, seen in timeline.read_by_tenant.items()
            for each in seen
            if each.stored
        }
        return [
            sequence
            for sequence in sorted(timeline.copies)
            if (self._namespaces.tenant(sequence), sequence) not in found
        ]

    def _failed(self, timeline: Timeline, foreign: list[ReadByTenant], lacking: list[int]) -> Verdict:
        others = {each.sequence for each in foreign}
        said = []
        if others:
            said.append(f"Another tenant got {count(len(others), 'record')}.")
        if lacking:
            said.append(
                f"{count(len(lacking), 'stored record is', 'stored records are')} not found by the tenant."
            )
        return self._measure.verdict(
            Status.FAIL,
            len(others | set(lacking)),
            " ".join(said),
            evidence=tuple(self._places(foreign)),
            counterexample=tuple(self._story(timeline, foreign, lacking)),
            vetoes=(VETO,) if foreign else (),
        )

    def _places(self, foreign: list[ReadByTenant]) -> Iterator[str]:
        pairs: dict[tuple[str, str, bool], int] = {}
        for each in foreign:
            key = (self._namespaces.tenant(each.sequence), each.tenant, each.stored)
            pairs[key] = pairs.get(key, 0) + 1
        ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
        for (owner, reader, stored), times in ranked[:_SHOWN_MAX]:
            how = "stored where" if stored else "shown to"
            yield f"{count(times, 'record')} of {owner}: {how} {reader}{' reads' if stored else ''}."

    def _story(self, timeline: Timeline, foreign: list[ReadByTenant], lacking: list[int]) -> Iterator[str]:
        if foreign:
            first = min(foreign, key=lambda each: (each.sequence, each.tenant))
            owner = self._namespaces.tenant(first.sequence)
            yield f"Record {first.sequence:,} is of {owner}; {first.tenant} got it from {first.place}."
        if lacking:
            owner = self._namespaces.tenant(lacking[0])
            copies = ", ".join(each.copy for each in timeline.copies[lacking[0]][:3])
            yield f"Record {lacking[0]:,} is of {owner}, which does not find it; it is stored as {copies}."

    def _unproved(self, timeline: Timeline) -> str:
        """Say why nothing seen proves nothing; empty where it does."""
        read = timeline.tenants_read
        if read is None:
            return "What each tenant reads was not read to its end."
        if read.unread:
            return f"What each tenant reads could not be read: {read.unread}."
        if not timeline.read_whole:
            return "The archive could not be read whole."
        if len(_readers(timeline, stored=True)) < 2:
            return "Records of two tenants at least must be stored, or there is nothing to mix up."
        return self._unshown(timeline)

    def _unshown(self, timeline: Timeline) -> str:
        if not self._namespaces.shows:
            return ""
        showed = _readers(timeline, stored=False)
        silent = [tenant for tenant in self._namespaces.tenants if tenant not in showed]
        return f"No reader showed {', '.join(silent)} a record, so that proves nothing." if silent else ""

    def _amounts(self, timeline: Timeline) -> tuple[int, int]:
        seen = [each for every in timeline.read_by_tenant.values() for each in every]
        stored = sum(each.stored for each in seen)
        return stored, len(seen) - stored


def _readers(timeline: Timeline, *, stored: bool) -> set[str]:
    """Return who got a record from the store, or by what a reader showed."""
    every = timeline.read_by_tenant.items()
    return {tenant for tenant, seen in every if any(each.stored == stored for each in seen)}
