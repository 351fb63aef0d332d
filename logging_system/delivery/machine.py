"""The delivery machine: it is told records, answers and the time, and tells what to do next.

```
take(records) → fresh ──batch──▶ in flight ──answer──▶ done | dead letter | waiting (backoff) ─▶ in flight …
                                     └─ no proof: the whole batch waits, and holds its place
```

A batch that failed as a whole keeps its place among the few that may be under way, so an outage is met by
that many requests and no more. Single documents that the store pushed back wait beside them.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from logging_system.delivery.answers import Answer, Fate, ItemResult, NoAnswer, Refused, Unproved, judge
from logging_system.delivery.backoff import Backoff
from logging_system.delivery.progress import OUTCOME_OF, Outcome, Progress


@dataclass(frozen=True, slots=True)
class Item:
    """One record on its way: `document` is its JSON, its id follows from where it was written."""

    epoch: bytes
    sequence: int
    document: bytes

    @property
    def id(self) -> str:
        """The document's `_id`: the same for every attempt, so that the store recognises a second one."""
        return f"{self.epoch.hex()}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Send:
    """Send these documents in one bulk request, then report `answered(number, …)`."""

    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class BuryDeadLetter:
    """Write this document to the dead letters durably, then report `buried(item)`."""

    item: Item
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How large and how many.

    Attributes:
        batch_records_max: Documents in one request.
        batch_bytes_max: Document bytes in one request, one document always fits.
        linger_seconds: How long a document may wait for company.
        concurrency: Requests under way at once.
        held_records_max: Records taken on and not done.
        held_bytes_max: Their document bytes.
    """

    batch_records_max: int = 1_000
    batch_bytes_max: int = 4 * 1024 * 1024
    linger_seconds: float = 0.05
    concurrency: int = 2
    held_records_max: int = 20_000
    held_bytes_max: int = 32 * 1024 * 1024


@dataclass(slots=True)
class _Batch:
    items: tuple[Item, ...]
    failures: int = 0
    not_before_seconds: float = 0.0
    holds_place: bool = True


@dataclass(slots=True)
class Tally:
    """What happened on the way, beside the outcomes; counts only ever rise."""

    requests: int = 0
    unproved_answers: int = 0
    retried_items: int = 0
    refused_requests: int = 0
    last_trouble: str = ""


@dataclass(slots=True)
class DeliveryMachine:
    """The sans-I/O core.

    Args:
        rng: Where jitter comes from.
        limits: How large and how many.
        backoff: How long to wait after failures.
    """

    rng: random.Random
    limits: Limits = field(default_factory=Limits)
    backoff: Backoff = field(default_factory=Backoff)
    progress: Progress = field(default_factory=Progress)
    tally: Tally = field(default_factory=Tally)
    _fresh: deque[Item] = field(default_factory=deque)
    _fresh_bytes: int = 0
    _fresh_since_seconds: float = 0.0
    _held_bytes: int = 0
    _waiting: list[_Batch] = field(default_factory=list)
    _in_flight: dict[int, _Batch] = field(default_factory=dict)
    _burials: list[BuryDeadLetter] = field(default_factory=list)
    _next_number: int = 1

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._in_flight)

    @property
    def room_bytes(self) -> int:
        """How many document bytes more may be handed in; 0 asks the reader to wait."""
        if self.progress.unfinished >= self.limits.held_records_max:
            return 0
        return max(0, self.limits.held_bytes_max - self._held_bytes)

    def take(self, items: Sequence[Item], now_seconds: float) -> None:
        """Take records on; those of one epoch in rising order.

        Args:
            items: The records.
            now_seconds: Monotonic time.
        """
        if items and not self._fresh:
            self._fresh_since_seconds = now_seconds
        for item in items:
            self.progress.take(item.epoch, item.sequence)
            self._fresh.append(item)
            self._fresh_bytes += len(item.document)
            self._held_bytes += len(item.document)

    def commands(self, now_seconds: float) -> list[Send | BuryDeadLetter]:
        """Return what to do now; each command is given out once.

        Args:
            now_seconds: Monotonic time.
        """
        commands: list[Send | BuryDeadLetter] = list(self._burials)
        self._burials.clear()
        while len(self._in_flight) < self.limits.concurrency:
            batch = self._due_batch(now_seconds) or self._fresh_batch(now_seconds)
            if batch is None:
                break
            number, self._next_number = self._next_number, self._next_number + 1
            self._in_flight[number] = batch
            self.tally.requests += 1
            commands.append(Send(number, batch.items))
        return commands

    def wait_seconds(self, now_seconds: float) -> float | None:
        """Return how long nothing is to be done; None while only reports can change that.

        Args:
            now_seconds: Monotonic time.
        """
        if self._burials:
            return 0.0
        if len(self._in_flight) >= self.limits.concurrency:
            return None
        moments = [batch.not_before_seconds for batch in self._waiting]
        if self._fresh and self._places_taken() < self.limits.concurrency:
            full = self._fresh_is_full()
            moments.append(self._fresh_since_seconds + (0.0 if full else self.limits.linger_seconds))
        return max(0.0, min(moments) - now_seconds) if moments else None

    def answered(self, number: int, answer: Answer | NoAnswer, now_seconds: float) -> None:
        """Report what came back for a `Send`.

        Args:
            number: The command's number.
            answer: The answer, or that there is none.
            now_seconds: Monotonic time.
        """
        batch = self._in_flight.pop(number)
        judged = judge(answer, len(batch.items))
        if isinstance(judged, Unproved):
            self.tally.unproved_answers += 1
            self.tally.last_trouble = judged.reason
            self._wait(batch, judged.retry_after_seconds, now_seconds)
        elif isinstance(judged, Refused):
            self.tally.refused_requests += 1
            self.tally.last_trouble = judged.reason
            self._isolate(batch, judged, now_seconds)
        else:
            self._settle(batch, judged.items, judged.retry_after_seconds, now_seconds)

    def buried(self, item: Item) -> None:
        """Report that a dead letter is durable: its record is done."""
        self._done(item, Outcome.DEAD_LETTERED)

    def _settle(
        self,
        batch: _Batch,
        results: Sequence[ItemResult],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        again: list[Item] = []
        for item, result in zip(batch.items, results, strict=True):
            if result.fate is Fate.RETRY:
                again.append(item)
                self.tally.last_trouble = result.reason
            elif result.fate is Fate.REJECTED:
                self._burials.append(BuryDeadLetter(item, result.status, result.reason))
            else:
                self._done(item, OUTCOME_OF[result.fate])
        if again:
            rest = _Batch(tuple(again), batch.failures, holds_place=False)
            self._wait(rest, retry_after_seconds, now_seconds)

    def _wait(self, batch: _Batch, retry_after_seconds: float | None, now_seconds: float) -> None:
        batch.failures += 1
        self.tally.retried_items += len(batch.items)
        delay_seconds = self.backoff.delay_seconds(batch.failures, retry_after_seconds, self.rng)
        batch.not_before_seconds = now_seconds + delay_seconds
        self._waiting.append(batch)

    def _isolate(self, batch: _Batch, refused: Refused, now_seconds: float) -> None:
        if len(batch.items) == 1:
            self._burials.append(BuryDeadLetter(batch.items[0], refused.status, refused.reason))
            return
        middle = len(batch.items) // 2
        for half in (batch.items[:middle], batch.items[middle:]):
            self._waiting.append(_Batch(half, not_before_seconds=now_seconds))

    def _due_batch(self, now_seconds: float) -> _Batch | None:
        due = [batch for batch in self._waiting if batch.not_before_seconds <= now_seconds]
        if not due:
            return None
        batch = min(due, key=lambda candidate: candidate.not_before_seconds)
        self._waiting.remove(batch)
        batch.holds_place = True
        return batch

    def _fresh_batch(self, now_seconds: float) -> _Batch | None:
        if not self._fresh or self._places_taken() >= self.limits.concurrency:
            return None
        lingered = now_seconds >= self._fresh_since_seconds + self.limits.linger_seconds
        if not lingered and not self._fresh_is_full():
            return None
        items: list[Item] = []
        batch_bytes = 0
        while self._fresh and len(items) < self.limits.batch_records_max:
            document_bytes = len(self._fresh[0].document)
            if items and batch_bytes + document_bytes > self.limits.batch_bytes_max:
                break
            batch_bytes += document_bytes
            items.append(self._fresh.popleft())
        self._fresh_bytes -= batch_bytes
        return _Batch(tuple(items))

    def _fresh_is_full(self) -> bool:
        return (
            len(self._fresh) >= self.limits.batch_records_max
            or self._fresh_bytes >= self.limits.batch_bytes_max
        )

    def _places_taken(self) -> int:
        return len(self._in_flight) + sum(batch.holds_place for batch in self._waiting)

    def _done(self, item: Item, outcome: Outcome) -> None:
        self._held_bytes -= len(item.document)
        self.progress.finish(item.epoch, item.sequence, outcome)
