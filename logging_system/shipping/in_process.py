"""Ships a spool folder from a thread of the application, as long as nobody else does.

Of the processes that share a folder one holds its lock and ships. The others look every few seconds whether
it is free, so one of them goes on when the holder ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from logging_system.delivery.machine import Limits
from logging_system.monitoring.status_files import adding_ended
from logging_system.shipping.shipper import Shipper
from logging_system.sinks import Sink
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.segment import list_segments

POLL_SECONDS = 2.0
_LAST_LOOK_SECONDS = 0.02
_FORK_WAIT_SECONDS = 0.25
# What the shipper may need to end when the store does not answer.
_STOP_SECONDS = 3.4

_log = logging.getLogger(__name__)


class InProcessSender:
    """A thread that ships `folder` whenever it can have it.

    Args:
        folder: The spool folder.
        open_sink: Makes the sink; called once the folder is ours.
        limits: How large and how many.
        codecs: The stored forms of the spool's blocks.
        retention_seconds: How old spooled records may become; None, however old.
        poll_seconds: How often to look whether the folder has become free.
    """

    def __init__(
        self,
        folder: Path,
        open_sink: Callable[[], Sink],
        *,
        limits: Limits,
        codecs: Codecs = PLAIN_CODECS,
        retention_seconds: float | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._folder = folder
        self._open_sink = open_sink
        self._limits = limits
        self._codecs = codecs
        self._retention_seconds = retention_seconds
        self._poll_seconds = poll_seconds
        self._reported = ""
        self._begin()
        _senders.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._stopping = threading.Event()
        self._decided = threading.Event()
        self._shipper: Shipper | None = None
        self._thread: threading.Thread | None = None

    @property
    def shipping(self) -> bool:
        """Whether it is this process that ships the folder."""
        return self._shipper is not None

    def start(self) -> None:
        """Start the thread; see `Sender.start`."""
        # Known before it runs: a signal handler that ends the process may come while it starts.
        self._thread = threading.Thread(
            target=self._run, args=(self._stopping,), name="logging_system.sender", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            self._report(f"no thread for the sender, records stay in {self._folder}: {error}")

    def leave_parent(self) -> None:
        """In a forked child: close the parent's files, so that its lock on the folder ends with it."""
        if self._shipper is not None:
            self._shipper.leave_parent()
        self._begin()

    def finish(self, epoch: bytes, deadline_seconds: float) -> None:
        """End in time, delivering first what `epoch` left; see `Sender.finish`."""
        thread = self._thread
        if thread is None:
            return
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

    def hold_before_fork(self) -> None:
        """Keep a fork from falling between taking the folder's lock and being able to let go of it."""
        self._held = self._lock.acquire(timeout=_FORK_WAIT_SECONDS)

    def release_in_parent(self) -> None:
        """Go on after a fork."""
        if self._held:
            self._held = False
            self._lock.release()

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self._ship_if_free(stopping)
            except Exception as error:
                # Records are safe in the spool; whatever is wrong, the next attempt may find it mended.
                self._report(f"records stay in {self._folder} for now: {type(error).__name__}: {error}")
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
            sink = self._open_sink()
            with self._lock:
                shipper = self._shipper = Shipper(
                    self._folder,
                    sink,
                    limits=self._limits,
                    codecs=self._codecs,
                    retention_seconds=self._retention_seconds,
                )
            if stopping.is_set():
                shipper.stop()
            self._decided.set()
            self._reported = ""
            with adding_ended(self._folder, time.time, self._report_disk):
                shipper.run()
        except SpoolBusyError:
            return  # another process does it
        finally:
            self._shipper = None
            if sink is not None:
                sink.close()

    def _holds(self, epoch: bytes) -> bool:
        try:
            return epoch in list_segments(self._folder)
        except OSError:
            return False

    def _report_disk(self, error: OSError) -> None:
        self._report(f"the counters of ended processes stay as they are: {error}")

    def _report(self, trouble: str) -> None:
        if trouble != self._reported:
            _log.warning("%s", trouble)
        self._reported = trouble


_senders: weakref.WeakSet[InProcessSender] = weakref.WeakSet()


def _hold_all() -> None:
    for sender in list(_senders):
        sender.hold_before_fork()


def _release_all() -> None:
    for sender in list(_senders):
        sender.release_in_parent()


os.register_at_fork(before=_hold_all, after_in_parent=_release_all)
