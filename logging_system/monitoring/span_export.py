"""Hands ended spans to exporters on a thread of its own: bounded, and each span that is given up is counted.

`ended = exported + waiting + dropped{reason}` at every moment, also after the end. A dead, slow or broken
exporter holds this thread and nothing else. The SDK's own batch processor counts no span that comes after its
shutdown (open-telemetry/opentelemetry-python#5509).
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from logging_system.monitoring.events import Event, SpanDropReason, SpansDropped
from logging_system.spool.forks import FORKS
from logging_system.spool.uwsgi import forks_to_come

QUEUE_SPANS_MAX = 2_048
BATCH_SPANS_MAX = 512
INTERVAL_SECONDS = 0.5

Exporter = Callable[[Sequence[object]], bool]
"""Takes spans, and tells whether it has them for good."""


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """One moment.

    Attributes:
        ended: Spans handed over.
        exported: Of these, what every exporter took.
        waiting: In the queue or in an exporter's hands.
        dropped: Given up, by reason.
    """

    ended: int = 0
    exported: int = 0
    waiting: int = 0
    dropped: dict[SpanDropReason, int] = field(default_factory=dict)


class SpanExport:
    """A bounded queue of ended spans and the thread that empties it, which starts with the first span.

    A forked child begins with none.

    Args:
        exporters: Each is given every span; one that raises has not taken it.
        emit: Told what is dropped.
    """

    def __init__(self, exporters: Sequence[Exporter], emit: Callable[[Event], None]) -> None:
        self._exporters = exporters
        self._emit = emit
        self._begin()
        _exports.add(self)

    def _begin(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[object] = deque()
        self._in_hand = 0
        self._ended = self._exported = 0
        self._dropped: dict[SpanDropReason, int] = {}
        self._hurries = self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, span: object) -> None:
        """Take a span that has ended; never waits and never raises."""
        with contextlib.suppress(RuntimeError):  # no more threads: the queue fills, and the rest is counted
            with self._changed:
                self._ended += 1
                if self._closed:
                    self._drop("already_shutdown", 1)
                    return
                if len(self._queue) >= QUEUE_SPANS_MAX:
                    self._drop("queue_full", 1)
                    return
                self._queue.append(span)
                if len(self._queue) == BATCH_SPANS_MAX:
                    self._changed.notify_all()
            self._start()

    def counts(self) -> SpanCounts:
        """Return all counts of one moment."""
        with self._changed:
            waiting = len(self._queue) + self._in_hand
            return SpanCounts(self._ended, self._exported, waiting, dict(self._dropped))

    def flush(self, within_seconds: float) -> bool:
        """Wait until all that has ended is exported or given up.

        Args:
            within_seconds: How long at most.

        Returns:
            Whether that happened in time.
        """
        deadline_seconds = time.monotonic() + within_seconds
        with self._changed:
            self._hurries = True
            self._changed.notify_all()
            while self._queue or self._in_hand:
                left_seconds = deadline_seconds - time.monotonic()
                if left_seconds <= 0 or self._thread is None:
                    return False
                self._changed.wait(left_seconds)
            return True

    def close(self, within_seconds: float) -> None:
        """Export what waits; what is not done in time is dropped, as is whatever ends later.

        Args:
            within_seconds: How long that may take.
        """
        self.flush(within_seconds)
        with self._changed:
            if self._closed:
                return
            self._closed = True
            # An exporter that has them in hand may still succeed; nobody will be there to be told.
            left, self._in_hand = len(self._queue) + self._in_hand, 0
            self._queue.clear()
            if left:
                self._drop("already_shutdown", left)
            self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is not None or forks_to_come():
            return
        with self._changed:
            if self._thread is not None or self._closed:
                return
            thread = threading.Thread(target=self._run, name="logging_system.traces", daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        changed = self._changed
        while True:
            with changed:
                if not self._hurries and not self._closed and len(self._queue) < BATCH_SPANS_MAX:
                    changed.wait(INTERVAL_SECONDS)
                if self._closed or changed is not self._changed:
                    return
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_SPANS_MAX))]
                self._in_hand = len(batch)
                self._hurries = self._hurries and bool(batch)
            if batch:
                self._settle(len(batch), exported=self._export(batch))

    def _export(self, batch: Sequence[object]) -> bool:
        taken = True
        for exporter in self._exporters:
            try:
                taken = exporter(batch) and taken
            except Exception:  # whatever breaks in it, records are delivered
                taken = False
        return taken

    def _settle(self, spans: int, *, exported: bool) -> None:
        with self._changed:
            if self._closed:
                return  # counted there
            self._in_hand = 0
            if exported:
                self._exported += spans
            else:
                self._drop("export_failed", spans)
            self._changed.notify_all()

    def _drop(self, reason: SpanDropReason, spans: int) -> None:
        self._dropped[reason] = self._dropped.get(reason, 0) + spans
        self._emit(SpansDropped(reason=reason, count=spans))


_exports: weakref.WeakSet[SpanExport] = weakref.WeakSet()


def _begin_in_child() -> None:
    for export in list(_exports):
        export._begin()


FORKS.register(after_in_child=_begin_in_child)
