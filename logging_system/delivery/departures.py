"""Schedules requests: which batch is sent next and when; while the circuit breaker is open, which probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from logging_system.delivery.batches import Batch, FreshItems, WaitingBatches
from logging_system.delivery.breaker import Breaker
from logging_system.delivery.commands import Item, Limits
from logging_system.delivery.limiter import Limiter

UNJUDGED_MAX = 4
"""Single documents refused and not judged yet, before no more batches are taken apart."""

ALONE_BEFORE_HALVING_MAX = 16
"""Single documents, whatever for, before no more batches are taken apart."""

RATION_SECONDS = 0.5
"""Between two small portions of fresh documents while the oldest one is far behind the others.

So a store's speed does not use up what a broken document is judged by before it is judged.
"""

_HOLDING_PLACE, _PUSHED_BACK, _FRESH, _PROBE_KINDS = range(4)


@dataclass(slots=True)
class Request:
    """A request under way.

    Attributes:
        number: The command's number.
        batch: What it carries.
        sent_seconds: When it went out, monotonic.
        first_index: Place of the write index known then, see `Batch.first_index`.
        indices: Where it is a look-up: the indices it must have asked.
    """

    number: int
    batch: Batch
    sent_seconds: float
    first_index: int
    indices: tuple[str, ...] | None = None


class Departures:
    """What waits to be sent and what is under way.

    Args:
        limits: How large and how many.
        limiter: How many requests the store takes at once.
        breaker: The circuit breaker of the store.

    Attributes:
        is_rationed: Whether fresh documents go out sparingly.
    """

    def __init__(self, limits: Limits, limiter: Limiter, breaker: Breaker) -> None:
        self.fresh = FreshItems(limits)
        self.waiting = WaitingBatches(limits)
        self.under_way: dict[int, Request] = {}
        self.is_rationed = False
        self._ration_due_seconds = 0.0
        self._limits = limits
        self._limiter = limiter
        self._breaker = breaker
        self._next_number = 1
        self._probe_number = 0
        self._probe_kind = _FRESH
        self._was_open = False

    def next_batch(self, now_seconds: float) -> Batch | tuple[Item, ...] | None:
        """Take out what is sent now: a batch that waited, or the fresh documents of a new one.

        Args:
            now_seconds: Monotonic time.

        Returns:
            A batch to send again, or documents that no batch has had yet; None where nothing may go now.
        """
        if not self._breaker.is_closed:
            self._was_open = True
            ready = self._breaker.admits_probe(now_seconds) and not self._probe_number
            return self._probe() if ready else None
        if self._was_open:
            self._was_open = False
            self.waiting.hasten(now_seconds)
        if len(self.under_way) >= self._limiter.allowed:
            return None
        records_max = min(self._limiter.records, self._limits.batch_records_max)
        batch = self.waiting.take_due(now_seconds, records_max)
        if batch is None and self._may_begin_fresh() and now_seconds >= self._fresh_due_seconds():
            return self._cut_fresh(records_max, now_seconds)
        return batch

    def depart(self, batch: Batch, now_seconds: float, first_index: int) -> Request:
        """Take note that a batch is sent, under the next number.

        Args:
            batch: Of `next_batch`.
            now_seconds: Monotonic time.
            first_index: Place of the write index known now, see `Batch.first_index`.

        Returns:
            The request, which is under way.
        """
        number, self._next_number = self._next_number, self._next_number + 1
        batch.tried_number = number
        request = self.under_way[number] = Request(number, batch, now_seconds, first_index)
        self._limiter.sent(len(self.under_way))
        if not self._breaker.is_closed:
            self._probe_number = number
            self._breaker.probed()
        return request

    def returned(self, number: int) -> Request | None:
        """Take note that a request ended; None if it was given up before.

        Args:
            number: The request's.

        Returns:
            The request, which is not under way any more.
        """
        if number == self._probe_number:
            self._probe_number = 0
        return self.under_way.pop(number, None)

    @property
    def last_number(self) -> int:
        """The number of the request that went out last."""
        return self._next_number - 1

    def alone(self) -> int:
        """Return how many single documents are tried alone, waiting or under way."""
        return sum(batch.is_alone for batch in self.batches())

    def bytes_apart(self) -> int:
        """Return how many of their bytes do not count as held: that room is for the documents beside them."""
        alone_bytes = sum(batch.size_bytes for batch in self.batches() if batch.is_alone)
        return min(alone_bytes, self._limits.held_bytes_max // 2)

    def batches(self) -> Iterator[Batch]:
        """Return all that wait or are under way."""
        return chain(self.waiting, (request.batch for request in self.under_way.values()))

    def judges_enough(self) -> bool:
        """Whether so many single documents are tried alone that no more are to be added."""
        unjudged = sum(batch.refusals_alone > 0 for batch in self.batches())
        return unjudged >= UNJUDGED_MAX or self.alone() >= ALONE_BEFORE_HALVING_MAX

    def may_take_apart(self, batch: Batch) -> bool:
        """Whether a refused batch may be halved.

        While single documents wait for their judgement, only if nothing else is left that the store could
        accept, and they be judged by. Where as many batches wait as may, only the smallest that was refused:
        with W waiting and C under way, of B documents each, there are never more than W + C + log2(B), for
        each halving down to single documents adds one batch.

        Args:
            batch: What was refused, no longer under way.
        """
        several = [other for other in self.batches() if len(other.items) > 1]
        judges_enough = self.judges_enough()
        if len(several) >= self._limits.waiting_batches_max + self._limits.concurrency:
            rivals = [other for other in several if other.is_isolating]
        elif judges_enough:
            rivals = [other for other in several if other.is_isolating and not other.was_read]
        else:
            return True
        is_smallest = all(len(batch.items) <= len(other.items) for other in rivals)
        return is_smallest and not (judges_enough and self.fresh)

    def overdue(self, now_seconds: float) -> list[int]:
        """Return the numbers of the requests whose time is up.

        Args:
            now_seconds: Monotonic time.
        """
        latest_seconds = now_seconds - self._limits.request_seconds_max
        return [one.number for one in self.under_way.values() if one.sent_seconds <= latest_seconds]

    def wait_seconds(self, now_seconds: float) -> float | None:
        """Return how long nothing goes out and nothing is overdue; None while only reports can change that.

        Args:
            now_seconds: Monotonic time.
        """
        moments: list[float] = []
        if self.under_way:
            oldest = next(iter(self.under_way.values()))
            moments.append(oldest.sent_seconds + self._limits.request_seconds_max)
        if not self._breaker.is_closed:
            if not self._probe_number and (len(self.waiting) or self._may_begin_fresh()):
                moments.append(self._breaker.open_until_seconds)
        elif len(self.under_way) < self._limiter.allowed:
            due_seconds = self.waiting.due_seconds()
            if due_seconds is not None:
                moments.append(due_seconds)
            if self._may_begin_fresh():
                moments.append(self._fresh_due_seconds())
        return max(0.0, min(moments) - now_seconds) if moments else None

    def _probe(self) -> Batch | tuple[Item, ...] | None:
        """Take out a probe: by turns of what failed as a whole, what was pushed back, and what is fresh.

        One kind alone could be a document that never succeeds, and it would keep the breaker open for ever.
        """
        for _ in range(_PROBE_KINDS):
            self._probe_kind = (self._probe_kind + 1) % _PROBE_KINDS
            probe = self._probe_of(self._probe_kind)
            if probe is not None:
                return probe
        return None

    def _probe_of(self, kind: int) -> Batch | tuple[Item, ...] | None:
        records_max = self._limits.probe_records_max
        if kind == _FRESH:
            return self.fresh.cut(records_max) if self._may_begin_fresh() else None
        # Down to single documents first, or a store that refuses everything has everything in pieces.
        halves_first = kind == _HOLDING_PLACE and not self.judges_enough()
        return self.waiting.take_probe(
            holds_place=kind == _HOLDING_PLACE, halves_first=halves_first, records_max=records_max
        )

    def _fresh_due_seconds(self) -> float:
        due_seconds = self.fresh.due_seconds()
        return max(due_seconds, self._ration_due_seconds) if self.is_rationed else due_seconds

    def _cut_fresh(self, records_max: int, now_seconds: float) -> tuple[Item, ...]:
        if not self.is_rationed:
            return self.fresh.cut(records_max)
        self._ration_due_seconds = now_seconds + RATION_SECONDS
        return self.fresh.cut(min(records_max, self._limits.probe_records_max))

    def _may_begin_fresh(self) -> bool:
        places_taken = len(self.under_way) + self.waiting.places_held
        # Documents that wait to be judged need others to be accepted: they must not shut these out.
        room = (
            len(self.waiting) - sum(batch.is_alone for batch in self.waiting)
            < self._limits.waiting_batches_max
        )
        return bool(self.fresh) and room and places_taken < self._limiter.allowed
