"""Where a worker runs: on a thread that is started, ended and started again, or on the one that logs."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from logging_system.handler.calls import Guard
from logging_system.handler.own_names import WORKER_NAME
from logging_system.handler.worker import Worker
from logging_system.monitoring.counters import LiveCounters
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.events import ThreadRefused

_DRAIN_SHARE = 0.8


class WorkerThread:
    """Runs a worker.

    Args:
        worker: What is run.
        guard: Whichever thread runs the worker is inside a log call for as long.
        live_counters: Count that the system had no thread.
        events: Told the same.
        folder: The spool folder, which that event names.
    """

    def __init__(
        self, worker: Worker, guard: Guard, live_counters: LiveCounters, events: EventStream, folder: Path
    ) -> None:
        self.worker = worker
        self._guard = guard
        self._live_counters = live_counters
        self._events = events
        self._folder = folder
        self._thread: threading.Thread | None = None

    @property
    def is_current(self) -> bool:
        """Whether it is the worker's own thread that asks."""
        return threading.current_thread() is self._thread

    @property
    def is_at_rest(self) -> bool:
        """Whether the worker's last run is over; a disk that hangs may hold it beyond a close."""
        return self._thread is None or not self._thread.is_alive()

    def start(self) -> None:
        """Run the worker on a thread of its own, if the system has one."""
        # Known before it runs: a signal handler that ends the process may come while it starts.
        self._thread = threading.Thread(target=self._run, name=WORKER_NAME, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            # No more threads: the queue takes what it may, and the rest is dropped and counted.
            self._thread = None
            self._live_counters.spool_error(error)
            self._events.emit(ThreadRefused(thread="worker", folder=self._folder))

    def end(self, within_seconds: float) -> bool:
        """Let the worker store what waits, in bounded time; return False where it is the worker that asks.

        Args:
            within_seconds: How long that may take; the worker may store for most of it, and then has to end.
        """
        thread = self._thread
        if thread is None:
            self._store_without_thread(within_seconds * _DRAIN_SHARE)
            return True
        if thread is threading.current_thread():
            return False
        self.worker.stop(within_seconds * _DRAIN_SHARE)
        with contextlib.suppress(RuntimeError):  # it never started
            thread.join(within_seconds)
        return True

    def run_here(self, within_seconds: float) -> None:
        """Store what is queued on the thread that logs, which is inside its call.

        Args:
            within_seconds: How long that may take; what is not stored by then is dropped and counted.
        """
        self.worker.resume()
        self.worker.stop(within_seconds)
        self.worker.run()

    def _run(self) -> None:
        # What the callback logs through this handler would call it again, for ever.
        self._guard.calls.active = True
        self.worker.run()

    def _store_without_thread(self, within_seconds: float) -> None:
        """Write what waits where the system had no thread for the worker."""
        calls = self._guard.calls
        was_active, calls.active = calls.active, True
        try:
            self.worker.stop(within_seconds)
            self.worker.run()
        finally:
            calls.active = was_active
