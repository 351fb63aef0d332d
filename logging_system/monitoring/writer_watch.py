"""Makes events of what a handler or gateway counts, once a second and off the caller's thread.

The caller's thread only counts. What has been dropped, refused by the disk or evicted since the last look
becomes one event each, and how full the spool is becomes one when that changes.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Literal

from logging_system.monitoring.counters import HandlerCounters
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.events import (
    CallbackFailed,
    DiskTrouble,
    Event,
    KeyUnavailable,
    RecordsEvicted,
    SpoolFull,
    SpoolHasRoom,
    SpoolNearlyFull,
    dropped_since,
)
from logging_system.spool.codec import KeyUnavailableError
from logging_system.spool.retention import Evicted
from logging_system.spool.segment import spooled_bytes
from logging_system.spool.writer import SpoolWriter

NEARLY_FULL_SHARE = 0.9
ROOM_SHARE = 0.8
"""Below it a spool that was nearly full has room again: between the two nothing is said."""


class WriterWatch:
    """Looks at the counters and the spool of one epoch; used by the thread that writes the spool.

    Args:
        events: Where events go.
        writer: The spool's writer.
        folder: The spool folder.
    """

    def __init__(self, events: EventStream, writer: SpoolWriter, folder: Path) -> None:
        self.events = events
        self._writer = writer
        self._folder = folder
        self._dropped: dict[str, int] = {}
        self._spool_errors: dict[str, int] = {}
        self._callback_errors = 0
        self._evicted = Evicted()
        self._refused = False
        self._room: Literal["room", "nearly_full", "full"] = "room"

    def spool_refused(self) -> None:
        """Take note that the spool was full."""
        self._refused = True

    def look(self, counters: HandlerCounters) -> None:
        """Emit what happened since the last look.

        Args:
            counters: As they are now; compared with those of the last look.
        """
        self._look_at_the_spool()
        for dropped in dropped_since(self._dropped, counters.dropped):
            self.events.emit(dropped)
        for error, count in counters.spool_errors.items():
            if count > (before := self._spool_errors.get(error, 0)):
                self.events.emit(_trouble(error, count - before))
        if count := counters.callback_errors - self._callback_errors:
            self.events.emit(CallbackFailed(count=count))
        self._dropped, self._spool_errors = counters.dropped, counters.spool_errors
        self._callback_errors = counters.callback_errors

    def _look_at_the_spool(self) -> None:
        evicted, before = self._writer.evicted, self._evicted
        if evicted.records > before.records:
            self.events.emit(
                RecordsEvicted(
                    count=evicted.records - before.records,
                    freed_bytes=evicted.size_bytes - before.size_bytes,
                )
            )
        self._evicted = evicted
        used_bytes, bytes_max = self._used_bytes(), self._writer.spool_bytes_max
        refused, self._refused = self._refused, False
        if refused and self._room != "full":
            self._room = "full"
            self.events.emit(SpoolFull(used_bytes=used_bytes, bytes_max=bytes_max))
        elif self._room == "room" and used_bytes >= NEARLY_FULL_SHARE * bytes_max:
            if not self._writer.evicts_for_room:
                self._room = "nearly_full"
                self.events.emit(SpoolNearlyFull(used_bytes=used_bytes, bytes_max=bytes_max))
        elif self._room != "room" and not refused and used_bytes < ROOM_SHARE * bytes_max:
            self._room = "room"
            self.events.emit(SpoolHasRoom(used_bytes=used_bytes, bytes_max=bytes_max))

    def _used_bytes(self) -> int:
        # The writer counts when it appends; while it may not, only a look tells that a shipper made room.
        if self._room != "room":
            with contextlib.suppress(OSError):
                return spooled_bytes(self._folder)
        return self._writer.used_bytes


def _trouble(error: str, count: int) -> Event:
    if error == KeyUnavailableError.__name__:
        return KeyUnavailable(count=count)
    return DiskTrouble(activity="write_spool", error=error, count=count)
