"""The worker thread: takes groups from the queue, frames them, and says which have become durable."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from logging_system.handler.orders import Gate, HandlerOrders
from logging_system.handler.queue import RecordQueue
from logging_system.monitoring.counters import LiveCounters
from logging_system.monitoring.delays import Delays, Exemplar, trace_id_of
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.status_files import HandlerStatusFile
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.monitoring.writer_watch import WriterWatch
from logging_system.records.processors import Chain, Dropped
from logging_system.records.record import (
    Captured,
    Durability,
    Producer,
    delays_seconds,
    encode_left,
    encode_processed,
    is_acknowledged,
    is_to_be_synced,
    to_be_named,
)
from logging_system.spool.codec import KeyUnavailableError, UnavailableError
from logging_system.spool.frame import FrameError
from logging_system.spool.writer import SpoolFullError, SpoolWriter

LINGER_SECONDS = 0.005
_IDLE_SECONDS = 0.5
_RETRY_SECONDS_MAX = 1.0
_LOOKED_AT_TOGETHER = 16
"""Records that processors are asked of at once; where they change one, all of these are made once more."""
_CANNOT_BE_ENCODED = Dropped("encode_error", "cannot be encoded")

OnDurable = Callable[[Sequence[logging.LogRecord]], None]


class Worker:
    """Moves records from the queue to the spool until the queue is closed and empty.

    Args:
        queue: Where groups come from.
        writer: Where they go.
        live_counters: Counts what became of them.
        service: `service.name` of every document.
        durability: The class of records that ask for none.
        chain: What is done to every record before it is written.
        durable: Called with the records that the spool has just made durable, but for those acknowledged
            before.
        status_folder: Where the counters are written.
        events: Told what happens; of its own by default, which nobody hears.
        look_round: Called about twice a second.
        tracing: Makes spans of what is put into the spool.
        orders: What somebody who coordinates wants of this handler for a while.
    """

    def __init__(
        self,
        *,
        queue: RecordQueue,
        writer: SpoolWriter,
        live_counters: LiveCounters,
        service: str,
        durability: Durability,
        chain: Chain,
        durable: OnDurable,
        status_folder: Path,
        events: EventStream | None = None,
        look_round: Callable[[], None] = lambda: None,
        tracing: Tracing = NO_TRACING,
        orders: HandlerOrders | None = None,
    ) -> None:
        self._orders = orders
        self._queue = queue
        self._writer = writer
        self._live_counters = live_counters
        self._producer = Producer(service, writer.epoch.hex())
        self._durability = durability
        self._chain = chain
        self._durable = durable
        self._watch = WriterWatch(events or EventStream(), writer, status_folder)
        self._status = HandlerStatusFile(
            status_folder,
            writer.epoch.hex(),
            service,
            time.monotonic,
            watch=self._watch,
            limits={"queue_records_max": queue.records_max, "spool_bytes_max": writer.spool_bytes_max},
        )
        self._deadline_seconds: float | None = None
        self._stopping = threading.Event()
        self._in_hand = 0
        self._hindrance = "closed"
        self._look_round = look_round
        self._tracing = tracing
        self._is_parents = False

    def stop(self, within_seconds: float) -> None:
        """Bound what is left: what is not in the spool by then is dropped and counted.

        Args:
            within_seconds: How long the worker may go on from now.
        """
        self._deadline_seconds = time.monotonic() + within_seconds
        self._stopping.set()

    def resume(self) -> None:
        """Make ready for another `run`, after one that came to its end."""
        self._deadline_seconds = None
        self._hindrance = "closed"
        self._stopping.clear()

    def leave_parent(self) -> None:
        """In a forked child: do nothing more.

        A thread stays with its parent, but gevent's are copied as all memory is, and go on in the child.
        """
        self._is_parents = True

    def report(self) -> None:
        """Write the counters and tell what happened, where no `run` does it any more."""
        self._status.report(self._live_counters, closing=True)

    def run(self) -> None:
        """Work until the queue is closed and empty, or the deadline of `stop` has passed."""
        while True:
            group = self._queue.take(LINGER_SECONDS, _IDLE_SECONDS)
            if self._is_parents:
                return
            if group:
                self._in_hand = len(group)
                try:
                    self._store(group)
                except Exception:
                    # A worker that dies takes every later record with it; what it held is counted instead.
                    self._writer.give_up()
                    self._live_counters.drop_queued("worker_error", self._in_hand)
                self._queue.settled()
            else:
                self._writer.idle()
            self._status.report(self._live_counters, closing=False)
            self._look_round()
            if self._queue.closed and (not group or self._is_late()):
                break
        # What stands behind a group that the disk refused to the end was refused with it.
        self._queue.discard(self._hindrance)
        try:
            self._writer.seal()
        except OSError as error:
            self._live_counters.spool_error(error)
        self._status.report(self._live_counters, closing=True)

    def _store(self, group: Sequence[Captured]) -> None:
        kept, documents = self._encode(group)
        if kept and self._append_traced(documents, kept):
            self._in_hand -= len(kept)
            delays = _delays(kept, documents, time.time())
            with self._live_counters.lock:
                self._live_counters.admit(len(kept))
                self._live_counters.meter.framed += len(documents)
                self._live_counters.logged_to_durable.add(delays)
            self._durable(to_be_named(kept))

    def _encode(self, group: Sequence[Captured]) -> tuple[list[Captured], list[bytes]]:
        kept: list[Captured] = []
        documents: list[bytes] = []
        gate = None if self._orders is None else self._orders.gate
        if gate is not None:
            group = self._let_through(gate, group)
        for start in range(0, len(group), _LOOKED_AT_TOGETHER):
            few = group[start : start + _LOOKED_AT_TOGETHER]
            left = self._encoded_together(few, self._writer.next_sequence + len(kept))
            if left is None:
                self._encode_each(few, kept, documents)
            else:
                documents += left
                kept += few
        return kept, documents

    def _encoded_together(self, group: Sequence[Captured], sequence: int) -> list[bytes] | None:
        try:
            return encode_left(group, sequence, self._producer, self._chain)
        except Exception:
            return None  # one by one it shows which it is

    def _encode_each(self, group: Sequence[Captured], kept: list[Captured], documents: list[bytes]) -> None:
        sequence = self._writer.next_sequence + len(kept)
        for captured in group:
            try:
                encoded = encode_processed(captured, sequence, self._producer, self._chain)
            except Exception:
                # What cannot be encoded must not stop the others.
                encoded = _CANNOT_BE_ENCODED
            if isinstance(encoded, Dropped):
                self._drop(encoded.reason, [captured])
                sequence = self._writer.next_sequence + len(kept)
                continue
            documents.append(encoded)
            kept.append(captured)
            sequence += 1

    def _let_through(self, gate: Gate, group: Sequence[Captured]) -> list[Captured]:
        """Drop and count what is not to be kept for a while; what was acknowledged is kept."""
        through: list[Captured] = []
        for captured in group:
            reason = None if is_acknowledged(captured) else gate.reason(captured[0])
            if reason is None:
                through.append(captured)
            else:
                self._in_hand -= 1
                self._live_counters.drop_queued(reason, 1)
        return through

    def _append_traced(self, documents: list[bytes], kept: list[Captured]) -> bool:
        with self._tracing.spool_append(documents) as step:
            appended = self._append(documents, kept)
            if not appended:
                step.failed("dropped")
            return appended

    def _append(self, documents: list[bytes], kept: list[Captured]) -> bool:
        # One sync serves all: a record that asked for less is named at no less.
        sync = any(is_to_be_synced(captured, self._durability) for captured in kept)
        wait_seconds = 0.05
        while (hindrance := self._attempt(documents, kept, sync=sync)) is not None:
            self._status.report(self._live_counters, closing=False)
            if self._is_late():
                self._hindrance = hindrance
                self._drop(hindrance, kept)
                return False
            if self._stopping.wait(wait_seconds):
                time.sleep(0.05)
            if self._is_parents:
                return False
            wait_seconds = min(2 * wait_seconds, _RETRY_SECONDS_MAX)
        return bool(kept)

    def _attempt(self, documents: list[bytes], kept: list[Captured], *, sync: bool) -> str | None:
        """Append what is kept, which may become less; return what the rest waits for."""
        try:
            self._writer.append(documents, sync=sync)
        except FrameError:
            self._drop("too_large", kept)
            kept.clear()
        except SpoolFullError:
            self._watch.spool_refused()
            self._refuse(documents, kept)
            return "spool_full" if kept else None
        except (OSError, UnavailableError) as error:
            # A disk or a key may come back: keep what is in hand; when the queue fills, its policy decides.
            self._live_counters.spool_error(error)
            return "key_unavailable" if isinstance(error, KeyUnavailableError) else "spool_error"
        return None

    def _refuse(self, documents: list[bytes], kept: list[Captured]) -> None:
        """Give up what a full spool has no room for, but for what was acknowledged: that waits for room."""
        refused = [captured for captured in kept if not is_acknowledged(captured)]
        if refused:
            self._drop("spool_full", refused)
            kept[:], documents[:] = self._encode([captured for captured in kept if is_acknowledged(captured)])

    def _drop(self, reason: str, given_up: Sequence[Captured]) -> None:
        # After a failed sync a reader may have seen them: what comes next must not bear their sequences.
        self._writer.give_up()
        self._in_hand -= len(given_up)
        acknowledged = sum(map(is_acknowledged, given_up))
        self._live_counters.drop_queued(reason, len(given_up), acknowledged=acknowledged)

    def _is_late(self) -> bool:
        return self._deadline_seconds is not None and time.monotonic() >= self._deadline_seconds


def _delays(kept: Sequence[Captured], documents: Sequence[bytes], now_seconds: float) -> Delays:
    """Return how long records took until now; an exemplar is the first of them, where it has a trace."""
    taken_seconds = delays_seconds(kept, now_seconds)
    trace_id = trace_id_of(documents[0])
    exemplar = Exemplar(trace_id, taken_seconds[0], now_seconds) if trace_id else None
    return Delays.of_each(taken_seconds, exemplar)
