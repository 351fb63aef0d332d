"""The delivery machine: it is told records, outcomes and the time, and tells what to do next.

```
take(records) → fresh ──batch──▶ in flight ─outcome──▶ done | dead letter | waiting (backoff) ─▶ in flight …
                                     └─ unknown: the whole batch waits, holds its place; before it is
                                        sent again, the store is asked which of its documents it has
```

A batch that failed as a whole keeps its place among the few that may be under way, so an outage is met by
that many requests and no more; after some failures in a row, by one small one at a time. Documents that the
store pushed back wait beside them, in a bounded number of batches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence

from logging_system.delivery.backoff import Backoff
from logging_system.delivery.batches import Batch
from logging_system.delivery.breaker import Breaker
from logging_system.delivery.commands import BuryDeadLetter, Item, Limits, LookUp, Send, Tally
from logging_system.delivery.departures import Departures, Request
from logging_system.delivery.limiter import Limiter
from logging_system.delivery.outcomes import (
    CannotLookUp,
    Conflict,
    Delivered,
    Found,
    LookUpOutcome,
    OneForEach,
    Redirected,
    Refused,
    RequestRefused,
    Retry,
    SameForAll,
    SendOutcome,
    Unknown,
)
from logging_system.delivery.progress import OUTCOME_OF, Outcome, Progress
from logging_system.delivery.runs import Run, documents_bytes, runs_of
from logging_system.delivery.suspects import Suspects
from logging_system.delivery.trials import Trials
from logging_system.delivery.write_indices import WriteIndices

__all__ = ["BuryDeadLetter", "DeliveryMachine", "Item", "Limits", "LookUp", "Send", "Tally"]

Command = Send | LookUp | BuryDeadLetter
Accepted = Delivered | Conflict | Redirected

ALONE_MAX = 8
"""Documents judged alone at a time."""

PLACE_LOST_AFTER_LOOK_UPS = 10
"""Perhaps only look-ups fail; with all places held by them, no bulk could show it."""

LOOK_UPS_FAILED_MAX = 30
PROOFS_MEANWHILE_MIN = 30
"""A look-up that fails so often, while so many bulks are proved, will not come: the batch is sent without."""

_OTHER_QUESTION = "the sink gave the outcome of a look-up for a request to store, or the reverse"
_OTHER_NUMBER = "the sink gave another number of outcomes than documents were sent"


class DeliveryMachine:
    """Decides what to send, to look up and to give up; it does no input or output.

    Args:
        rng: Where jitter comes from.
        limits: How large and how many.
        backoff: How long to wait after failures.
        limiter: How many requests the store takes at once; by default it begins with one.
        finished: Told of records that are done, whether or not others before them are.

    Attributes:
        progress: What is done, as far as it is remembered.
        tally: What happened on the way.
        breaker: The circuit breaker of the store.
        held_records: Documents taken on and not done.
        held_bytes: Their bytes.
    """

    def __init__(
        self,
        rng: random.Random,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
        limiter: Limiter | None = None,
        finished: Callable[[Run, Outcome], None] = lambda _run, _outcome: None,
    ) -> None:
        self.rng = rng
        self._finished = finished
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
        """How many of them are one document that is tried alone."""
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
        left_bytes = limits.held_bytes_max - self.held_bytes + self._departures.bytes_apart()
        # What no request can carry yet waits in the spool: memory does not follow a backlog.
        return max(0, min(left_bytes, self._departures.fresh.room_bytes))

    def expects(self, number: int) -> bool:
        """Whether an outcome of this command would still change anything; callable from any thread.

        Args:
            number: The command's.
        """
        return number in self._departures.under_way

    def doubt(self, epochs: Collection[bytes]) -> None:
        """Expect that an earlier process sent records of these writers and died before it noted that.

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
            reason = f"no complete answer within {self.limits.request_seconds_max:g} s"
            self.answered(number, Unknown(reason), now_seconds)
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

    def answered(self, number: int, outcome: SendOutcome | LookUpOutcome, now_seconds: float) -> None:
        """Report the outcome of a `Send` or a `LookUp`; too late for one given up, it changes nothing.

        Args:
            number: The command's number.
            outcome: What the sink said of it.
            now_seconds: Monotonic time.
        """
        request = self._departures.returned(number)
        if request is None:
            self.tally.late_answers += 1
            return
        if request.indices is None:
            self._sent(request, outcome, now_seconds)
        else:
            self._looked_up(request, outcome, now_seconds)

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

    def _sent(self, request: Request, outcome: SendOutcome | LookUpOutcome, now_seconds: float) -> None:
        match outcome:
            case SameForAll(Delivered() | Conflict() | Redirected() as accepted):
                self._settle_whole(request, accepted, now_seconds)
            case SameForAll() | OneForEach():
                self._settle(request, outcome, now_seconds)
            case RequestRefused():
                self.tally.refused_requests += 1
                self.tally.last_trouble = outcome.reason
                self._isolate(request, outcome, now_seconds)
            case Unknown():
                self._lost(request, outcome, now_seconds)
            case Found() | CannotLookUp():
                self._lost(request, Unknown(_OTHER_QUESTION), now_seconds)

    def _lost(self, request: Request, unknown: Unknown, now_seconds: float) -> None:
        """Retry a batch of which nothing is known."""
        if unknown.may_have_stored:
            request.batch.is_doubtful = True
            request.batch.first_index = request.first_index
        self._unproved(request, unknown, now_seconds)

    def _unproved(self, request: Request, unknown: Unknown, now_seconds: float) -> None:
        self._trials.failed(self._departures.batches())
        self.tally.unproved_answers += 1
        self.tally.last_trouble = unknown.reason
        self.limiter.pushed_back(request.sent_seconds, now_seconds)
        self.breaker.failed(unknown.retry_after_seconds, now_seconds)
        if request.indices is None:
            request.batch.holds_place = True
        elif request.batch.look_ups_failed >= PLACE_LOST_AFTER_LOOK_UPS:
            request.batch.holds_place = False
        self._wait(request.batch, unknown.retry_after_seconds, now_seconds)

    def _looked_up(self, request: Request, outcome: SendOutcome | LookUpOutcome, now_seconds: float) -> None:
        batch = request.batch
        if not isinstance(outcome, Found | CannotLookUp):
            unknown = outcome if isinstance(outcome, Unknown) else Unknown(_OTHER_QUESTION)
            self._look_up_failed(batch)
            self._unproved(request, unknown, now_seconds)
            return
        self.breaker.reached(now_seconds)
        batch.is_doubtful = False
        batch.look_ups_failed = batch.tried_number = 0  # so it is the next probe, and a proof
        if isinstance(outcome, CannotLookUp):
            self.tally.skipped_look_ups += 1
            self.tally.last_trouble = outcome.reason
        else:
            batch.items = self._without_found(batch.items, outcome)
            if outcome.ids:
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

    def _settle_whole(self, request: Request, accepted: Accepted, now_seconds: float) -> None:
        """Do what `_settle` does where every document was accepted alike, at once for all."""
        self._accepted += len(request.batch.items)
        self._trials.accepted(request.number, self._departures.batches(), now_seconds)
        self._saw_index(accepted)
        self._done(request.batch.items, OUTCOME_OF[type(accepted)])
        self._feel(request, (), None, now_seconds)

    def _settle(self, request: Request, told: SameForAll | OneForEach, now_seconds: float) -> None:
        outcomes = told.each(len(request.batch.items))
        if len(outcomes) != len(request.batch.items):
            self._lost(request, Unknown(_OTHER_NUMBER, told.retry_after_seconds), now_seconds)
            return
        again: list[tuple[Item, Retry]] = []
        accepted_before = self._accepted
        for item, outcome in zip(request.batch.items, outcomes, strict=True):
            if isinstance(outcome, Retry):
                again.append((item, outcome))
                self.tally.last_trouble = outcome.reason
            elif isinstance(outcome, Refused):
                self._bury(item, outcome)
            else:
                self._accept(item, outcome)
        if self._accepted > accepted_before:
            self._trials.accepted(request.number, self._departures.batches(), now_seconds)
        self._feel(request, again, told.retry_after_seconds, now_seconds)
        if again:
            self._retry(request, again, told.retry_after_seconds, now_seconds)

    def _accept(self, item: Item, accepted: Accepted) -> None:
        self._accepted += 1
        self._saw_index(accepted)
        self._done((item,), OUTCOME_OF[type(accepted)])

    def _saw_index(self, accepted: Accepted) -> None:
        if not isinstance(accepted, Redirected):
            self._write_indices.saw(accepted.index)

    def _feel(
        self,
        request: Request,
        again: Sequence[tuple[Item, Retry]],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        """Tell limiter and breaker how the store responded."""
        if any(retry.is_pushed_back for _, retry in again):
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
        again: Sequence[tuple[Item, Retry]],
        retry_after_seconds: float | None,
        now_seconds: float,
    ) -> None:
        batch, rest = request.batch, list[Item]()
        is_hopeless = self._is_hopeless(batch, now_seconds)
        is_doubtful = any(retry.may_have_stored for _, retry in again)
        for item, retry in again:
            self._suspects.failed(item.id, retry, self._accepted)
            if len(batch.items) == 1 and self._suspects.is_to_blame(item.id, is_hopeless=is_hopeless):
                self._bury(item, retry)
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

    def _isolate(self, request: Request, refused: RequestRefused, now_seconds: float) -> None:
        """Halve a refused batch; a single document is blamed only while the store accepts others."""
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

    def _judge_alone(self, batch: Batch, refused: RequestRefused, now_seconds: float) -> None:
        only_it_is_refused = self._trials.refused(batch, self._departures.last_number)
        if self._trials.is_to_blame(batch, is_too_large=refused.is_too_large) or self._is_hopeless(
            batch, now_seconds
        ):
            self._bury(batch.items[0], refused)
            self.breaker.reached(now_seconds)
            return
        if only_it_is_refused:
            self.breaker.reached(now_seconds)
        else:
            self.breaker.failed(None, now_seconds)
        batch.holds_place = False
        self._wait(batch, None, now_seconds)

    def _is_hopeless(self, batch: Batch, now_seconds: float) -> bool:
        """Whether a batch failed because of its documents, as far as can be known."""
        left = self._departures.batches()
        return not self._departures.fresh and self._trials.is_hopeless(batch, left, now_seconds)

    def _wait(self, batch: Batch, retry_after_seconds: float | None, now_seconds: float) -> None:
        batch.failures += 1
        self.tally.retried_items += len(batch.items)
        delay_seconds = self.backoff.delay_seconds(batch.failures, retry_after_seconds, self.rng)
        batch.not_before_seconds = now_seconds + delay_seconds
        self._waiting.add(batch)

    def _bury(self, item: Item, why: Refused | Retry | RequestRefused) -> None:
        self._burials.append(BuryDeadLetter(item, why.status, why.reason))

    def _done(self, items: Sequence[Item], outcome: Outcome) -> None:
        self.held_records -= len(items)
        self.held_bytes -= documents_bytes(items)
        self._suspects.cleared(items)
        for run in runs_of(items):
            self.progress.finish(run, outcome)
            self._finished(run, outcome)
