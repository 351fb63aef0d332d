"""Each producer's records can be read in the order in which they were sent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeAlias

import orjson

from harness.judging.checker import Charge
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline
from harness.judging.wording import count
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

Key: TypeAlias = tuple[tuple[bool, float, str], ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """One record's place: what the stack's `order_by` fields say, as a key and as written."""

    key: Key
    sequence: int
    shown: str


class OutOfOrder:
    """Each producer's records can be read in the order in which they were sent.

    Of each record the first copy counts. Sorted by the stack's `order_by` fields (numbers by value, texts by
    code point), a producer's sequences must rise; two records of one producer with the same values are out of
    order too, because nobody could tell which came first. What the stack never stored is not judged here.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "integrity"
    unit: ClassVar[str] = "records"

    def __init__(self, charge: Charge) -> None:
        """Take what is to be judged."""
        self._order_by = charge.promises.order_by
        self._measure = Measure(self.objective, self.dimension, self.unit, 0)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return "" if self._order_by else "the stack promises no order_by"

    def check(self, timeline: Timeline) -> Verdict:
        """Sort each producer's stored records as the stack says and compare with how they were sent."""
        fields = ", ".join(self._order_by)
        producers, unplaced = _producers(timeline)
        pairs = [pair for placed in producers for pair in pairwise(placed)]
        if not timeline.read_whole:
            return self._measure.verdict(Status.INCONCLUSIVE, None, "The archive was not read whole.")
        if not pairs:
            why = (
                f"No stored record has a value for {fields}." if unplaced else "No producer has two records."
            )
            return self._measure.verdict(Status.INCONCLUSIVE, None, why)
        wrong = [(one, two) for one, two in pairs if one.sequence > two.sequence or one.key == two.key]
        total = sum(len(placed) for placed in producers)
        if not (wrong or unplaced):
            records = f"All {total:,} records of {count(len(producers), 'producer')}"
            return self._measure.verdict(Status.PASS, 0, f"{records} are in order, sorted by {fields}.")
        told = (
            *((f"{len(wrong):,} of {len(pairs):,} neighbouring records are out of order",) if wrong else ()),
            *(
                (f"{count(len(unplaced), 'record has', 'records have')} no value to sort by",)
                if unplaced
                else ()
            ),
        )
        return self._measure.verdict(
            Status.FAIL,
            len(wrong) + len(unplaced),
            f"Sorted by {fields}: {'; '.join(told)}.",
            counterexample=(
                _shown(timeline, *wrong[0])
                if wrong
                else (f"Record {unplaced[0]} has no value for {fields}.",)
            ),
        )


def _producers(timeline: Timeline) -> tuple[list[list[_Placed]], list[int]]:
    """Return each producer's records, sorted by their keys, and the records that cannot be sorted."""
    placed: dict[int, list[_Placed]] = {}
    unplaced = []
    for sequence, copies in timeline.copies.items():
        if copies[0].ambiguous:
            continue  # which of several records it is, nobody can tell
        shown = copies[0].order
        key = _key(shown)
        if key is None:
            unplaced.append(sequence)
        else:
            placed.setdefault(timeline.entries[sequence].producer, []).append(_Placed(key, sequence, shown))
    for records in placed.values():
        records.sort(key=lambda record: (record.key, record.sequence))
    return [placed[producer] for producer in sorted(placed)], sorted(unplaced)


def _key(text: str) -> Key | None:
    """Return what to sort by: numbers before texts, each in its own way; None where a value is missing."""
    values: list[str | float | None] = orjson.loads(text) if text else [None]
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return None
    return tuple(
        (True, 0.0, value) if isinstance(value, str) else (False, float(value), "") for value in present
    )


def _shown(timeline: Timeline, one: _Placed, two: _Placed) -> tuple[str, ...]:
    first, second = timeline.entries[one.sequence], timeline.entries[two.sequence]
    return (
        f"Producer {first.producer} sent record {one.sequence} at {timeline.seconds(first.sent_ns)} "
        f"and record {two.sequence} at {timeline.seconds(second.sent_ns)}.",
        f"Record {one.sequence} is stored with {one.shown}, record {two.sequence} with {two.shown}.",
        "Both have the same place." if one.key == two.key else "The later one is read first.",
    )
