"""A thread pool that sends requests through a sink and returns outcomes; it grows on demand."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from logging_system.delivery.machine import LookUp, Send
from logging_system.delivery.outcomes import Found, LookUpOutcome, SendOutcome, Unknown
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.sinks import Sink

STUCK_FACTOR = 2
"""Threads at most, for each request that may be under way: an answer that drips holds one until it ends."""


class RequestPool:
    """A pool that grows when all its threads are busy and never shrinks; used by one thread.

    Args:
        sink: Where requests go.
        concurrency: Requests that are ever under way at once.
        expects: Whether the outcome of a command of this number is still of use.
        tracing: Makes spans of look-ups; those of what is sent are the sink's.
    """

    def __init__(
        self,
        sink: Sink,
        concurrency: int,
        expects: Callable[[int], bool],
        tracing: Tracing = NO_TRACING,
    ) -> None:
        # No SimpleQueue: where a signal comes just as its `get` times out, it waits for ever (CPython 3.11),
        # and SIGTERM would not end the process.
        self.reports: queue.Queue[tuple[int, SendOutcome | LookUpOutcome]] = queue.Queue()
        self._sink = sink
        self._threads_max = STUCK_FACTOR * concurrency
        self._expects = expects
        self._tracing = tracing
        self._commands: queue.SimpleQueue[Send | LookUp | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._closed = threading.Event()

    @property
    def threads(self) -> int:
        """Threads started."""
        return self._threads

    def carry(self, command: Send | LookUp) -> None:
        """Take a request on its way; its outcome appears among `reports`.

        Args:
            command: The request; it waits for its turn where all threads are busy and no more may be started.
        """
        if not self._idle.acquire(blocking=False) and self._threads < self._threads_max:
            # Daemons: a request that hangs must not keep the process from ending in time.
            name = f"logging_system.request-{self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
            self._threads += 1
        self._commands.put(command)

    def close(self) -> None:
        """Let every thread end as soon as it is done with its request; what waits for one is not sent."""
        self._closed.set()
        for _ in range(self._threads):
            self._commands.put(None)

    def _work(self) -> None:
        while (command := self._commands.get()) is not None and not self._closed.is_set():
            # One that was given up while it stood in the queue would only be sent twice.
            if self._expects(command.number):
                self.reports.put((command.number, self._ask(command)))
            self._idle.release()

    def _ask(self, command: Send | LookUp) -> SendOutcome | LookUpOutcome:
        try:
            if isinstance(command, LookUp):
                return self._look_up(command)
            return self._sink.send(command.items)
        except Exception as error:
            # A sink tells an outcome whatever happens; one that does not must not take its thread with it.
            return Unknown(f"the sink raised {error!r}"[:300])

    def _look_up(self, command: LookUp) -> LookUpOutcome:
        with self._tracing.look_up([item.document for item in command.items]) as step:
            outcome = self._sink.look_up([item.id for item in command.items], command.indices)
            if step.is_traced and not isinstance(outcome, Found):
                step.failed("not answered")
        return outcome
