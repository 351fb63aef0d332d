"""Groups documents into requests: fresh ones by size and linger, waiting ones by when they are due."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from logging_system.delivery.commands import Item, Limits
from logging_system.delivery.runs import document_sizes, documents_bytes


@dataclass(slots=True)
class Batch:
    """Documents that are sent in one request.

    Attributes:
        items: The documents.
        failures: Attempts that failed since the last one that settled something.
        not_before_seconds: When it may go out again, monotonic.
        holds_place: Whether it failed as a whole: it keeps its place among those that may be under way.
        is_doubtful: Whether an earlier request may have stored some of it, unproved.
        first_index: Place, among the write indices seen, of the one that was current when doubt arose; -1 for
            documents of an earlier process, of which nothing is known.
        look_ups_failed: Look-ups of it that proved nothing.
        proofs_before: Requests of which something was proved before the first of those.
        is_isolating: Whether it is a part of a refused batch, and must not meet other documents.
        tried_number: The last request for it; 0 for none, or none since a look-up proved something.
        was_read: Whether the store last answered for each document, and so took no offence at the whole.
        was_refused: Whether exactly these documents, more than one, were refused together.
        refusals_alone: How often it was refused with its one document alone.
        refusals_witnessed: How many of these are held against the document, see `trials.py`.
        refused_number: The last request given out when it was refused, while its second witness is awaited;
            0 otherwise.
        failures_before: Requests that had failed when it went out alone right behind an acceptance, else -1.
        acceptances_before: Requests accepted when it was first refused alone for its size; -1 before that.
    """

    items: tuple[Item, ...]
    failures: int = 0
    not_before_seconds: float = 0.0
    holds_place: bool = True
    is_doubtful: bool = False
    first_index: int = 0
    look_ups_failed: int = 0
    proofs_before: int = 0
    is_isolating: bool = False
    tried_number: int = 0
    was_read: bool = False
    was_refused: bool = False
    refusals_alone: int = 0
    refusals_witnessed: int = 0
    refused_number: int = 0
    failures_before: int = -1
    acceptances_before: int = -1

    @property
    def size_bytes(self) -> int:
        """Document bytes."""
        return documents_bytes(self.items)

    @property
    def is_alone(self) -> bool:
        """Whether it is one document that is to be judged by itself."""
        return self.is_isolating and len(self.items) == 1

    def part(self, items: tuple[Item, ...]) -> Batch:
        """Return a batch of some of the documents, with the same history of attempts."""
        return replace(self, items=items, was_refused=False)


@dataclass(slots=True)
class FreshItems:
    """Documents that no request has carried yet, in the order taken."""

    limits: Limits
    _items: list[Item] = field(default_factory=list)
    _cut: int = 0
    _bytes: int = 0
    _since_seconds: float = 0.0

    def __len__(self) -> int:
        return len(self._items) - self._cut

    @property
    def room_bytes(self) -> int:
        """How many document bytes are missing in the next batch; 0 where it is whole."""
        if len(self) >= self.limits.batch_records_max:
            return 0
        return max(0, self.limits.batch_bytes_max - self._bytes)

    def add(self, items: Sequence[Item], now_seconds: float) -> int:
        """Queue documents; returns their bytes.

        Args:
            items: Behind those that wait.
            now_seconds: Monotonic time; the linger begins with it where none waited.
        """
        if items and not self:
            self._since_seconds = now_seconds
        self._items.extend(items)
        added_bytes = documents_bytes(items)
        self._bytes += added_bytes
        return added_bytes

    def due_seconds(self) -> float:
        """When the next batch is due, monotonic: at once if it is full."""
        return self._since_seconds + (self.limits.linger_seconds if self.room_bytes else 0.0)

    def cut(self, records_max: int) -> tuple[Item, ...]:
        """Take the next documents out: as many as one request carries, at most `records_max`.

        Args:
            records_max: Documents; it cannot raise the limit of a request.

        Returns:
            At least one document, however large it is, where any waits and `records_max` is not 0.
        """
        records_max = min(records_max, self.limits.batch_records_max)
        first = self._items[self._cut : self._cut + records_max]
        sizes = list(accumulate(document_sizes(first)))
        # One document always fits, however large it is.
        items = tuple(first[: max(1, bisect_right(sizes, self.limits.batch_bytes_max))])
        self._bytes -= sizes[len(items) - 1] if items else 0
        self._cut += len(items)
        if self._cut * 2 > len(self._items):
            del self._items[: self._cut]
            self._cut = 0
        return items


@dataclass(slots=True)
class WaitingBatches:
    """Batches that wait to be sent again, each with its own due time."""

    limits: Limits
    _batches: list[Batch] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)

    @property
    def places_held(self) -> int:
        """How many of them hold a place among the requests under way."""
        return sum(batch.holds_place for batch in self._batches)

    def add(self, batch: Batch) -> None:
        """Add a batch that is to be sent again."""
        self._batches.append(batch)

    def due_seconds(self) -> float | None:
        """When the first of them is due, monotonic."""
        return min((batch.not_before_seconds for batch in self._batches), default=None)

    def hasten(self, now_seconds: float) -> None:
        """Make due now what waits because the store did not answer: it answers again.

        Args:
            now_seconds: Monotonic time.
        """
        for batch in self._batches:
            if batch.holds_place:
                batch.not_before_seconds = min(batch.not_before_seconds, now_seconds)

    def take_due(self, now_seconds: float, records_max: int) -> Batch | None:
        """Take out the batch that is due first, joined with other due remnants of its kind.

        Of two that are due alike the smaller goes first, so that halving reaches a culprit before it spreads.

        Args:
            now_seconds: Monotonic time.
            records_max: Its documents, unless many wait.

        Returns:
            The batch, which is not among those that wait any more; None where none is due.
        """
        due = [batch for batch in self._batches if batch.not_before_seconds <= now_seconds]
        if not due:
            return None
        due.sort(key=lambda batch: (batch.not_before_seconds, len(batch.items)))
        first = due[0]
        self._remove(first)
        if first.is_isolating:
            return first
        return self._shortened(self._join(first, due[1:], records_max), records_max)

    def take_probe(self, *, holds_place: bool, halves_first: bool, records_max: int) -> Batch | None:
        """Take out a small probe: part of the batch of a kind that was tried longest ago, due or not.

        Args:
            holds_place: Whether it is to be one that holds a place.
            halves_first: Whether the smallest of several documents goes before others, if it was refused or
                is part of what was.
            records_max: Its documents, unless many wait.
        """
        candidates = [batch for batch in self._batches if batch.holds_place == holds_place]
        if not candidates:
            return None
        halves = [batch for batch in candidates if batch.is_isolating and not batch.refusals_alone]
        if halves and halves_first:
            first = min(halves, key=lambda batch: (batch.was_refused, len(batch.items), batch.tried_number))
        else:
            first = min(candidates, key=lambda batch: batch.tried_number)
        self._remove(first)
        return self._shortened(first, records_max)

    def _shortened(self, batch: Batch, records_max: int) -> Batch:
        """Return what fits a request; the rest waits on."""
        # A long outage must not cut everything into crumbs: with many waiting, it goes as it is.
        if len(batch.items) > records_max and len(self._batches) < self.limits.waiting_batches_max:
            self._batches.append(batch.part(batch.items[records_max:]))
            return batch.part(batch.items[:records_max])
        return batch

    def _remove(self, batch: Batch) -> None:
        # Not list.remove: two batches may be equal in all but identity.
        self._batches = [other for other in self._batches if other is not batch]

    def _join(self, first: Batch, others: Sequence[Batch], records_max: int) -> Batch:
        items, size_bytes = list(first.items), first.size_bytes
        joined: list[Batch] = []
        for other in others:
            alike = other.is_doubtful == first.is_doubtful and not other.is_isolating
            fits = (
                len(items) + len(other.items) <= records_max
                and size_bytes + other.size_bytes <= self.limits.batch_bytes_max
            )
            if alike and fits:
                items += other.items
                size_bytes += other.size_bytes
                joined.append(other)
        if not joined:
            return first
        for other in joined:
            self._remove(other)
        together = [first, *joined]
        return replace(
            first,
            items=tuple(items),
            was_refused=False,
            failures=max(batch.failures for batch in together),
            first_index=min(batch.first_index for batch in together),
            look_ups_failed=max(batch.look_ups_failed for batch in together),
            proofs_before=max(batch.proofs_before for batch in together),
        )
