"""A `logging.Handler` that counts what any application logs, and keeps no record of it.

```
log call ─▶ an entry in a buffer ──every 64 entries or 100 ms──▶ LogStatistics ─▶ snapshot()
             (no lock)              (by the thread that is free)        └▶ findings ─▶ a thread ─▶ on_finding
```

A log call puts an entry into the buffer, and counts what is in it unless another thread is at that. It does
not wait for that thread; where very many entries wait, it gives it a millisecond. A log call made in the
middle of another, by a signal handler, waits for nothing either.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from logging_system.monitoring.error_templates import error_text
from logging_system.monitoring.finding_teller import FindingTeller
from logging_system.monitoring.findings import OTHER, Finding, OnFinding
from logging_system.monitoring.log_statistics import NO_CALL, SECOND_NS, Entry, Limits, LogStatistics, Series
from logging_system.monitoring.monitoring_snapshot import MonitoringSnapshot, snapshot_of
from logging_system.spool.forks import FORKS

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from prometheus_client.registry import Collector

_ERROR = logging.ERROR
_BATCH_ENTRIES = 64
_BATCH_NS = SECOND_NS // 10
_ENTRIES_AT_ONCE_MAX = 256
"""What one log call counts at most, of other threads' entries too."""
ENTRIES_MAX = 16_384
_CROWD_ENTRIES = 2_048
_CROWD_SECONDS_MAX = 0.001
_SNAPSHOT_SECONDS_MAX = 1.0
_CLOSE_SECONDS_MAX = 1.0
_COUNTING_NS_MAX = 5 * SECOND_NS


