"""The bounded queue between the application's threads and the worker, and the policy when it is full."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from logging_system.monitoring.counters import LiveCounters
from logging_system.records.record import Captured, is_acknowledged, size_bytes

GROUP_RECORDS_MAX = 512
GROUP_BYTES_MAX = 4 * 1024 * 1024

FullPolicy = Literal["block_errors", "drop_newest", "drop_oldest"]


class BlockBudget(threading.local):
    """How long this thread may still wait in the current second; each thread has its own.

    Args:
        allowance_seconds: Waiting allowed per thread and second.
    """

    def __init__(self, allowance_seconds: float) -> None:
        self._allowance_seconds = allowance_seconds
        self._window_started_seconds = float("-inf")
        self._spent_seconds = 0.0

    def remaining_seconds(self, now_seconds: float) -> float:
        """Return how long the thread may wait from `now_seconds` on."""
        if now_seconds - self._window_started_seconds >= 1.0:
            self._window_started_seconds = now_seconds
            self._spent_seconds = 0.0
        return max(0.0, self._allowance_seconds - self._spent_seconds)

    def spend(self, waited_seconds: float) -> None:
        """Take what was waited off the current second's allowance.

        Args:
            waited_seconds: How long this thread has just waited.
        """
        self._spent_seconds += waited_seconds


class RecordQueue:
    """Captured records on their way to the worker; bounded in records and bytes.

    Args:
        live_counters: Counts what goes in and what is refused, under the same lock.
        records_max: Records waiting at most.
        bytes_max: Their bytes at most, roughly.
        allowance_seconds: How long a thread may wait for room per second, where it may wait.
        when_full: Whether a full queue makes errors wait, gives up the newest, or gives up the oldest.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        live_counters: LiveCounters,
        *,
        records_max: int,
        bytes_max: int,
        allowance_seconds: float,
        when_full: FullPolicy = "block_errors",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live_counters = live_counters
        self._when_full = when_full
        self.records_max = records_max
        self._bytes_max = bytes_max
        self._clock = clock
        self._budget = BlockBudget(allowance_seconds)
        self._records: deque[Captured] = deque()
        self._bytes = 0
        self._taken_before_group = 0
        self._room = threading.Condition(live_counters.lock)
        self._work = threading.Condition(live_counters.lock)
        self._settled = threading.Condition(live_counters.lock)
        self._worker_waits_for = 0
        self._blocked = 0
        self._hurry = False
        self.closed = False
        live_counters.meter.waiting = self._records.__len__

    def offer(self, captured: Captured, may_wait: bool) -> bool:
        """Queue a record, or count why not; what a closed queue refuses is counted by whoever offered it.

        Args:
            captured: The record.
            may_wait: Whether the thread may spend its budget when the queue is full and the policy lets it.

        Returns:
            Whether the record was queued.
        """
        live_counters, records = self._live_counters, self._records
        with live_counters.lock:
            # The caller's time: neither `_is_full` nor `size_bytes` is called where there is room.
            held_bytes = self._bytes + captured[1]
            if (
                self.closed or len(records) >= self.records_max or held_bytes > self._bytes_max
            ) and not self._find_room(captured, may_wait=may_wait):
                return False
            live_counters.offered += 1
            live_counters.queued += 1
            self._bytes += captured[1]
            records.append(captured)
            if self._worker_waits_for and len(records) >= self._worker_waits_for:
                self._worker_waits_for = 0
                self._work.notify()
            return True

    def take(self, linger_seconds: float, idle_seconds: float) -> list[Captured]:
        """Return the next group for the worker; empty after `idle_seconds`, or when closed and empty.

        The records stay counted as queued until the worker says what became of them.

        Args:
            linger_seconds: How long the first record waits for company at most.
            idle_seconds: How long to wait for a first record.
        """
        with self._live_counters.lock:
            # Who logs often logs again before long: a look after a while costs less than a wake-up by a call.
            self._wait_for_work(GROUP_RECORDS_MAX, linger_seconds)
            if not self._records and not self.closed:
                self._wait_for_work(1, idle_seconds)
                if self._records:
                    self._wait_for_work(GROUP_RECORDS_MAX, linger_seconds)
            self._taken_before_group = self._live_counters.meter.taken
            group: list[Captured] = []
            group_bytes = 0
            while self._records and len(group) < GROUP_RECORDS_MAX and group_bytes < GROUP_BYTES_MAX:
                captured = self._records.popleft()
                group_bytes += size_bytes(captured)
                group.append(captured)
            self._bytes -= group_bytes
            self._live_counters.meter.taken += len(group)
            if self._blocked:
                self._room.notify_all()
            return group

    def settled(self) -> None:
        """Tell those who wait in `wait_until_settled` to look again."""
        with self._live_counters.lock:
            self._settled.notify_all()

    def wait_until_settled(self, timeout_seconds: float) -> bool:
        """Wait until every record offered before this call has left the queue and the worker's hands.

        Args:
            timeout_seconds: How long to wait at most.

        Returns:
            Whether that happened in time.
        """
        with self._live_counters.lock:
            target = self._live_counters.meter.taken + len(self._records)
            self._hurry = True
            self._work.notify()
            try:
                return self._settled.wait_for(lambda: self._have_left() >= target, timeout_seconds)
            finally:
                self._hurry = False

    def close(self) -> None:
        """Refuse records from now on; what is queued can still be taken."""
        with self._live_counters.lock:
            self.closed = True
            self._work.notify_all()
            self._room.notify_all()

    def open(self) -> None:
        """Take records again after `close`."""
        with self._live_counters.lock:
            self.closed = False

    def discard(self, reason: str) -> None:
        """Count everything still waiting as dropped.

        Args:
            reason: Why the worker can store nothing more, in a word.
        """
        with self._live_counters.lock:
            if not self._records:
                return
            acknowledged = sum(map(is_acknowledged, self._records))
            self._live_counters.drop_queued(reason, len(self._records), acknowledged=acknowledged)
            self._live_counters.meter.taken += len(self._records)
            self._records.clear()
            self._bytes = 0
            self._settled.notify_all()

    def _have_left(self) -> int:
        """Return how many records, in the order they came, have left the queue and the worker's hands."""
        in_hand = self._live_counters.queued - len(self._records)
        return self._taken_before_group if in_hand else self._live_counters.meter.taken

    def _is_full(self, captured: Captured) -> bool:
        if len(self._records) >= self.records_max:
            return True
        return bool(self._records) and self._bytes + size_bytes(captured) > self._bytes_max

    def _find_room(self, captured: Captured, *, may_wait: bool) -> bool:
        """Return whether there is room, or can be by the policy; count the record where there is none."""
        if not self.closed and self._is_full(captured):
            self._make_room(captured, may_wait=may_wait)
        if self.closed:
            return False
        if self._is_full(captured):
            self._live_counters.drop_offered("queue_full")
            return False
        return True

    def _make_room(self, captured: Captured, *, may_wait: bool) -> None:
        if self._when_full == "block_errors" and may_wait:
            self._wait_for_room(captured)
        elif self._when_full == "drop_oldest":
            while self._records and self._is_full(captured) and not is_acknowledged(self._records[0]):
                oldest = self._records.popleft()
                self._bytes -= size_bytes(oldest)
                self._live_counters.drop_queued("queue_full", 1)
                self._live_counters.meter.taken += 1
            self._settled.notify_all()

    def _wait_for_room(self, captured: Captured) -> None:
        started_seconds = self._clock()
        allowed_seconds = self._budget.remaining_seconds(started_seconds)
        if allowed_seconds <= 0.0:
            return
        self._blocked += 1
        try:
            self._room.wait_for(lambda: self.closed or not self._is_full(captured), allowed_seconds)
        finally:
            self._blocked -= 1
            self._budget.spend(self._clock() - started_seconds)

    def _wait_for_work(self, records: int, seconds: float) -> None:
        self._worker_waits_for = records
        # Hurry is about records that wait for company; where there are none it would have the worker spin.
        self._work.wait_for(
            lambda: self.closed or len(self._records) >= (1 if self._hurry else records), seconds
        )
        self._worker_waits_for = 0
