"""Takes records from a spool to a store: the delivery machine's edge, where threads, files and the clock are.

```
spool ──read──▶ machine ──Send──▶ request pool ───bulk──▶ store
  ▲                │  ▲                  │
  └──checkpoint────┘  └─────answers──────┘
```

One loop owns the spool, the machine and the dead letters; the request pool (`request_pool.py`) only carries.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.delivery.backoff import Backoff
from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits
from logging_system.delivery.progress import Outcome
from logging_system.encryption.lines import SealedLines
from logging_system.monitoring.counters import (
    STATUS_INTERVAL_SECONDS,
    ShipperCounters,
    both_content,
    error_name,
    write_status,
)
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import in_words
from logging_system.monitoring.events import (
    Activity,
    BreakerClosed,
    BreakerOpened,
    DeadLettersWritten,
    DiskTrouble,
    Event,
    RecordsEvicted,
    SpoolTakenOver,
    StoreAvailable,
    StoreUnavailable,
)
from logging_system.monitoring.readings import OLDEST_NAME, read_delays
from logging_system.monitoring.status_files import SHIPPER_NAME
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.shipping.dead_letters import DeadLetterFile
from logging_system.shipping.delivery_delays import DeliveryDelays
from logging_system.shipping.request_pool import RequestPool
from logging_system.sinks import Sink, StandsIn
from logging_system.spool.checkpoint import CheckpointError
from logging_system.spool.codec import PLAIN_CODECS, Codecs, UnavailableError
from logging_system.spool.control import ControlFile, ShrinkBatches, UseFallbackFile
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.retention import Retention, evict
from logging_system.spool.segment import list_segments

if TYPE_CHECKING:
    from logging_system.encryption.rotation_schedule import RotationSchedule

STATUS_NAME = SHIPPER_NAME
POLL_SECONDS = 0.025
_CHECKPOINT_INTERVAL_SECONDS = 0.1
_EVICT_INTERVAL_SECONDS = 5.0
_STOP_SECONDS_MAX = 3.0
_DISK_RETRY_SECONDS = 1.0
_SETTLED = "settled"
# As `Item._make`, of which half the time is a step of Python for each record.
_item_of: Callable[[tuple[bytes, int, bytes]], Item] = partial(tuple.__new__, Item)


class Shipper:
    """Ships one spool folder until it is told to stop.

    Args:
        folder: The spool folder.
        sink: The store.
        limits: How large and how many.
        status_path: Where the counters are written; in the spool folder by default.
        codecs: The stored forms of the spool's blocks.
        lines: What seals dead letters; None leaves them plain.
        rotation: What rotates the key by itself while this ships.
        retention_seconds: How old spooled records may become, also those of processes that ended; None,
            however old.
        rng: Where retry jitter comes from.
        events: Told what happens; of its own by default, which nobody hears.
        searchable_after_seconds: How long the store takes at most to find what it has stored.
        tracing: Makes spans of look-ups; those of what is sent are the sink's.

    Raises:
        SpoolBusyError: Another process ships this folder.
        SpoolVersionError: A newer version shipped this folder.
        OSError: The folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        sink: Sink,
        *,
        limits: Limits | None = None,
        status_path: Path | None = None,
        codecs: Codecs = PLAIN_CODECS,
        lines: SealedLines | None = None,
        rotation: RotationSchedule | None = None,
        retention_seconds: float | None = None,
        rng: random.Random | None = None,
        events: EventStream | None = None,
        searchable_after_seconds: float = 0.0,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._limits = limits or Limits()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._events = events or EventStream()
        self._folder = folder
        self._retention = None if retention_seconds is None else Retention(age_seconds=retention_seconds)
        self._reader = SpoolReader(folder, codecs)
        self._idle = codecs.idle
        self._control = ControlFile(folder)
        self._dead_letters = DeadLetterFile(folder, lines)
        self._is_sealed = lines is not None
        self._rotation = rotation
        self._sink = sink
        self._status_path = status_path or folder / STATUS_NAME
        earlier_delays = read_delays(self._status_path)
        self._delays = DeliveryDelays(time.time, searchable_after_seconds, earlier_delays)
        self._machine = DeliveryMachine(self._rng, self._limits, finished=self._delays.finished)
        self._restored = self._reader.restored_counters
        earlier = sum(self._restored.get(outcome.value, 0) for outcome in Outcome)
        # What the meter counted of it: see `metered`.
        self._settled_before = self._restored.get(_SETTLED, earlier)
        self._read_records = 0
        # An earlier process may have sent what is there already, and not have lived to remember it.
        self._machine.doubt(list_segments(folder))
        concurrency = self._limits.concurrency
        self._request_pool = RequestPool(sink, concurrency, self._machine.expects, tracing)
        self._letters: list[BuryDeadLetter] = []
        self._stopping = threading.Event()
        self._prepared = threading.Event()
        self._breaker_opened = 0
        self._breaker_is_closed = True
        self._dirty = False
        self._save_due_seconds = 0.0
        self._read_due_seconds = 0.0
        self._bury_due_seconds = 0.0
        self._status_due_seconds = 0.0
        self._evict_due_seconds = 0.0

    def stop(self) -> None:
        """Ask `run` to end; callable from a signal handler or another thread."""
        self._stopping.set()

    def run(self) -> None:
        """Ship until `stop`; then wait a bounded time for answers under way, checkpoint, and return.

        Raises:
            SpoolBusyError: The folder was removed, and another process ships the one that took its place.
        """
        self._start(self._prepare_store, "logging_system.prepare")
        if self._rotation is not None:
            self._rotation.start(self._events.emit)
        try:
            self._ship()
            self._await_answers()
            self._bury_due_seconds = 0.0
            self._bury()
            self._save(force=True)
            self._report(closing=True)
        except SpoolBusyError:
            # Counters and positions belong to the other process now: there is nothing to be saved here.
            self._await_answers()
            unfinished = self._machine.progress.unfinished
            self._events.emit(SpoolTakenOver(folder=self._folder, unfinished=unfinished))
            raise
        finally:
            self._stopping.set()
            if self._rotation is not None:
                self._rotation.stop()
            self._request_pool.close()
            self._dead_letters.close()
            self._reader.close()

    def _ship(self) -> None:
        self._obey_orders()  # before the first request
        while not self._stopping.is_set():
            self._evict()
            self._read_spool()
            if self._prepared.is_set():
                self._obey()
            self._bury()
            self._save(force=False)
            self._watch_breaker()
            self._report()
            self._wait_for_reports(POLL_SECONDS)

    def _watch_breaker(self) -> None:
        breaker = self._machine.breaker
        if breaker.opened != self._breaker_opened:
            trouble = self._machine.tally.last_trouble
            self._events.emit(BreakerOpened(trouble=trouble, count=breaker.opened - self._breaker_opened))
            self._breaker_opened, self._breaker_is_closed = breaker.opened, False
        if not self._breaker_is_closed and breaker.is_closed:
            self._breaker_is_closed = True
            self._events.emit(BreakerClosed())

    def _await_answers(self) -> None:
        deadline_seconds = time.monotonic() + _STOP_SECONDS_MAX
        while self._machine.in_flight and time.monotonic() < deadline_seconds:
            self._wait_for_reports(POLL_SECONDS)

    def leave_parent(self) -> None:
        """In a forked child: close the files, without which the parent's lock would outlive the parent."""
        self._dead_letters.close()
        self._reader.close()

    def counters(self) -> ShipperCounters:
        """Return all counters of one moment, earlier runs on this spool included."""
        counts = self._machine.progress.counts
        total = {outcome: counts[outcome] + self._restored.get(outcome.value, 0) for outcome in Outcome}
        damage = self._reader.damage
        spooled = self._machine.progress.unfinished
        return ShipperCounters(
            admitted=spooled + sum(total.values()) + damage.corrupted_records + damage.evicted_records,
            spooled=spooled,
            delivered=total[Outcome.DELIVERED] + total[Outcome.CONFLICT],
            dead_lettered=total[Outcome.DEAD_LETTERED],
            redirected=total[Outcome.REDIRECTED],
            corrupted=damage.corrupted_records,
            evicted=damage.evicted_records,
            conflicts=total[Outcome.CONFLICT],
        )

    def metered(self) -> ShipperCounters:
        """Return the same moment by what was read and what is held; `cross_check.py` says more."""
        counters = self.counters()
        read = self._settled_before + self._read_records
        return replace(
            counters, admitted=read + counters.corrupted + counters.evicted, spooled=self._held_records()
        )

    def _held_records(self) -> int:
        return self._machine.held_records + self._machine.progress.early

    def _start(self, target: object, name: str) -> None:
        # Daemons: a request that hangs must not keep the process from ending in time.
        threading.Thread(target=target, name=name, daemon=True).start()  # type: ignore[arg-type]

    def _prepare_store(self) -> None:
        backoff = Backoff()
        failures = 0
        while not self._stopping.is_set():
            trouble = self._sink.prepare()
            if trouble is None:
                if failures:
                    self._events.emit(StoreAvailable())
                self._prepared.set()
                return
            failures += 1
            self._events.emit(StoreUnavailable(trouble=trouble))
            self._stopping.wait(backoff.delay_seconds(failures, None, self._rng))

    def _evict(self) -> None:
        now_seconds = time.monotonic()
        if self._retention is None or now_seconds < self._evict_due_seconds:
            return
        self._evict_due_seconds = now_seconds + _EVICT_INTERVAL_SECONDS
        try:
            gone = evict(self._folder, self._retention, now_seconds=time.time())
        except OSError as error:
            self._note_disk_trouble("evicting", error)
            return
        if gone.records:
            self._events.emit(RecordsEvicted(count=gone.records, freed_bytes=gone.size_bytes))

    def _read_spool(self) -> None:
        now_seconds = time.monotonic()
        room_bytes = self._machine.room_bytes
        if room_bytes <= 0 or now_seconds < self._read_due_seconds:
            return
        try:
            blocks = self._reader.read(min(room_bytes, self._limits.batch_bytes_max))
        except OSError as error:
            self._note_disk_trouble("read_spool", error)
            self._read_due_seconds = now_seconds + _DISK_RETRY_SECONDS
            return
        # Nothing new: look again after a pause, not after each answer.
        self._read_due_seconds = now_seconds if blocks else now_seconds + POLL_SECONDS
        for block in blocks:
            self._read_records += len(block.documents)
            self._delays.read(block)
            items = zip(repeat(block.epoch), count(block.first_sequence), block.documents, strict=False)
            self._machine.take(list(map(_item_of, items)), now_seconds)
        self._dirty = True

    def _obey(self) -> None:
        for command in self._machine.commands(time.monotonic()):
            if isinstance(command, BuryDeadLetter):
                self._letters.append(command)
            else:
                self._request_pool.carry(command)

    def _bury(self) -> None:
        now_seconds = time.monotonic()
        if not self._letters or now_seconds < self._bury_due_seconds:
            return
        try:
            self._dead_letters.bury(self._letters)
        except (OSError, UnavailableError) as error:
            self._note_disk_trouble("write_dead_letters", error)
            self._bury_due_seconds = now_seconds + _DISK_RETRY_SECONDS
            return
        for letter in self._letters:
            self._machine.buried(letter.item)
        last = self._letters[-1]
        self._events.emit(
            DeadLettersWritten(
                count=len(self._letters),
                status=last.status,
                # A store's words may quote what was refused: they go where that goes.
                reason="the reason is sealed with it" if self._is_sealed else last.reason,
            )
        )
        self._letters.clear()

    def _wait_for_reports(self, seconds: float) -> None:
        wait_seconds = self._machine.wait_seconds(time.monotonic())
        if self._prepared.is_set() and wait_seconds is not None:
            seconds = min(seconds, wait_seconds)
        if self._machine.room_bytes > 0:
            seconds = min(seconds, max(0.0, self._read_due_seconds - time.monotonic()))
        try:
            report = self._request_pool.reports.get(timeout=seconds)
            while True:
                self._machine.answered(*report, time.monotonic())
                report = self._request_pool.reports.get_nowait()
        except queue.Empty:
            return

    def _save(self, *, force: bool) -> None:
        now_seconds = time.monotonic()
        if not force and now_seconds < self._save_due_seconds:
            return
        for epoch, next_sequence in self._machine.progress.moved().items():
            self._reader.acknowledge(epoch, next_sequence)
            self._delays.passed(epoch, next_sequence)
            self._dirty = True
        if not self._dirty:
            return
        self._save_due_seconds = now_seconds + _CHECKPOINT_INTERVAL_SECONDS
        counts = self._machine.progress.counts
        totals = {
            outcome.value: counts[outcome] + self._restored.get(outcome.value, 0) for outcome in Outcome
        }
        totals[_SETTLED] = self._settled_before + self._read_records - self._held_records()
        try:
            self._reader.save(totals)
            self._dirty = False
        except (OSError, CheckpointError) as error:
            self._note_disk_trouble("write_checkpoint", error)
            self._save_due_seconds = now_seconds + _DISK_RETRY_SECONDS

    def _report(self, *, closing: bool = False) -> None:
        now_seconds = time.monotonic()
        if not closing and now_seconds < self._status_due_seconds:
            return
        self._status_due_seconds = now_seconds + STATUS_INTERVAL_SECONDS
        self._obey_orders()
        # What is stated must be remembered: after a crash a counter would fall below what was read of it.
        self._save(force=True)
        self._idle()
        content: dict[str, object] = {
            "pid": os.getpid(),
            "closed": closing,  # else silence means that it was killed or hangs
            "store_ready": self._prepared.is_set(),
            **both_content(self.counters(), self.metered()),
            "in_flight_requests": self._machine.in_flight,
            "waiting_batches": self._machine.waiting_batches,
            "concurrency_limit": self._machine.limiter.allowed,
            "breaker": self._machine.breaker.state.value,
            "breaker_open": not self._machine.breaker.is_closed,
            "breaker_opened": self._machine.breaker.opened,
            **asdict(self._machine.tally),
            **asdict(self._reader.damage),
            "newer_epochs": self._reader.newer_epochs,
            "unavailable_epochs": sum(self._reader.unavailable.values()),
            "unavailable": self._reader.unavailable,
            "unreadable": self._reader.unreadable,
            "checkpoint_lost": int(self._reader.checkpoint_lost),
            "store_trouble": self._trouble("store", StoreUnavailable),
            "disk_trouble": self._trouble("disk", DiskTrouble),
            "events": self._events.counts(),
            "logged_to_searchable_seconds": asdict(self._delays.moment()),
            OLDEST_NAME: self._oldest_undelivered_seconds(),
        }
        try:
            write_status(self._status_path, content)
        except OSError as error:
            self._note_disk_trouble("write_status", error)

    def _obey_orders(self) -> None:
        """Do what whoever coordinates the folder wants for a while, and no more once that has ended."""
        orders = self._control.orders()
        smallest = min(
            (each.batch_records_max for each in orders if isinstance(each, ShrinkBatches)),
            default=self._limits.batch_records_max,
        )
        self._machine.limiter.records_cap = min(smallest, self._limits.batch_records_max)
        if isinstance(self._sink, StandsIn):
            self._sink.use_files(any(isinstance(each, UseFallbackFile) for each in orders))

    def _oldest_undelivered_seconds(self) -> float | None:
        """Return when the oldest undelivered record was logged, in seconds since 1970, if there is one.

        What is not read yet is behind what is, but for writers of whom nothing is read: there, when their
        oldest file was written the last time.
        """
        read_seconds = self._delays.oldest_seconds()
        unread_seconds: float | None = None
        with contextlib.suppress(OSError):
            unread_seconds = self._reader.oldest_unread_seconds(self._delays.has_read)
        return min((each for each in (read_seconds, unread_seconds) if each is not None), default=None)

    def _trouble(self, subject: str, kind: type[Event]) -> str:
        latest = self._events.latest(subject)
        return in_words(latest) if isinstance(latest, kind) else ""

    def _note_disk_trouble(self, activity: Activity, error: Exception) -> None:
        detail = str(getattr(error, "filename", None) or ("" if isinstance(error, OSError) else error))
        self._events.emit(DiskTrouble(activity=activity, error=error_name(error), detail=detail))
