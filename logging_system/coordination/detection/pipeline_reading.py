"""Reads a moment of the pipeline from its status files and the disk; only reads."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from logging_system.coordination.detection.machine_load import Waits
from logging_system.coordination.detection.pipeline_moment import (
    PipelineMoment,
    RoomMoment,
    ShipperMoment,
    WritersMoment,
)
from logging_system.coordination.detection.writer_processes import WriterProcesses
from logging_system.monitoring.handler_totals import handler_totals, read_content
from logging_system.monitoring.readings import OLDEST_NAME
from logging_system.monitoring.status_files import ENDED_NAME, SHIPPER_NAME, status_files
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.segment import spooled_bytes

_FRESH_SECONDS = 90.0
"""A writer's file older than that is of a process that ended, or hangs: it is touched every 30 s."""
_WRITERS_SHARE = 20
"""Reading the writers' files, maybe hundreds, is followed by this many times its length without."""


class PipelineReader:
    """Reads the moments of one spool folder.

    Args:
        spool: The folder.
        steady: A clock in seconds that measures how long reading takes.
        disk: The system calls.
    """

    def __init__(self, spool: Path, *, steady: Callable[[], float], disk: Disk = REAL_DISK) -> None:
        self._spool, self._steady, self._disk = spool, steady, disk
        self._writers_due_seconds = float("-inf")
        self._writers = WritersMoment()
        self._writer_events: Mapping[str, int] = {}
        self._bytes_max = 0
        self._processes = WriterProcesses()

    def read(
        self, now_seconds: float, late_seconds: float = 0.0, waits: Waits | None = None
    ) -> PipelineMoment:
        """Return how things are now; what cannot be read is left as it is without trouble.

        Args:
            now_seconds: Seconds since 1970.
            late_seconds: By how much who looks woke late at most since the last time.
            waits: Who waited for a processor since then; None where nobody knows.

        Raises:
            OSError: The folder cannot be listed.
        """
        content = read_content(self._spool / SHIPPER_NAME)
        began_seconds = self._steady()
        if began_seconds >= self._writers_due_seconds:
            self._read_writers(now_seconds)
            took_seconds = self._steady() - began_seconds
            self._writers_due_seconds = began_seconds + _WRITERS_SHARE * took_seconds
        shipper = self._shipper(content, now_seconds) if content else None
        events = Counter(self._writer_events) + Counter(_counts(content.get("events")))
        return PipelineMoment(
            now_seconds, shipper, self._writers, self._room(), events, late_seconds, waits or Waits()
        )

    def _shipper(self, content: Mapping[str, Any], now_seconds: float) -> ShipperMoment | None:
        status = self._disk.path_status(self._spool / SHIPPER_NAME)
        with contextlib.suppress(KeyError, TypeError, ValueError):
            return ShipperMoment(
                pid=int(content.get("pid", 0)),
                age_seconds=0.0 if status is None else max(0.0, now_seconds - status.modified_seconds),
                is_ready=bool(content["store_ready"]),
                is_breaker_open=bool(content["breaker_open"]),
                trouble=str(content["last_trouble"] or content["store_trouble"]),
                disk_trouble=str(content["disk_trouble"]),
                requests=int(content["requests"]),
                unproved=int(content["unproved_answers"]),
                refused=int(content["refused_requests"]),
                retried_items=int(content["retried_items"]),
                delivered=int(content["delivered"]),
                conflicts=int(content["conflicts"]),
                dead_lettered=int(content["dead_lettered"]),
                spooled=int(content["spooled"]),
                in_flight=int(content["in_flight_requests"]),
                unavailable=int(content["unavailable_epochs"]),
                oldest_seconds=content[OLDEST_NAME],
                searchable_counts=_buckets(content["logged_to_searchable_seconds"]),
            )
        return None

    def _read_writers(self, now_seconds: float) -> None:
        gone = self._processes.gone()
        totals = handler_totals(self._spool, now_seconds)
        contents = [(path, content) for path in status_files(self._spool) if (content := read_content(path))]
        alive = [content for path, content in contents if self._is_alive(path, content, now_seconds)]
        epochs = [epoch for path, content in contents if (epoch := _open_epoch(path, content))]
        rooms = [int(each["spool_bytes_max"]) for each in alive if each.get("spool_bytes_max")]
        self._bytes_max = min(rooms, default=self._bytes_max)
        events = Counter(_counts(read_content(self._spool / ENDED_NAME).get("events")))
        for _, content in contents:
            events += Counter(_counts(content.get("events")))
        self._writer_events = events
        self._writers = WritersMoment(
            open_writers=len(alive),
            died=self._processes.look(epochs, gone, now_seconds),
            offered=int(totals.get("offered", 0)),
            dropped=_counts(totals.get("dropped")),
            spool_errors=_counts(totals.get("spool_errors")),
            queue_fill=max(_fills(alive), default=0.0),
            durable_counts=_buckets(totals.get("logged_to_durable_seconds")),
        )

    def _is_alive(self, path: Path, content: Mapping[str, Any], now_seconds: float) -> bool:
        status = self._disk.path_status(path)
        is_fresh = status is not None and now_seconds - status.modified_seconds < _FRESH_SECONDS
        return content.get("closed") is False and is_fresh

    def _room(self) -> RoomMoment:
        used_bytes = spooled_bytes(self._spool, self._disk)
        try:
            free = os.statvfs(self._spool)
        except OSError:
            return RoomMoment(used_bytes, self._bytes_max)
        return RoomMoment(
            used_bytes, self._bytes_max, free.f_bavail * free.f_frsize, free.f_blocks * free.f_frsize
        )


def _open_epoch(path: Path, content: Mapping[str, Any]) -> str:
    epoch = content.get("epoch")
    is_open = content.get("closed") is False and isinstance(epoch, str) and path.stem.endswith(epoch)
    return epoch if is_open and isinstance(epoch, str) else ""


def _counts(content: object) -> dict[str, int]:
    if not isinstance(content, Mapping):
        return {}
    return {str(name): count for name, count in content.items() if isinstance(count, int)}


def _buckets(content: object) -> tuple[int, ...]:
    counts = content.get("counts") if isinstance(content, Mapping) else getattr(content, "counts", ())
    return tuple(int(count) for count in counts or ())


def _fills(alive: Iterable[Mapping[str, Any]]) -> list[float]:
    return [
        float(each["queued"]) / float(each["queue_records_max"])
        for each in alive
        if each.get("queue_records_max")
    ]
