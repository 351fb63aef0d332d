"""Puts the documents of many requests into the spool together, and tells each when its own are durable.

One thread owns the spool's writer: while it waits for the disk, requests gather, and the next `fdatasync`
serves them all.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from logging_system.monitoring.counters import HandlerCounters, LiveCounters, error_name
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Exemplar, trace_id_of
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import WordsInLog
from logging_system.monitoring.status_files import HandlerStatusFile
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.monitoring.writer_watch import WriterWatch
from logging_system.spool.codec import UnavailableError
from logging_system.spool.frame import FrameError
from logging_system.spool.writer import SpoolFullError, SpoolWriter

GROUP_RECORDS_MAX = 512
GROUP_BYTES_MAX = 4 * 1024 * 1024
_IDLE_SECONDS = 0.5
_LAST_EVENTS_SECONDS = 0.2
_LAST_SPANS_SECONDS = 0.2


class NoRoomError(Exception):
    """There is no room now; the same request may be sent again later."""


class DiskError(Exception):
    """The disk refused; what the request brought may be in the spool in part."""


@dataclass(slots=True)
class _Delivery:
    documents: Sequence[bytes]
    size_bytes: int
    taken_on_seconds: float
    done: Future[None] = field(default_factory=Future)
    stored: int = 0


class Intake:
    """The way into the spool, shared by all requests.

    Args:
        writer: The spool's writer; used by the intake's thread alone.
        pending_bytes_max: Document bytes that may wait for the disk.
        status_folder: Where the counters are written.
        clock: Monotonic seconds.
        tracing: Makes spans of what is put into the spool; ends with the intake.
        events: Told what happens; one of its own by default.

    Attributes:
        events: What happens inside.
    """

    def __init__(
        self,
        writer: SpoolWriter,
        *,
        pending_bytes_max: int,
        status_folder: Path,
        clock: Callable[[], float] = time.monotonic,
        tracing: Tracing = NO_TRACING,
        events: EventStream | None = None,
    ) -> None:
        self._tracing = tracing
        self._writer = writer
        self._clock = clock
        self._pending_bytes_max = pending_bytes_max
        self._live_counters = LiveCounters()
        self._work = threading.Condition(self._live_counters.lock)
        self._waiting: deque[_Delivery] = deque()
        self._pending_bytes = 0
        self._framed = 0
        self._closed = False
        self._trouble = ""
        self._live_counters.meter.waiting = self._records_waiting
        self.events = events or EventStream(WordsInLog())
        self._watch = WriterWatch(self.events, writer, status_folder)
        self._status = HandlerStatusFile(
            status_folder,
            writer.epoch.hex(),
            None,
            clock,
            kind="gateway",
            watch=self._watch,
            limits={"spool_bytes_max": writer.spool_bytes_max},
        )
        self._thread = threading.Thread(target=self._run, name="logging_system.intake", daemon=True)

    @property
    def trouble(self) -> str:
        """Why the spool took nothing the last time; empty while it works."""
        return self._trouble

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def offer(self, documents: Sequence[bytes]) -> Future[None]:
        """Take documents on; the future is done once all of them are durable.

        Args:
            documents: JSON documents.

        Returns:
            A future that raises `NoRoomError` or `DiskError` where the spool refused.

        Raises:
            NoRoomError: Too much is waiting already, or the intake is closed.
        """
        size_bytes = sum(map(len, documents))
        delivery = _Delivery(documents, size_bytes, self._clock())
        with self._live_counters.lock:
            if self._closed:
                self._live_counters.drop_offered("closed", len(documents))
                raise NoRoomError("the gateway is shutting down")
            # One request always fits, whatever its size: else it could never be taken.
            if self._pending_bytes and self._pending_bytes + size_bytes > self._pending_bytes_max:
                self._live_counters.drop_offered("busy", len(documents))
                raise NoRoomError("too many requests are waiting for the disk")
            self._live_counters.offered += len(documents)
            self._live_counters.queued += len(documents)
            self._pending_bytes += size_bytes
            self._waiting.append(delivery)
            self._work.notify()
        return delivery.done

    def count_dropped(self, dropped: Mapping[str, int]) -> None:
        """Count records that were given up before they were offered, by reason.

        Args:
            dropped: How many, by reason; reasons are those of the metric.
        """
        for reason, count in dropped.items():
            self._live_counters.drop_offered(reason, count)

    def counters(self) -> HandlerCounters:
        """Return all counters of one moment."""
        return self._live_counters.snapshot()

    def moment(self) -> tuple[HandlerCounters, HandlerFlow]:
        """Return the counters and what the meter says, of the same moment."""
        return self._live_counters.moment()

    def close(self, within_seconds: float) -> bool:
        """Take nothing more, store what waits, seal the spool.

        Args:
            within_seconds: How long that may take.

        Returns:
            Whether it was done in time.
        """
        with self._live_counters.lock:
            self._closed = True
            self._work.notify()
        self._thread.join(within_seconds)
        self._tracing.close(_LAST_SPANS_SECONDS)
        self.events.close(_LAST_EVENTS_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            group = self._take()
            if group:
                self._store(group)
            else:
                self._writer.idle()
            self._status.report(self._live_counters, closing=False)
            if self._closed and not self._waiting:
                break
        try:
            self._writer.seal()
        except OSError as error:
            self._live_counters.spool_error(error)
        self._status.report(self._live_counters, closing=True)

    def _take(self) -> list[_Delivery]:
        with self._live_counters.lock:
            if not self._waiting and not self._closed:
                self._work.wait(_IDLE_SECONDS)
            group: list[_Delivery] = []
            records = size_bytes = 0
            while self._waiting and (
                not group
                or (
                    records + len(self._waiting[0].documents) <= GROUP_RECORDS_MAX
                    and size_bytes + self._waiting[0].size_bytes <= GROUP_BYTES_MAX
                )
            ):
                delivery = self._waiting.popleft()
                records += len(delivery.documents)
                size_bytes += delivery.size_bytes
                group.append(delivery)
            self._live_counters.meter.taken += records
            return group

    def _records_waiting(self) -> int:
        return sum(len(delivery.documents) for delivery in self._waiting)

    def _store(self, group: Sequence[_Delivery]) -> None:
        documents = [document for delivery in group for document in delivery.documents]
        with self._tracing.spool_append(documents) as step:
            error = self._append(documents, group)
            if error is not None:
                step.failed(type(error).__name__)
        # Before any future is done: whoever waited for it may look at the counters.
        now_seconds = self._clock()
        with self._live_counters.lock:
            for delivery in group:
                self._settle(delivery, now_seconds)
            self._live_counters.meter.framed += self._framed
        self._framed = 0
        for delivery in group:
            if delivery.stored == len(delivery.documents):
                delivery.done.set_result(None)
            else:
                delivery.done.set_exception(error or DiskError("the spool stopped"))

    def _append(self, documents: Sequence[bytes], group: Sequence[_Delivery]) -> Exception | None:
        for block in blocks(documents):
            try:
                self._writer.append(block)
            except SpoolFullError:
                self._watch.spool_refused()
                self._trouble = "the spool is full"
                return NoRoomError(self._trouble)
            except FrameError as error:
                return DiskError(str(error))
            except OSError as error:
                # Refused to the client, who may send it again in other company: the same only by its text.
                self._writer.give_up()
                self._live_counters.spool_error(error)
                self._trouble = f"writing to disk failed: {error_name(error)}"
                return DiskError(self._trouble)
            except UnavailableError as error:
                self._writer.give_up()
                self._live_counters.spool_error(error)
                self._trouble = str(error)
                return DiskError(self._trouble)
            except Exception as error:
                # A thread that dies takes every later request with it; this group is refused instead.
                self._writer.give_up()
                self._live_counters.spool_error(error)
                return DiskError(f"the spool failed: {type(error).__name__}")
            self._framed += len(block)
            self._credit(len(block), group)
        self._trouble = ""
        return None

    @staticmethod
    def _credit(records: int, group: Sequence[_Delivery]) -> None:
        for delivery in group:
            taken = min(records, len(delivery.documents) - delivery.stored)
            delivery.stored += taken
            records -= taken

    def _settle(self, delivery: _Delivery, now_seconds: float) -> None:
        self._pending_bytes -= delivery.size_bytes
        self._live_counters.admit(delivery.stored)
        if delivery.stored:
            seconds = max(0.0, now_seconds - delivery.taken_on_seconds)
            trace_id = trace_id_of(delivery.documents[0])
            exemplar = Exemplar(trace_id, seconds, time.time()) if trace_id else None
            self._live_counters.logged_to_durable.add_alike(seconds, delivery.stored, exemplar)
        if refused := len(delivery.documents) - delivery.stored:
            self._live_counters.drop_queued("spool_refused", refused)


def blocks(documents: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return documents in blocks that destroy a bounded number of records when one is damaged."""
    found: list[Sequence[bytes]] = []
    block: list[bytes] = []
    block_bytes = 0
    for document in documents:
        if block and (len(block) >= GROUP_RECORDS_MAX or block_bytes + len(document) > GROUP_BYTES_MAX):
            found.append(block)
            block, block_bytes = [], 0
        block.append(document)
        block_bytes += len(document)
    return [*found, block] if block else found
