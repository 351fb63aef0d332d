"""Ships a spool folder from a thread of the application while no other process ships it.

Of the processes that share a folder one holds its lock and ships. The others look every few seconds whether
it is free, so one of them goes on when the holder ends.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from logging_system.delivery.machine import Limits
from logging_system.encryption.lines import SealedLines
from logging_system.monitoring.counters import error_name
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.event_words import WordsInLog
from logging_system.monitoring.events import (
    BreakerOpened,
    DiskTrouble,
    Event,
    RecordsWaiting,
    SettingsProblem,
    ShippingFailed,
    StoreUnavailable,
    ThreadRefused,
)
from logging_system.monitoring.status_files import adding_ended
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.shipping.shipper import Shipper
from logging_system.sinks import Sink
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.forks import FORKS
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.segment import list_segments
from logging_system.spool.waiting import count_waiting

if TYPE_CHECKING:
    from logging_system.encryption.rotation_schedule import RotationSchedule

POLL_SECONDS = 2.0
_LAST_LOOK_SECONDS = 0.02
_FORK_WAIT_SECONDS = 0.25
# What the shipper may need to end when the store does not answer.
_STOP_SECONDS = 3.4
_LAST_EVENTS_SECONDS = 0.2
_COUNTING_SECONDS_MIN = 0.1

Exporting = Callable[[Callable[[str], None]], contextlib.AbstractContextManager[None]]


def _exporting_nothing(_trouble: Callable[[str], None]) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


class InProcessShipper:
    """A thread that ships `folder` whenever it can have it.

    Args:
        folder: The spool folder.
        opener_of: Returns what makes the sink, given where the sink's events go; called once, at the start,
            and what it returns once the folder is ours.
        limits: How large and how many.
        codecs: The stored forms of the spool's blocks.
        lines: What seals dead letters; None leaves them plain.
        rotation: What rotates the key by itself while this ships.
        retention_seconds: How old spooled records may become; None, however old.
        searchable_after_seconds: How long the store takes at most to find what it has stored.
        exporting: What gives this folder's metrics to others while this process ships it.
        tracing: Makes spans of look-ups; those of what is sent are the sink's.
        poll_seconds: How often to look whether the folder has become free.
    """

    def __init__(
        self,
        folder: Path,
        opener_of: Callable[[Callable[[Event], None]], Callable[[], Sink]],
        *,
        limits: Limits,
        codecs: Codecs = PLAIN_CODECS,
        lines: SealedLines | None = None,
        rotation: RotationSchedule | None = None,
        retention_seconds: float | None = None,
        searchable_after_seconds: float = 0.0,
        exporting: Exporting = _exporting_nothing,
        tracing: Tracing = NO_TRACING,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._folder = folder
        self.events = EventStream(WordsInLog())
        self._open_sink = opener_of(self.events.emit)
        self._limits = limits
        self._codecs = codecs
        self._lines = lines
        self._rotation = rotation
        self._retention_seconds = retention_seconds
        self._searchable_after_seconds = searchable_after_seconds
        self._exporting = exporting
        self._tracing = tracing
        self._poll_seconds = poll_seconds
        self._begin()
        _in_process.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._started = False
        self._told = False
        self._is_others = False
        self._stopping = threading.Event()
        self._decided = threading.Event()
        self._shipper: Shipper | None = None
        self._thread: threading.Thread | None = None

    @property
    def shipping(self) -> bool:
        """Whether it is this process that ships the folder."""
        return self._shipper is not None

    def start(self) -> None:
        """Start the thread; see `InProcess.start`."""
        if self._stopping.is_set():  # it was finished before
            self._begin()
            self.events.open()
        self._started = True
        # Known before it runs: a signal handler that ends the process may come while it starts.
        self._thread = threading.Thread(
            target=self._run, args=(self._stopping,), name="logging_system.in_process", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None
            self.events.emit(ThreadRefused(thread="shipper", folder=self._folder))

    def leave_parent(self) -> None:
        """In a forked child: close the parent's files, so that its lock on the folder ends with it."""
        if self._shipper is not None:
            self._shipper.leave_parent()
        self._begin()

    def finish(self, epoch: bytes, deadline_seconds: float, *, for_good: bool) -> None:
        """End in time, delivering first what `epoch` left; see `InProcess.finish`."""
        thread = self._thread
        if thread is not None:
            self._stop(thread, epoch, deadline_seconds)
        if for_good and self._started and not self._told:
            self._told = True
            self.events.open()  # it may have been finished before
            soon_seconds = time.monotonic() + _COUNTING_SECONDS_MIN
            self._tell_waiting(max(soon_seconds, deadline_seconds - _LAST_EVENTS_SECONDS))
        self.events.close(min(_LAST_EVENTS_SECONDS, max(0.0, deadline_seconds - time.monotonic())))

    def _stop(self, thread: threading.Thread, epoch: bytes, deadline_seconds: float) -> None:
        drain_until_seconds = deadline_seconds - _STOP_SECONDS
        self._decided.wait(max(0.0, drain_until_seconds - time.monotonic()))
        while self.shipping and time.monotonic() < drain_until_seconds and self._holds(epoch):
            time.sleep(_LAST_LOOK_SECONDS)
        # Without the lock: whoever closes handlers may hold a lock of `logging` that our thread waits for.
        self._stopping.set()
        shipper = self._shipper
        if shipper is not None:
            shipper.stop()
        with contextlib.suppress(RuntimeError):  # it never started
            thread.join(max(0.0, deadline_seconds - time.monotonic()))
        self._thread = None

    def _tell_waiting(self, deadline_seconds: float) -> None:
        """Tell what is left in the folder, unless another process ships it."""
        if self._is_others:
            return
        waiting = count_waiting(self._folder, deadline_seconds)
        if waiting.records:
            self.events.emit(
                RecordsWaiting(
                    count=waiting.records,
                    folder=self._folder,
                    is_exact=waiting.is_exact,
                    trouble=self._last_trouble(),
                )
            )

    def _last_trouble(self) -> str:
        latest = [self.events.latest(subject) for subject in ("breaker", "store")]
        return next((e.trouble for e in latest if isinstance(e, BreakerOpened | StoreUnavailable)), "")

    def hold_before_fork(self) -> None:
        """Keep a fork from falling between taking the folder's lock and being able to let go of it."""
        self._held = self._lock.acquire(timeout=_FORK_WAIT_SECONDS)

    def release_in_parent(self) -> None:
        """Go on after a fork."""
        if self._held:
            self._held = False
            self._lock.release()

    def _run(self, stopping: threading.Event) -> None:
        # What gevent has for threads goes on in a forked child, which has begun anew.
        while self._stopping is stopping and not stopping.is_set():
            try:
                self._ship_if_free(stopping)
            except Exception as error:
                # Records are safe in the spool; whatever is wrong, the next attempt may find it mended.
                name = type(error).__name__
                self.events.emit(ShippingFailed(folder=self._folder, error=name, detail=str(error)))
            finally:
                self._decided.set()
            stopping.wait(self._poll_seconds)

    def _ship_if_free(self, stopping: threading.Event) -> None:
        sink: Sink | None = None
        try:
            with self._lock:
                SpoolReader(
                    self._folder, self._codecs
                ).close()  # whoever only waits needs no client in its memory
            self._is_others = False
            sink = self._open_sink()
            with self._lock:
                shipper = self._shipper = Shipper(
                    self._folder,
                    sink,
                    limits=self._limits,
                    codecs=self._codecs,
                    lines=self._lines,
                    rotation=self._rotation,
                    retention_seconds=self._retention_seconds,
                    events=self.events,
                    searchable_after_seconds=self._searchable_after_seconds,
                    tracing=self._tracing,
                )
            if stopping.is_set():
                shipper.stop()
            self._decided.set()
            with (
                adding_ended(self._folder, time.time, self._report_disk),
                self._exporting(self._tell_setting),
            ):
                shipper.run()
        except SpoolBusyError:
            self._is_others = True  # another process does it
        finally:
            if self._stopping is stopping:
                self._shipper = None
            if sink is not None:
                sink.close()

    def _holds(self, epoch: bytes) -> bool:
        try:
            return epoch in list_segments(self._folder)
        except OSError:
            return False

    def _tell_setting(self, what: str) -> None:
        self.events.emit(SettingsProblem(where="", what=what, consequence="ignored"))

    def _report_disk(self, error: OSError) -> None:
        self.events.emit(
            DiskTrouble(activity="adding_ended", error=error_name(error), detail=str(error.filename or ""))
        )


_in_process: weakref.WeakSet[InProcessShipper] = weakref.WeakSet()


def _hold_all() -> None:
    for each in list(_in_process):
        each.hold_before_fork()


def _release_all() -> None:
    for each in list(_in_process):
        each.release_in_parent()


FORKS.register(before=_hold_all, after_in_parent=_release_all)
