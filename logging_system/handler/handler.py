"""The `logging.Handler` an application installs: capture, enqueue, return; no disk, no store.

```
caller's thread            worker thread                                   another process
level → capture → queue ─▶ encode → frame → write → fdatasync ─▶ spool ─▶ shipper → store
                                                        └─▶ on_durable
```
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, get_args

from logging_system.handler.attachment import Attachment
from logging_system.handler.calls import Calls, new_guard
from logging_system.handler.orders import HandlerOrders
from logging_system.handler.own_names import OWN_NAMES, is_own
from logging_system.handler.own_warnings import OwnWarnings
from logging_system.handler.process_endings import ProcessEndings
from logging_system.handler.queue import FullPolicy, RecordQueue
from logging_system.handler.worker import OnDurable, Worker
from logging_system.handler.worker_thread import WorkerThread
from logging_system.monitoring._otel import current_span_context
from logging_system.monitoring.call_times import TIMED_EVERY
from logging_system.monitoring.counters import HandlerCounters, LiveCounters
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import WordsInLog
from logging_system.monitoring.events import FormatterUnused, ThreadsReplaced
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.records.namespaces import name_namespace
from logging_system.records.processors import NO_PROCESSORS, Chain
from logging_system.records.record import Captured, Durability, capture
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.forks import FORKS
from logging_system.spool.retention import Retention
from logging_system.spool.segment import prepare_folder
from logging_system.spool.uwsgi import forks_to_come
from logging_system.spool.writer import SpoolWriter

CLOSE_SECONDS_MAX = 5.0
_POSTPONED_MAX = 16
_LAST_EVENTS_SECONDS = 0.5
_LAST_SPANS_SECONDS = 0.5
_LOOK_SECONDS = 0.5
_REOPEN_SECONDS = 1.0
"""How long a log call waits at most for the end of a close that another thread is at."""
_SLOW_SECONDS = 0.5
"""A log call that stores its record itself and takes longer uses up what such calls may take in all."""
_ERROR = logging.ERROR


class InProcess(Protocol):
    """Takes the spool to the store from within this process, for a handler that is asked to."""

    def start(self) -> None:
        """Begin; called again in a forked child that logs, and when the handler opens again."""

    def leave_parent(self) -> None:
        """In a forked child: let go of what was inherited."""

    def finish(self, epoch: bytes, deadline_seconds: float, *, for_good: bool) -> None:
        """End; if time allows, deliver first what `epoch` spooled.

        Args:
            epoch: The 16 bytes of the handler's writer.
            deadline_seconds: The moment by which to end, on the monotonic clock.
            for_good: Whether nothing goes on afterwards in this process: what is left in the spool is then
                counted and told.
        """


class SpoolHandler(logging.Handler):
    """Puts log records into a spool folder, from which a shipper takes them to the store.

    Args:
        spool: The spool folder; may be shared by any number of processes.
        service: `service.name` of every document.
        durability: When `on_durable` is called: "memory" (queued), "write" (`write(2)` has returned: survives
            SIGKILL), "fsync" (`fdatasync(2)` has returned: survives power loss). A call may ask for another
            class with `extra={"durability": …}`.
        queue_records_max: Records waiting for the worker at most.
        queue_bytes_max: Their bytes at most, roughly.
        spool_bytes_max: Bytes that the segments of all writers may take; beyond it new records are refused.
        retention: When records in the spool give way, acknowledged ones included; None, never.
        when_full: What a full queue does: "block_errors" (ERROR and above wait within `block_seconds`, the
            newest below is dropped), "drop_newest", or "drop_oldest" (of those not acknowledged yet).
        block_seconds: How long a thread may wait for room in a full queue per second.
        close_seconds: How long `close` may take, 5 at most.
        on_durable: Called with exactly the records that have just become durable, never with dropped ones;
            from the worker, or for "memory" from the thread that logged. Can be set later as an attribute:
            what was logged before that is not named.
        chain: What is done to every record before it is written anywhere.
        codecs: How the spool stores its blocks.
        in_process: Ships the spool from this process; without one, a process of its own does.
        tracing: Makes spans of what happens to records; ends with the handler.
        events: Told what happens; one of its own by default.
        is_namespaced: Whether records ask for the namespace of the block that they are logged in.
        level: The handler's level.

    Attributes:
        events: What happens inside; a subscriber is told, and whoever knows of more may emit.
        attachment: Looks whether the handler is still where records reach it; None where nobody asked.

    Raises:
        ValueError: `durability` or `when_full` is not one of the three.
    """

    def __init__(
        self,
        *,
        spool: str | os.PathLike[str],
        service: str,
        durability: Durability = "fsync",
        queue_records_max: int = 10_000,
        queue_bytes_max: int = 32 * 1024 * 1024,
        spool_bytes_max: int = 1024 * 1024 * 1024,
        retention: Retention | None = None,
        when_full: FullPolicy = "block_errors",
        block_seconds: float = 0.05,
        close_seconds: float = CLOSE_SECONDS_MAX,
        on_durable: OnDurable | None = None,
        chain: Chain = NO_PROCESSORS,
        codecs: Codecs = PLAIN_CODECS,
        in_process: InProcess | None = None,
        tracing: Tracing = NO_TRACING,
        events: EventStream | None = None,
        is_namespaced: bool = False,
        level: int | str = logging.NOTSET,
    ) -> None:
        _check("durability", durability, get_args(Durability))
        _check("when_full", when_full, get_args(FullPolicy))
        super().__init__(level)
        self.on_durable = on_durable
        self._folder = Path(spool).absolute()
        self._service = service
        self._durability: Durability = durability
        self._queue_records_max = queue_records_max
        self._queue_bytes_max = queue_bytes_max
        self._spool_bytes_max = spool_bytes_max
        self._retention = retention
        self._when_full: FullPolicy = when_full
        self._block_seconds = block_seconds
        self._close_seconds = min(close_seconds, CLOSE_SECONDS_MAX)
        self._chain = chain
        if is_namespaced:
            self.addFilter(name_namespace)
        self._codecs = codecs
        self._in_process = in_process
        self._tracing = tracing
        self._forked = False
        self._ended = False
        self._exits = False
        self.attachment: Attachment | None = None
        self._orders = HandlerOrders(self, self._folder)
        self.events = events or EventStream(WordsInLog())
        self._begin_epoch()
        self._start_worker()
        _endings.add(self)
        _own_warnings.attach()

    def createLock(self) -> None:  # noqa: N802 - the standard library's name
        """Have no lock: one thread that waits for room must not hold up the others."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Queue a record that passes the filters; never raises and never recurses.

        A record logged by this thread from inside another log call follows it; beyond a few it is dropped
        and counted. What this package itself logs, or the client on its threads, is kept out: it would feed
        on itself.

        Returns:
            Whether the record passed the filters.
        """
        if not _mark[0]:
            FORKS.notice()
        calls = self._guard.calls
        name, thread_name = record.name, record.threadName
        # By identity: most calls of a thread come from the logger before, and these two do not change.
        if name is not calls.logger_seen or thread_name is not calls.thread_seen:
            if is_own(name, thread_name):
                return False
            if thread_name is not None:
                calls.logger_seen, calls.thread_seen = name, thread_name
        if calls.active:
            (calls.postponed if len(calls.postponed) < _POSTPONED_MAX else calls.overflowed).append(record)
            return True
        calls.until_timed -= 1
        passed = self._offer(record, calls) if calls.until_timed else self._offer_timed(record, calls)
        if calls.postponed or calls.overflowed:
            self._offer_postponed(calls)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record without asking the filters."""
        self.handle(record)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - the standard library's name
        """Keep a formatter that nothing uses, and tell so: fields are stored, not lines.

        Args:
            fmt: The formatter.
        """
        super().setFormatter(fmt)
        if fmt is not None:
            self.events.emit(FormatterUnused())

    def flush(self, timeout: float = CLOSE_SECONDS_MAX) -> bool:  # type: ignore[override]  # tells the outcome
        """Wait until all records offered so far are as durable as promised, or dropped.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether that happened in time.
        """
        FORKS.notice()
        if self._worker_thread is not None and self._worker_thread.is_current:
            return False  # the worker can't wait for itself
        return self._queue.wait_until_settled(timeout)

    def stats(self) -> HandlerCounters:
        """Return all counters of one moment."""
        FORKS.notice()
        return self._live_counters.snapshot()

    @property
    def closed(self) -> bool:
        """Whether it is closed; unless `end` was called, the next record opens it again."""
        FORKS.notice()
        return self._queue.closed and not self._has_no_thread_yet

    @property
    def ended(self) -> bool:
        """Whether it is closed for good."""
        return self._ended

    @property
    def is_inherited(self) -> bool:
        """Whether it came with a fork, and has had no record in this process."""
        return self._forked

    def close(self) -> None:
        """Seal the spool in bounded time; a later record opens it again.

        So do the handlers of the standard library, and for the same reason: `logging.config` closes all
        handlers there are, also those that stay attached. The store is not needed. A shipper in this process
        uses what is left of the time.
        """
        FORKS.notice()
        deadline_seconds = time.monotonic() + self._close_seconds
        with self._closing:
            self._is_closing, self._has_no_thread_yet = True, False
            try:
                self._close(deadline_seconds)
            finally:
                self._is_closing = False
                self._orders.release()  # who looks no more puts back what was ordered
        super().close()
        if self.attachment is not None and not (self._ended or self._exits or forks_to_come()):
            self._look_later()

    def end(self) -> None:
        """Close for good: later records are dropped, counted and told."""
        FORKS.notice()
        self._ended = True
        self.close()

    def end_with_process(self) -> None:
        """Close at the process's end; what exit functions log after this is written at once."""
        FORKS.notice()
        if self._exits:
            return
        self._exits = True
        if self.attachment is not None and not self._ended:
            self.attachment.look(for_the_last_time=True)
        self.close()
        self.events.hand_on(force=True)

    def leave_parent(self) -> None:
        """In a forked child: drop what was inherited; the parent's worker still has it."""
        if self._worker_thread is not None:
            self._worker_thread.worker.leave_parent()
        self._writer.forget()
        self._orders.release()  # this process looks only once it logs
        if self._in_process is not None:
            self._in_process.leave_parent()
        self._begin_epoch()
        self._forked = True

    def _close(self, deadline_seconds: float) -> None:
        self._queue.close()
        ended = self._worker_thread is not None and self._worker_thread.end(self._close_seconds)
        if self._in_process is not None and ended:
            for_good = self._ended or self._exits
            self._in_process.finish(self._writer.epoch, deadline_seconds, for_good=for_good)
        end_tracing = self._tracing.close if self._ended or self._exits else self._tracing.flush
        end_tracing(min(_LAST_SPANS_SECONDS, max(0.0, deadline_seconds - time.monotonic())))
        # A subscriber may wait for a lock of `logging` that whoever closes handlers holds.
        left_seconds = max(0.0, deadline_seconds - time.monotonic())
        self.events.close(min(_LAST_EVENTS_SECONDS, left_seconds))

    def _begin_epoch(self) -> None:
        self._locals_seen = threading.local
        self._guard = new_guard()
        self._closing = threading.RLock()
        self._is_closing = False
        self._live_counters = LiveCounters()
        self._queue = RecordQueue(
            self._live_counters,
            records_max=self._queue_records_max,
            bytes_max=self._queue_bytes_max,
            allowance_seconds=self._block_seconds,
            when_full=self._when_full,
        )
        self._writer = SpoolWriter(
            self._folder,
            spool_bytes_max=self._spool_bytes_max,
            sync=self._durability == "fsync",
            codecs=self._codecs,
            retention=self._retention,
        )
        self._queue.closed = self._ended
        self._has_no_thread_yet = False
        self._late_seconds = self._close_seconds
        self._worker_thread: WorkerThread | None = None
        self._exits = False

    def _start_worker(self) -> None:
        try:
            prepare_folder(self._folder)
        except OSError as error:
            # The application starts nevertheless; the worker keeps trying.
            self._live_counters.spool_error(error)
        worker = Worker(
            queue=self._queue,
            writer=self._writer,
            live_counters=self._live_counters,
            service=self._service,
            durability=self._durability,
            chain=self._chain,
            durable=self._group_is_durable,
            status_folder=self._folder,
            events=self.events,
            look_round=self._look_round,
            tracing=self._tracing,
            orders=self._orders,
        )
        self._worker_thread = WorkerThread(
            worker, self._guard, self._live_counters, self.events, self._folder
        )
        self._start_thread(self._worker_thread)

    def _start_thread(self, worker_thread: WorkerThread) -> None:
        self._has_no_thread_yet = forks_to_come()
        if self._has_no_thread_yet:
            self._queue.close()  # so that each record is stored by the thread that logs it
            return
        worker_thread.start()
        if self._in_process is not None:
            self._in_process.start()

    def _look_round(self) -> None:
        if not (self._has_no_thread_yet or self._exits):  # nobody would put back what was ordered
            self._orders.look()
        if self._in_process is not None and threading.local is not self._locals_seen:
            self._locals_seen = threading.local
            self.events.emit(ThreadsReplaced())
            self.events.hand_on()  # a thread started now may be one that never gets its turn
        if self.attachment is not None:
            self.attachment.look()

    def _look_later(self) -> None:
        """Look once more when whoever closes handlers has gone on to configure others."""

        def look() -> None:
            if self.attachment is not None and not self._exits:
                self.attachment.look(for_the_last_time=True)
                self.events.hand_on()

        timer = threading.Timer(_LOOK_SECONDS, look)
        timer.name, timer.daemon = f"{OWN_NAMES}look", True
        with contextlib.suppress(RuntimeError):  # no more threads: the process's end looks too
            timer.start()

    def _offer_postponed(self, calls: Calls) -> None:
        budget = _POSTPONED_MAX
        while calls.postponed and budget:
            budget -= 1
            self._offer(calls.postponed.pop(0), calls)
        if calls.postponed or calls.overflowed:
            self._live_counters.drop_offered("reentrant", calls.forget())

    def _offer_timed(self, record: logging.LogRecord, calls: Calls) -> bool:
        calls.until_timed = TIMED_EVERY
        began_ns = time.perf_counter_ns()
        try:
            return self._offer(record, calls)
        finally:
            self._live_counters.call_times.add(time.perf_counter_ns() - began_ns)

    def _offer(self, record: logging.LogRecord, calls: Calls) -> bool:
        calls.active = True
        try:
            if self.filters:
                passed: object = self.filter(record)  # from Python 3.12 on it may be another record
                if not passed:
                    return False
                if isinstance(passed, logging.LogRecord):
                    record = passed
            if self._forked:
                self._start_after_fork()
            captured = capture(record, self._durability, self.on_durable is not None, current_span_context())
            # By position: a call with keywords costs a tenth of this whole method more.
            if not self._queue.offer(captured, record.levelno >= _ERROR):
                self._offer_closed(record, captured)
            elif captured[2] == "memory":
                self._tell_durable([record])
        except Exception:
            self._live_counters.drop_offered("capture_error")
        finally:
            calls.active = False
        return True

    def _offer_closed(self, record: logging.LogRecord, captured: Captured) -> None:
        """Open again for a record; at the process's end store it at once; after `end`, count and tell it."""
        if not self._queue.closed:
            return  # it was full, and has counted the record
        if not self._closing.acquire(timeout=_REOPEN_SECONDS):
            self._live_counters.drop_offered("closed")
            return
        try:
            # A signal handler may log in the middle of this thread's own close.
            opens = not (self._ended or self._is_closing) and self._is_at_rest()
            stores_itself = self._exits or forks_to_come()
            if opens and stores_itself:
                opens = self._late_seconds > 0.0
            if not opens:
                self._live_counters.drop_offered("closed")
                if not self._is_closing and self._worker_thread is not None and self._is_at_rest():
                    self._worker_thread.worker.report()
                    self.events.hand_on()
                return
            self._queue.open()
            queued = self._queue.offer(captured, may_wait=False)
            if queued and captured[2] == "memory":
                self._tell_durable([record])
            if stores_itself:
                self._store_itself()
            else:
                self._go_on()
        finally:
            self._closing.release()

    def _is_at_rest(self) -> bool:
        return self._worker_thread is None or self._worker_thread.is_at_rest

    def _go_on(self) -> None:
        """Start again what a close has ended."""
        self.events.open()
        if self._worker_thread is None:
            self._start_worker()
            return
        self._worker_thread.worker.resume()
        self._start_thread(self._worker_thread)

    def _store_itself(self) -> None:
        """Write what is queued on the thread that logs: none may start before an end, or uWSGI's fork."""
        started_seconds = time.monotonic()
        self._queue.close()
        if self._worker_thread is not None:
            self._worker_thread.run_here(self._late_seconds)
            self.events.hand_on()
        took_seconds = time.monotonic() - started_seconds
        if self._exits or took_seconds > _SLOW_SECONDS:
            self._late_seconds -= took_seconds

    def _tell_durable(self, records: Sequence[logging.LogRecord]) -> None:
        if self.on_durable is not None:
            try:
                self.on_durable(records)
            except Exception:
                with self._live_counters.lock:
                    self._live_counters.callback_errors += 1

    def _group_is_durable(self, records: Sequence[logging.LogRecord]) -> None:
        if records:
            self._tell_durable(records)
        if own_records := self._guard.calls.forget():
            self._live_counters.drop_offered("own_thread", own_records)

    def _start_after_fork(self) -> None:
        with self._live_counters.lock:
            if not self._forked:
                return
            self._forked = False
            if self._ended:
                return
            # Once more: gunicorn's workers turn threads and locks into gevent's between the fork and this.
            self._begin_epoch()
            self._start_worker()
        _endings.end_with_child_of_multiprocessing()


def _check(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} {value!r}: choose one of {', '.join(choices)}")


_mark = FORKS.mark
_endings = ProcessEndings()
_own_warnings = OwnWarnings(lambda handler: isinstance(handler, SpoolHandler))


FORKS.register(after_in_child=_endings.leave_parents)
atexit.register(_endings.end_all)
