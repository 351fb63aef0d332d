"""The delivery machine: it is told records, answers and the time, and tells what to do next.

```
take(records) → fresh ──batch──▶ in flight ──answer──▶ done | dead letter | waiting (backoff) ─▶ in flight …
                                     └─ no proof: the whole batch waits, holds its place; before it is
                                        sent again, the store is asked which of its documents it has
```

A batch that failed as a whole keeps its place among the few that may be under way, so an outage is met by
that many requests and no more; after some failures in a row, by one small one at a time. Documents that the
store pushed back wait beside them, in a bounded number of batches.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from logging_system.delivery.all_created import created_in
from logging_system.delivery.answers import Answer, Fate, ItemResult, NoAnswer, Refused, Unproved, judge
from logging_system.delivery.backoff import Backoff
from logging_system.delivery.batches import Batch
from logging_system.delivery.breaker import Breaker
from logging_system.delivery.commands import BuryDeadLetter, Item, Limits, LookUp, Send, Tally
from logging_system.delivery.departures import Departures, Request
from logging_system.delivery.limiter import Limiter
from logging_system.delivery.look_up import CannotLookUp, Found, WriteIndices, judge_look_up
from logging_system.delivery.progress import OUTCOME_OF, Outcome, Progress
from logging_system.delivery.runs import documents_bytes, runs_of
from logging_system.delivery.suspects import Suspects
from logging_system.delivery.trials import Trials

__all__ = ["BuryDeadLetter", "DeliveryMachine", "Item", "Limits", "LookUp", "Send", "Tally"]

Command = Send | LookUp | BuryDeadLetter

ALONE_MAX = 8
"""Documents judged alone at a time."""

PLACE_LOST_AFTER_LOOK_UPS = 10
"""Perhaps only look-ups fail; with all places held by them, no bulk could show it."""

LOOK_UPS_FAILED_MAX = 30
PROOFS_MEANWHILE_MIN = 30
"""A look-up that fails so often, while so many bulks are proved, will not come: the batch is sent without."""


class DeliveryMachine:
    """The sans-I/O core.

    Args:
        rng: Where jitter comes from.
        limits: How large and how many.
        backoff: How long to wait after failures.
        limiter: How many requests the store takes at once; by default it begins with one.

    Attributes:
        progress: What is done, as far as it is remembered.
        tally: What happened on the way.
        breaker: Whether the store is left alone.
        held_records: Documents taken on and not done.
        held_bytes: Their bytes.
    """

    def __init__(
        self,
        rng: random.Random,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.rng = rng
        self.limits = limits or Limits()
        self.backoff = backoff or Backoff()
        self.limiter = limiter or Limiter(self.limits.concurrency, self.limits.batch_records_max)
        self.breaker = Breaker(self.limiter, rng)
        self.progress = Progress()
        self.tally = Tally()
        self.held_records = 0
        self.held_bytes = 0
        self._departures = Departures(self.limits, self.limiter, self.breaker)
        self._waiting = self._departures.waiting
        self._burials: list[BuryDeadLetter] = []
        self._suspects = Suspects()
        self._trials = Trials()
        self._write_indices = WriteIndices()
        self._doubt: dict[bytes, int] = {}
        self._accepted = 0
        self._proofs = 0

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._departures.under_way)

    @property
    def waiting_batches(self) -> int:
        """Batches that wait to be sent again."""
        return len(self._waiting)

    @property
    def waiting_alone(self) -> int:
        """How many of them are one document that is to be judged by itself."""
        return sum(batch.is_alone for batch in self._waiting)

    @property
    def room_bytes(self) -> int:
        """How many document bytes more may be handed in; 0 asks the reader to wait."""
        limits = self.limits
        if (
            self.held_records >= limits.held_records_max
            or self.progress.unfinished >= limits.unfinished_records_max
        ):
            return 0
        return max(0, limits.held_bytes_max - self.held_bytes + self._departures.bytes_apart())

    def expects(self, number: int) -> bool:
        """Whether an answer to this command would still change anything; callable from any thread."""
        return number in self._departures.under_way

    def doubt(self, epochs: Collection[bytes]) -> None:
        """Expect that an earlier process sent records of these writers and did not live to remember it.

        They are looked up before they are sent, until as many in a row as a process can have on its way were
        not in the store: further it cannot have come.

        Args:
            epochs: The writers whose records were there when this process began.
        """
        self._doubt.update(dict.fromkeys(epochs, 2 * self.limits.held_records_max))

    def take(self, items: Sequence[Item], now_seconds: float) -> None:
        """Take records on; those of one epoch in rising order.

        Args:
            items: The records.
            now_seconds: Monotonic time.
        """
        for run in runs_of(items):
            self.progress.take(run)
        self.held_records += len(items)
        self.held_bytes += self._departures.fresh.add(items, now_seconds)

    def commands(self, now_seconds: float) -> list[Command]:
        """Return what to do now; each command is given out once.

        Args:
            now_seconds: Monotonic time.
        """
        for number in self._departures.overdue(now_seconds):
            self.tally.expired_requests += 1
            reason = f"no whole answer within {self.limits.request_seconds_max:g} s"
            self.answered(number, NoAnswer(reason), now_seconds)
        self._departures.is_rationed = 2 * self.progress.unfinished > self.limits.unfinished_records_max
        commands: list[Command] = list(self._burials)
        self._burials.clear()
        while (batch := self._departures.next_batch(now_seconds)) is not None:
            if isinstance(batch, tuple):
                batch = Batch(batch, is_doubtful=self._concerns_earlier_process(batch), first_index=-1)
            commands.append(self._request(batch, now_seconds))
        return commands

    def wait_seconds(self, now_seconds: float) -> float | None:
        """Return how long nothing is to be done; None while only reports can change that.

        Args:
            now_seconds: Monotonic time.
        """
        return 0.0 if self._burials else self._departures.wait_seconds(now_seconds)

    def answered(self, number: int, answer: Answer | NoAnswer, now_seconds: float) -> None:
        """Report what came back for a `Send` or a `LookUp`; too late for one given up, it changes nothing.

        Args:
            number: The command's number.
            answer: The answer, or that there is none.
            now_seconds: Monotonic time.
        """
        request = self._departures.returned(number)
        if request is None:
            self.tally.late_answers += 1
            return
        if request.indices is None:
            self._judge_bulk(request, answer, now_seconds)
        else:
            self._judge_look_up(request, request.indices, answer, now_seconds)

    def buried(self, item: Item) -> None:
        """Report that a dead letter is durable: its record is done."""
        self._done((item,), Outcome.DEAD_LETTERED)

    def _concerns_earlier_process(self, items: Sequence[Item]) -> bool:
        return bool(self._doubt) and any(item.epoch in self._doubt for item in items)

    def _request(self, batch: Batch, now_seconds: float) -> Send | LookUp:
        request = self._departures.depart(batch, now_seconds, self._write_indices.mark())
        if batch.is_doubtful:
            self.tally.look_ups += 1
            request.indices = self._write_indices.since(batch.first_index)
            return LookUp(request.number, batch.items, request.indices)
        if batch.is_alone:
            self._trials.begin(batch, now_seconds)
        self.tally.requests += 1
        return Send(request.number, batch.items)

    def _judge_bulk(self, request: Request, answer: Answer | NoAnswer, now_seconds: float) -> None:
        index = created_in(answer, runs_of(request.batch.items))
        if index is not None:
            self._settle_whole(request, index, now_seconds)
            return
        judged = judge(answer, [item.id for item in request.batch.items])
        if isinstance(judged, Unproved):
            if judged.may_have_stored:
                request.batch.is_doubtful = True
                request.batch.first_index = request.first_index
            self._unproved(request, judged, now_seconds)
        elif isinstance(judged, Refused):
            self.tally.refused_requests += 1
            self.tally.last_trouble = judged.reason
            self._isolate(request, judged, now_seconds)
        else:
            self._settle(request, judged.items, judged.retry_after_seconds, now_seconds)

    def _unproved(self, request: Request, judged: Unproved, now_seconds: float) -> None:
        self._trials.failed(self._departures.batches())
        self.tally.unproved_answers += 1
        self.tally.last_trouble = judged.reason
        self.limiter.pushed_back(request.sent_seconds, now_seconds)
        self.breaker.failed(judged.retry_after_seconds, now_seconds)
        if request.indices is None:
            request.batch.holds_place = True
        elif request.batch.look_ups_failed >= PLACE_LOST_AFTER_LOOK_UPS:
            request.batch.holds_place = False
        self._wait(request.batch, judged.retry_after_seconds, now_seconds)

    def _judge_look_up(
        self, request: Request, indices: Sequence[str], answer: Answer | NoAnswer, now_seconds: float
    ) -> None:
        batch = request.batch
        judged = judge_look_up(answer, [item.id for item in batch.items], indices)
        if isinstance(judged, Unproved):
            self._look_up_failed(batch)
            self._unproved(request, judged, now_seconds)
            return
        self.breaker.reached(now_seconds)
        batch.is_doubtful = False
        batch.look_ups_failed = batch.tried_number = 0  # so it is the next probe, and a proof
        if isinstance(judged, CannotLookUp):
            self.tally.skipped_look_ups += 1
            self.tally.last_trouble = judged.reason
        else:
            batch.items = self._without_found(batch.items, judged)
            if judged.ids:
                self.breaker.succeeded()
                self._trials.heard(now_seconds)
        if batch.items:
            self._waiting.add(batch)  # still due, and so the next to go

    def _look_up_failed(self, batch: Batch) -> None:
        if not batch.look_ups_failed:
            batch.proofs_before = self._proofs
        batch.look_ups_failed += 1
        enough_proofs = self._proofs - batch.proofs_before >= PROOFS_MEANWHILE_MIN
        if batch.look_ups_failed >= LOOK_UPS_FAILED_MAX and enough_proofs:
            self.tally.skipped_look_ups += 1
            batch.is_doubtful = False

    def _without_found(self, items: Sequence[Item], found: Found) -> tuple[Item, ...]:
        absent: list[Item] = []
        for item in items:
            is_found = item.id in found.ids
            if item.epoch in self._doubt:
                left = 2 * self.limits.held_records_max if is_found else self._doubt[item.epoch] - 1
                self._doubt[item.epoch] = left
                if left <= 0:
                    del self._doubt[item.epoch]
            if is_found:
                self.tally.found_by_look_up += 1
                self._done((item,), Outcome.CONFLICT)
            else:
                absent.append(item)
        return tuple(absent)

    def _settle_whole(self, request: Request, index: str, now_seconds: float) -> None:
        """Do what `_settle` does where every document was stored, at once for all."""
        self._accepted += len(request.batch.items)
        self._trials.accepted(request.number, self._departures.batches(), now_seconds)
        self._write_indices.saw(index)
        self._done(request.batch.items, Outcome.DELIVERED)
        self._feel(request, (), None, now_seconds)

    def _settle(
        self,
        request: Request,
        results: Sequence[ItemResult],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        again: list[tuple[Item, ItemResult]] = []
        accepted_before = self._accepted
        for item, result in zip(request.batch.items, results, strict=True):
            if result.fate is Fate.RETRY:
                again.append((item, result))
                self.tally.last_trouble = result.reason
            elif result.fate is Fate.REJECTED:
                self._bury(item, result.status, result.reason)
            else:
                self._accept(item, result)
        if self._accepted > accepted_before:
            self._trials.accepted(request.number, self._departures.batches(), now_seconds)
        self._feel(request, again, retry_after_seconds, now_seconds)
        if again:
            self._retry(request, again, retry_after_seconds, now_seconds)

    def _accept(self, item: Item, result: ItemResult) -> None:
        self._accepted += 1
        self._write_indices.saw(result.index)
        self._done((item,), OUTCOME_OF[result.fate])

    def _feel(
        self,
        request: Request,
        again: Sequence[tuple[Item, ItemResult]],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        """Tell limiter and breaker how the store took it."""
        if any(result.status in (429, 503) for _, result in again):
            self.limiter.pushed_back(request.sent_seconds, now_seconds)
        else:
            self.limiter.succeeded(request.sent_seconds, now_seconds)
        if len(again) < len(request.batch.items):
            self._proofs += 1
            self.breaker.succeeded()
        else:
            self.breaker.failed(retry_after_seconds, now_seconds)

    def _retry(
        self,
        request: Request,
        again: Sequence[tuple[Item, ItemResult]],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        batch, rest = request.batch, list[Item]()
        is_hopeless = self._is_hopeless(batch, now_seconds)
        # What failed inside the store may have been stored by a shard that could not say so.
        is_doubtful = any(result.status != 429 and not 400 <= result.status < 500 for _, result in again)
        for item, result in again:
            self._suspects.failed(item.id, result, self._accepted)
            if len(batch.items) == 1 and self._suspects.is_to_blame(item.id, is_hopeless=is_hopeless):
                self._bury(item, result.status, result.reason)
            elif (
                len(batch.items) == 1
                or self._departures.alone() >= ALONE_MAX
                or not self._suspects.is_to_be_sent_alone(item.id, is_hopeless=is_hopeless)
            ):
                rest.append(item)
            else:
                alone = Batch((item,), batch.failures, holds_place=False, is_isolating=True)
                alone.is_doubtful, alone.first_index = is_doubtful, request.first_index
                self._wait(alone, retry_after_seconds, now_seconds)
        if rest:
            remnant = batch.part(tuple(rest))
            remnant.holds_place, remnant.was_read = False, True
            remnant.is_doubtful, remnant.first_index = is_doubtful, request.first_index
            self._wait(remnant, retry_after_seconds, now_seconds)

    def _isolate(self, request: Request, refused: Refused, now_seconds: float) -> None:
        """Take a refused batch apart; a document alone is blamed only while the store accepts others."""
        batch = request.batch
        batch.is_isolating, batch.was_read = True, False
        if len(batch.items) == 1:
            self._judge_alone(batch, refused, now_seconds)
            return
        if not batch.was_refused:  # else it says nothing new
            self._trials.failed(self._departures.batches())
        if self._departures.may_take_apart(batch):
            middle = len(batch.items) // 2
            for half in (batch.items[:middle], batch.items[middle:]):
                self._waiting.add(batch.part(half))
            self.breaker.reached(now_seconds)
            return
        batch.was_refused = True
        batch.holds_place = False  # what it waits for is that others are accepted
        self.breaker.failed(None, now_seconds)
        self._wait(batch, None, now_seconds)

    def _judge_alone(self, batch: Batch, refused: Refused, now_seconds: float) -> None:
        only_it_is_refused = self._trials.refused(batch, self._departures.last_number)
        if self._trials.is_to_blame(batch, refused.status) or self._is_hopeless(batch, now_seconds):
            self._bury(batch.items[0], refused.status, refused.reason)
            self.breaker.reached(now_seconds)
            return
        if only_it_is_refused:
            self.breaker.reached(now_seconds)
        else:
            self.breaker.failed(None, now_seconds)
        batch.holds_place = False
        self._wait(batch, None, now_seconds)

    def _is_hopeless(self, batch: Batch, now_seconds: float) -> bool:
        """Whether a batch failed because of its documents as far as can ever be told."""
        left = self._departures.batches()
        return not self._departures.fresh and self._trials.is_hopeless(batch, left, now_seconds)

    def _wait(self, batch: Batch, retry_after_seconds: float | None, now_seconds: float) -> None:
        batch.failures += 1
        self.tally.retried_items += len(batch.items)
        delay_seconds = self.backoff.delay_seconds(batch.failures, retry_after_seconds, self.rng)
        batch.not_before_seconds = now_seconds + delay_seconds
        self._waiting.add(batch)

    def _bury(self, item: Item, status: int, reason: str) -> None:
        self._burials.append(BuryDeadLetter(item, status, reason))

    def _done(self, items: Sequence[Item], outcome: Outcome) -> None:
        self.held_records -= len(items)
        self.held_bytes -= documents_bytes(items)
        self._suspects.cleared(items)
        for run in runs_of(items):
            self.progress.finish(run, outcome)
