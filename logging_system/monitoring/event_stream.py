"""Takes events from any thread and hands them on to subscribers, at most one a kind, reason and second.

```
emit ──▶ counted, summed up by kind and reason ──once a second──▶ thread ──▶ subscribers
```

Emitting costs a few dictionary operations under a lock that is held for nothing else: it waits for no
subscriber, no disk and no lock of `logging`. Subscribers run on a thread of the stream, which starts with the
first event; a slow one delays events, never records.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable

from logging_system.monitoring.events import Event
from logging_system.spool.forks import FORKS
from logging_system.spool.uwsgi import forks_to_come

INTERVAL_SECONDS = 1.0
KEYS_MAX = 256
"""Different kinds and reasons that wait or are remembered; what comes beyond is counted only."""

Subscriber = Callable[[Event], None]


class EventStream:
    """The events of one handler, gateway or shipper.

    A forked child begins with none.

    Args:
        subscribers: Told each event, or several of one key summed up, in the order of the latest.
        clock: Monotonic seconds.
    """

    def __init__(self, *subscribers: Subscriber, clock: Callable[[], float] = time.monotonic) -> None:
        self._subscribers = list(subscribers)
        self._clock = clock
        self._begin()
        _streams.add(self)

    def _begin(self) -> None:
        # Re-entrant: a signal handler may emit while this thread is emitting.
        self._lock = threading.RLock()
        self._handing_on = threading.Lock()
        self._wake = threading.Event()
        self._waiting: dict[tuple[str, str], Event] = {}
        self._handed_on_seconds: dict[tuple[str, str], float] = {}
        self._latest: dict[str, Event] = {}
        self._counts: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell a subscriber later events too; what it raises is ignored."""
        with self._lock:
            self._subscribers = [*self._subscribers, subscriber]

    def emit(self, event: Event) -> None:
        """Take an event; returns at once and raises nothing."""
        with contextlib.suppress(Exception):
            with self._lock:
                self._take(event)
                starts = self._thread is None and not self._closed and not forks_to_come()
                if starts:
                    self._thread = threading.Thread(
                        target=self._run, name="logging_system.events", daemon=True
                    )
            if starts and self._thread is not None:
                self._thread.start()
            self._wake.set()

    def latest(self, subject: str) -> Event | None:
        """Return the latest event about a subject, such as "store"; None where there was none."""
        return self._latest.get(subject)

    def counts(self) -> dict[str, int]:
        """Return how often each kind of event happened, or to how many records."""
        with self._lock:
            return dict(self._counts)

    def hand_on(self, *, force: bool = False) -> float | None:
        """Pass on the events whose second is over, on the calling thread.

        Args:
            force: Hand on all that wait.

        Returns:
            Seconds until the next one is due; None where none waits.
        """
        with self._handing_on:
            for event in self._due(force=force):
                for subscriber in self._subscribers:
                    with contextlib.suppress(Exception):
                        subscriber(event)
        with self._lock:
            now_seconds = self._clock()
            dues = [self._due_seconds(key) - now_seconds for key in self._waiting]
        return max(0.0, min(dues)) if dues else None

    def close(self, within_seconds: float) -> None:
        """Hand on what waits; where a subscriber hangs, give up in time.

        Args:
            within_seconds: How long that may take.
        """
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        self._wake.set()
        if thread is None or thread is threading.current_thread():
            return
        try:
            thread.join(within_seconds)
        except RuntimeError:  # it never started
            self.hand_on(force=True)

    def open(self) -> None:
        """Hand events on from a thread again after `close`."""
        with self._lock:
            self._closed = False

    def _take(self, event: Event) -> None:
        self._counts[event.kind] = self._counts.get(event.kind, 0) + event.count
        if event.subject:
            self._latest[event.subject] = event
        # To the end: of events about one subject, the one that holds is handed on last.
        earlier = self._waiting.pop(event.key, None)
        if earlier is not None:
            event = event.after(earlier)
        elif len(self._waiting) >= KEYS_MAX:
            return
        self._waiting[event.key] = event

    def _due_seconds(self, key: tuple[str, str]) -> float:
        return self._handed_on_seconds.get(key, float("-inf")) + INTERVAL_SECONDS

    def _due(self, *, force: bool) -> list[Event]:
        due: list[Event] = []
        held_up: set[str] = set()
        with self._lock:
            now_seconds = self._clock()
            for key, event in list(self._waiting.items()):
                if not force and (now_seconds < self._due_seconds(key) or event.subject in held_up):
                    held_up |= {event.subject} - {""}
                    continue
                due.append(self._waiting.pop(key))
                self._handed_on_seconds[key] = now_seconds
            if len(self._handed_on_seconds) > KEYS_MAX:
                self._handed_on_seconds = {
                    key: at
                    for key, at in self._handed_on_seconds.items()
                    if now_seconds < at + INTERVAL_SECONDS
                }
        return due

    def _run(self) -> None:
        wait_seconds: float | None = None
        while not self._closed:
            self._wake.wait(wait_seconds)
            self._wake.clear()
            wait_seconds = self.hand_on()
        self.hand_on(force=True)


_streams: weakref.WeakSet[EventStream] = weakref.WeakSet()


def _begin_in_child() -> None:
    for stream in list(_streams):
        stream._begin()


FORKS.register(after_in_child=_begin_in_child)
