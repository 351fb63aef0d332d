"""Fallback: writes to files while the store is unavailable, so that its outage does not fill the spool.

```
store ──nothing settled for so long──▶ files ──store is prepared again──▶ store
```

What goes into the files stays there and counts as redirected. Nothing is copied to the store when it comes
back: whoever wants it there imports the files, whose ids are those the store would have had.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    CannotLookUp,
    Found,
    LookUpOutcome,
    OneForEach,
    Retry,
    SameForAll,
    SendOutcome,
    Unknown,
)
from logging_system.monitoring.event_words import log_in_words
from logging_system.monitoring.events import Event, FallbackBegun, FallbackEnded
from logging_system.sinks import Sink

PROBE_SECONDS = 10.0
"""How often a store that could not be used is asked whether it can be."""

_SKIPPED = CannotLookUp("look-up: skipped while the files stand in for the store")


class FallbackSink:
    """A store, and files while the store is unavailable.

    A store can be used when it settles a document: stored, or refused for good. One that is not
    there, pushes everything back or has all writes blocked cannot. Only what it was asked for counts: a store
    nobody sends to is not missed.

    A record of which the store may have taken a copy, because its outcome is not known, is not looked up
    while the store cannot be used: it goes to the files too, and the delivery machine counts a skipped
    look-up.

    Args:
        store: The store.
        files: What stands in; documents it takes must count as redirected.
        path: Where the files are, for messages.
        after_seconds: How long the store may settle nothing.
        emit: Told when the files begin and end to stand in; logged by default.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        store: Sink,
        files: Sink,
        path: Path,
        *,
        after_seconds: float,
        emit: Callable[[Event], None] = log_in_words,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._files = files
        self._path = path
        self._after_seconds = after_seconds
        self._emit = emit
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failing_since_seconds: float | None = None
        self._standing_in = False
        self._is_ordered = False
        self._probe_due_seconds = 0.0

    @property
    def standing_in(self) -> bool:
        """Whether records go to the files now."""
        return self._standing_in

    def use_files(self, wanted: bool) -> None:
        """Let the files stand in by order, or ask the store again; see `StandsIn`.

        Args:
            wanted: Whether they are to stand in; nothing changes where they cannot be written.
        """
        if wanted == self._is_ordered or (wanted and self._files.prepare() is not None):
            return
        with self._lock:
            was_standing_in, self._standing_in = self._standing_in, True
            self._is_ordered = wanted
            self._probe_due_seconds = self._monotonic()
        if wanted and not was_standing_in:
            self._emit(FallbackBegun(path=self._path, outage_seconds=0.0, trouble="ordered by a workflow"))

    def prepare(self) -> str | None:
        """Prepare the store, or the files once it could not be for long enough; see `Sink.prepare`.

        Returns:
            None when one of them takes documents, else what stands in the way.
        """
        if self._path.exists():
            # What was written there just before a crash is known by its id.
            self._files.prepare()
        trouble = self._store.prepare()
        if trouble is None:
            return None
        self._failed(trouble)
        return self._files.prepare() if self._standing_in else trouble

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Send to the store, or write to the files; see `Sink.send`.

        Args:
            items: The documents; all go to one of both.

        Returns:
            What the store, or the files, made of them.
        """
        if self._uses_files():
            return self._files.send(items)
        outcome = self._store.send(items)
        trouble = _trouble(outcome)
        if trouble is None:
            self._settled()
        else:
            self._failed(trouble)
        return outcome

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> LookUpOutcome:
        """Ask the store and the files which documents they have; see `Sink.look_up`.

        Args:
            ids: The documents' ids.
            indices: Backing indices of the store that may hold them; the files have none.

        Returns:
            The ids that either has. While the files stand in, nobody is asked: the files know what they have.
        """
        if self._uses_files():
            return _SKIPPED  # the files know themselves what they have
        outcome = self._store.look_up(ids, indices)
        if isinstance(outcome, Unknown):
            self._failed(outcome.reason)
        if isinstance(outcome, Found):
            in_files = self._files.look_up(ids, [])
            return Found(outcome.ids | in_files.ids) if isinstance(in_files, Found) else outcome
        return outcome

    def close(self) -> None:
        """Close both."""
        self._store.close()
        self._files.close()

    def _uses_files(self) -> bool:
        """Tell whether the files stand in; one thread asks the store now and then whether it is back."""
        with self._lock:
            now_seconds = self._monotonic()
            if not self._standing_in:
                return False
            if self._is_ordered or now_seconds < self._probe_due_seconds:
                return True
            self._probe_due_seconds = float("inf")
        trouble: str | None = "not asked"
        try:
            trouble = self._store.prepare()
        finally:
            with self._lock:
                self._probe_due_seconds = self._monotonic() + PROBE_SECONDS
                self._standing_in = trouble is not None
        if trouble is None:
            self._emit(FallbackEnded(path=self._path))
            self._settled()
        return trouble is not None

    def _settled(self) -> None:
        with self._lock:
            self._failing_since_seconds = None

    def _failed(self, trouble: str) -> None:
        with self._lock:
            now_seconds = self._monotonic()
            if self._failing_since_seconds is None:
                self._failing_since_seconds = now_seconds
            since_seconds = now_seconds - self._failing_since_seconds
            if self._standing_in or since_seconds < self._after_seconds:
                return
            self._standing_in = True
            self._probe_due_seconds = now_seconds + PROBE_SECONDS
        self._emit(FallbackBegun(path=self._path, outage_seconds=since_seconds, trouble=trouble))


def _trouble(outcome: SendOutcome) -> str | None:
    """Return why the store settled no document; None where it settled one."""
    match outcome:
        case Unknown(reason=reason) | SameForAll(Retry(reason=reason)):
            return reason
        case OneForEach(outcomes=(Retry(reason=reason), *_)) if all(
            isinstance(each, Retry) for each in outcome.outcomes
        ):
            return reason
    return None