class AdvancedMonitoringHandler(logging.Handler):
    """Counts records, errors and durations in windows of 1, 10 and 60 s, and notices what is unusual.

    Works beside any other handlers. Attached after them, to the root logger, it knows how long they keep log
    calls from returning. Its memory is bounded, whatever is logged; a forked child begins at zero.

    Args:
        on_finding: Told of slow calls, slow operations and bursts, on a thread of its own; what it raises is
            counted. `log_findings("shop.findings")` is one that logs them.
        duration_field: The attribute of records that says how long something took, in milliseconds.
        slow_call_ms: A log call that takes longer until it comes here is a finding.
        slow_operation_ms: A duration above it is a finding.
        burst_factor: More than this many times as many records in a second as in the minute before are a
            burst.
        burst_records_min: Fewer records in a second are no burst.
        burst_errors_min: Fewer errors in a second are no burst of errors.
        finding_interval_seconds: Findings of one kind and logger are told once within this time, with how
            often there were.
        series_max: Pairs of logger and level that are counted apart; the others are `(other)`.
        error_templates_max: Error templates that are kept, of the last minute (in each of its tenths) and of
            all time.
        level: The handler's level.
        clock_ns: Monotonic nanoseconds.
        time_of_day: Seconds since 1970, as records are stamped with.

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        *,
        on_finding: OnFinding | None = None,
        duration_field: str = "duration_ms",
        slow_call_ms: float = 50.0,
        slow_operation_ms: float = 1_000.0,
        burst_factor: float = 5.0,
        burst_records_min: int = 100,
        burst_errors_min: int = 10,
        finding_interval_seconds: float = 10.0,
        series_max: int = 512,
        error_templates_max: int = 64,
        level: int | str = logging.NOTSET,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        time_of_day: Callable[[], float] = time.time,
    ) -> None:
        self._limits = Limits(
            slow_call_ms=slow_call_ms,
            slow_operation_ms=slow_operation_ms,
            burst_factor=burst_factor,
            burst_records_min=burst_records_min,
            burst_errors_min=burst_errors_min,
            finding_interval_seconds=finding_interval_seconds,
            series_max=series_max,
            error_templates_max=error_templates_max,
        )
        super().__init__(level)
        self._duration_field = duration_field
        self._slow_call_seconds = slow_call_ms / 1e3
        self._clock_ns = clock_ns
        self._time_of_day = time_of_day
        self._teller = FindingTeller(on_finding)
        self._snapshot: MonitoringSnapshot
        self._begin()
        _handlers.add(self)

    def createLock(self) -> None:  # noqa: N802 - the standard library's name
        """Have no lock: a thread that counts must not hold up the others."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Note a record that passes the filters; never raises.

        Returns:
            Whether the record passed the filters.
        """
        try:
            if not _mark[0]:
                FORKS.notice()
            if self.filters and not self.filter(record):
                return False
            moment_ns, wall_seconds = self._clock_ns(), self._time_of_day()
            call_seconds = wall_seconds - record.created
            if record.thread != threading.get_ident() or call_seconds > self._slow_call_seconds:
                call_seconds = self._credible_seconds(record, call_seconds)
            series = record.name, record.levelno
            if series[0].__class__ is not str or series[1].__class__ is not int:
                series = _plain(*series)
            error = error_text(series[0], record) if series[1] >= _ERROR else None
            entries = self._entries
            duration_ms = getattr(record, self._duration_field, None)
            entries.append((moment_ns, wall_seconds, call_seconds, series, duration_ms, error))
            if len(entries) >= _BATCH_ENTRIES or moment_ns - self._counted_ns >= _BATCH_NS:
                self._count_if_free(moment_ns)
        except Exception:
            self._broken.step()
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Note a record without asking the filters."""
        self.handle(record)

    def snapshot(self) -> MonitoringSnapshot:
        """Return what is known, of this moment.

        A signal handler that interrupts the handler as it counts gets the one before.
        """
        FORKS.notice()
        lock, findings = self._lock, list[Finding]()
        if not lock.acquire(timeout=_SNAPSHOT_SECONDS_MAX):
            self._give_up_interrupted(self._clock_ns())
            return self._snapshot
        try:
            if self._begin_counting(self._clock_ns()):
                try:
                    for _ in range(len(self._entries) // _ENTRIES_AT_ONCE_MAX + 1):
                        findings += self._count()
                    self._snapshot = self._new_snapshot()
                finally:
                    self._is_counting = False
        finally:
            lock.release()
        self._teller.tell(findings)
        return self._snapshot

    def prometheus(self) -> tuple[bytes, str]:
        """Return the metrics as Prometheus reads them, and their content type, for the application to serve.

        See docs/reference/monitoring-handler.md; `collector()` is for an application with a registry.
        """
        from logging_system.monitoring.prometheus import exposition

        return exposition(self.collector())

    def collector(self) -> Collector:
        """Return what `prometheus_client.REGISTRY.register` takes."""
        from logging_system.monitoring.handler_metrics import MonitoringCollector

        return MonitoringCollector(self.snapshot)

    def observe(self, meter: Meter | None = None) -> bool:
        """Show the metrics to OpenTelemetry, whose readers ask for them.

        Args:
            meter: Makes the instruments; None takes one of the application's meter provider.

        Returns:
            Whether OpenTelemetry is installed; without it, nothing happens.
        """
        try:
            from opentelemetry.metrics import get_meter
        except ImportError:
            return False
        from logging_system.monitoring.handler_metrics import observe

        observe(self.snapshot, meter or get_meter("logging_system.monitoring"))
        return True

    def close(self) -> None:
        """Tell the findings that wait, within a second; what is logged after it is counted all the same."""
        self._count_if_free(self._clock_ns())
        self._teller.finish(_CLOSE_SECONDS_MAX)
        super().close()

    def begin_in_child(self) -> None:
        """In a forked child: begin at zero; what the parent counted is the parent's."""
        self._begin()

    def _begin(self) -> None:
        # Re-entrant: who is interrupted by a signal handler as it takes it must not make that wait.
        self._lock, self._is_counting = threading.RLock(), False
        self._entries: deque[Entry] = deque()
        self._missed, self._broken = Steps(), Steps()
        self._counted_ns = self._clock_ns()
        self._statistics = LogStatistics(self._limits, self._counted_ns)
        self._teller.begin()
        self._snapshot = self._new_snapshot()

    def _credible_seconds(self, record: logging.LogRecord, seconds: float) -> float:
        """Return what a log call took, `NO_CALL` where that is not how old the record is.

        A record that another thread made, as that of a QueueListener, has waited since. One that was made by
        telling of a finding must not make another.
        """
        if record.thread is not None and record.thread != threading.get_ident():
            return NO_CALL
        return NO_CALL if seconds > self._slow_call_seconds and self._teller.is_current else seconds

    def _count_if_free(self, now_ns: int) -> None:
        """Count a batch unless somebody is at that."""
        lock, findings = self._lock, list[Finding]()
        if not (lock.acquire(blocking=False) or self._took_in_a_crowd(lock, now_ns)):
            self._bound_entries(now_ns)
            return
        try:
            if self._begin_counting(now_ns):
                try:
                    findings = self._count()
                finally:
                    self._is_counting = False
            else:
                self._bound_entries(now_ns)
        finally:
            lock.release()
        if findings:
            self._teller.tell(findings)

    def _took_in_a_crowd(self, lock: threading.RLock, now_ns: int) -> bool:
        """Wait for a moment where much waits to be counted, and return whether the lock was taken.

        So many threads log that the one that counts hardly gets its turn; it does while others wait. Where
        nothing was counted for a second, waiting would not help.
        """
        if len(self._entries) <= _CROWD_ENTRIES or now_ns - self._counted_ns > SECOND_NS:
            return False
        return lock.acquire(timeout=_CROWD_SECONDS_MAX)

    def _begin_counting(self, now_ns: int) -> bool:
        """Return whether this thread may count: not in a signal handler that interrupts it at that."""
        if self._is_counting:
            self._give_up_interrupted(now_ns)
            return False
        self._is_counting = True
        self._counted_ns = now_ns
        return True

    def _count(self) -> list[Finding]:
        """Count what waits, or the most that one call counts; the lock is held."""
        entries, taken = self._entries, list[Entry]()
        with contextlib.suppress(IndexError):
            for _ in range(_ENTRIES_AT_ONCE_MAX):
                taken.append(entries.popleft())
        return self._statistics.tell(taken)

    def _bound_entries(self, now_ns: int) -> None:
        if len(self._entries) > ENTRIES_MAX:
            with contextlib.suppress(IndexError):
                self._entries.pop()
                self._missed.step()
        self._give_up_interrupted(now_ns)

    def _give_up_interrupted(self, now_ns: int) -> None:
        """Let others count where nobody can be at it any more.

        An exception that a signal handler raises may come between two steps that belong together.
        """
        if now_ns - self._counted_ns > _COUNTING_NS_MAX:
            self._counted_ns = now_ns
            self._lock, self._is_counting = threading.RLock(), False

    def _new_snapshot(self) -> MonitoringSnapshot:
        return snapshot_of(
            self._statistics,
            self._clock_ns(),
            missed_records=self._missed.taken(),
            broken_records=self._broken.taken(),
            untold_findings=self._teller.untold,
        )


class Steps:
    """Counts from any thread, without a lock; read by one thread at a time."""

    def __init__(self) -> None:
        self._steps = count()
        self._looks = 0

    def step(self) -> None:
        """Count one."""
        next(self._steps)  # of an iterator written in C: nothing comes between reading and adding

    def taken(self) -> int:
        """Return how many there were."""
        steps = next(self._steps) - self._looks
        self._looks += 1
        return steps


def _plain(name: object, level: object) -> Series:
    """Return a logger and level that are odd but usable, such as a level of an `IntEnum`.

    Raises:
        TypeError: The level is no number.
    """
    if not isinstance(level, int):
        raise TypeError(f"levelno is of type {type(level).__name__}, not a number")
    return str.__str__(name) if isinstance(name, str) else OTHER, int(level)


_mark = FORKS.mark
_handlers: weakref.WeakSet[AdvancedMonitoringHandler] = weakref.WeakSet()


def _begin_in_child() -> None:
    for handler in list(_handlers):
        handler.begin_in_child()


FORKS.register(after_in_child=_begin_in_child)
