"""What is on its way: counters of handlers and shipper, read again and again and kept for a while."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logging_system.analytics.latency import latency_of_shipper
from logging_system.console.board import PanelError
from logging_system.monitoring.delays import Delays
from logging_system.monitoring.handler_totals import read_content
from logging_system.monitoring.readings import Reading, Value, read_spool
from logging_system.spool.waiting import Waiting, count_waiting

FINE_SECONDS, FINE_POINTS = 5.0, 720
COARSE_SECONDS, COARSE_POINTS = 120.0, 5_040
_POINTS_SHOWN_MAX = 180
_HOUR_SECONDS = 3_600
_HELD_UP_SECONDS = 30.0
"""The shipped objective of delivery: a record that waits longer is late."""
_SILENT_SECONDS = 30.0
"""A shipper that runs writes its file every second."""
_COUNTING_SECONDS_MAX = 0.25


@dataclass(frozen=True, slots=True)
class Point:
    """One moment.

    Attributes:
        at_seconds: When, seconds since 1970.
        backlog: Records in queues and in the spool that are not in the store, at least; None where nobody
            says.
        oldest_seconds: The age of the oldest of them.
        spool_bytes: What the spool takes on disk.
        admitted_per_second: Records that came into the spool since the point before.
        delivered_per_second: Records that came into the store since then.
        latencies_seconds: p50, p95 and p99 from logged to searchable of those, as upper bounds of buckets.
    """

    at_seconds: float
    backlog: float | None
    oldest_seconds: float | None
    spool_bytes: float | None
    admitted_per_second: float | None
    delivered_per_second: float | None
    latencies_seconds: tuple[float, float, float] | None


class _Moment:
    """What the files say at one moment, by subject and name."""

    def __init__(self, readings: list[Reading], at_seconds: float) -> None:
        self.at_seconds = at_seconds
        self.is_closed = False
        self.left: Waiting | None = None
        self._values = {(each.subject, each.metric.name): each.value for each in readings}

    def value(self, subject: Any, name: str) -> Value | None:
        return self._values.get((subject, name))

    def number(self, subject: Any, name: str) -> float | None:
        value = self.value(subject, name)
        return float(value) if isinstance(value, int | float) else None

    def total(self, subject: Any, name: str) -> int:
        """Return the sum over all labels."""
        value = self.value(subject, name)
        return sum(value.values()) if isinstance(value, dict) else 0

    @property
    def spooled(self) -> float | None:
        """Records in the spool; where no shipper counts them, as the folder itself says."""
        return self.number("shipper", "spooled") if self.left is None else float(self.left.records)

    @property
    def delays(self) -> Delays | None:
        value = self.value("shipper", "logged_to_searchable_seconds")
        return value if isinstance(value, Delays) else None


class _Track:
    """Points at one pace, the oldest of them given up for new ones."""

    def __init__(self, every_seconds: float, points_max: int) -> None:
        self._every_seconds = every_seconds
        self._before: _Moment | None = None
        self.points: deque[Point] = deque(maxlen=points_max)

    def note(self, moment: _Moment) -> None:
        before = self._before
        if before is not None and moment.at_seconds < before.at_seconds:
            # The clock was set back: what was read then lies in the future now.
            before = None
            while self.points and self.points[-1].at_seconds >= moment.at_seconds:
                self.points.pop()
        if before is not None and moment.at_seconds - before.at_seconds < 0.9 * self._every_seconds:
            return
        self._before = moment
        self.points.append(_point(before, moment))


class Pipeline:
    """The counters of one spool folder over time; read by one thread at a time, its series by any.

    Args:
        folder: The spool folder.
        status_path: Where the shipper states its counters.
        clock: Seconds since 1970.
    """

    def __init__(self, folder: Path, status_path: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._status_path = status_path
        self._clock = clock
        self._fine = _Track(FINE_SECONDS, FINE_POINTS)
        self._coarse = _Track(COARSE_SECONDS, COARSE_POINTS)
        self._latest: _Moment | None = None

    def read(self) -> dict[str, Any]:
        """Read the files, and return what they say now. Raises PanelError where the folder is gone."""
        if not self._folder.is_dir():
            raise PanelError(f"There is no spool folder {self._folder}: was it moved, or its disk unmounted?")
        moment = self._moment()
        self._latest = moment
        self._fine.note(moment)
        self._coarse.note(moment)
        latest = self._fine.points[-1]
        overall = None if moment.delays is None else latency_of_shipper(moment.delays)
        number = moment.number
        return {
            "has_shipper": number("shipper", "status_age_seconds") is not None,
            "status_age_seconds": number("shipper", "status_age_seconds"),
            "is_shipper_closed": moment.is_closed,
            "is_counted_from_spool": moment.left is not None,
            "is_backlog_exact": moment.left is None or moment.left.is_exact,
            "backlog": latest.backlog,
            "oldest_seconds": number("shipper", "oldest_undelivered_age_seconds"),
            "spool_bytes": number("spool", "bytes"),
            "spool_bytes_max": number("spool", "bytes_max"),
            "admitted_per_second": latest.admitted_per_second,
            "delivered_per_second": latest.delivered_per_second,
            "latencies_seconds": _finite(_latest_latencies(self._fine.points)),
            "overall_seconds": None
            if overall is None
            else _finite((overall.p50_seconds, overall.p95_seconds, overall.p99_seconds)),
            "is_breaker_open": number("shipper", "breaker_open") == 1,
            "retried": number("shipper", "retried_items"),
            "dropped": moment.total("handlers", "dropped"),
            "dead_lettered": number("shipper", "dead_lettered"),
            "evicted": number("shipper", "evicted"),
            "corrupted": number("shipper", "corrupted"),
            "delivered": number("shipper", "delivered"),
        }

    def _moment(self) -> _Moment:
        now_seconds = self._clock()
        moment = _Moment(read_spool(self._folder, self._status_path, now_seconds), now_seconds)
        moment.is_closed = read_content(self._status_path).get("closed") is True
        age_seconds = moment.number("shipper", "status_age_seconds")
        if moment.is_closed or age_seconds is None or age_seconds > _SILENT_SECONDS:
            # What is written now is in no counter of a shipper's.
            moment.left = count_waiting(self._folder, time.monotonic() + _COUNTING_SECONDS_MAX)
        return moment

    def held_up_since(self) -> float | None:
        """Return since when records wait for longer than is usual, seconds since 1970; None where none do."""
        latest = self._latest
        age_seconds = None if latest is None else latest.number("shipper", "oldest_undelivered_age_seconds")
        if latest is None or age_seconds is None or age_seconds <= _HELD_UP_SECONDS:
            return None
        return latest.at_seconds - age_seconds

    def series(self, seconds: int) -> dict[str, Any]:
        """Return what was read over a stretch of time up to now, thinned out to what a chart can show.

        Args:
            seconds: How long it is; above an hour the coarser readings are shown.

        Returns:
            When it was read, in milliseconds since 1970, and as many values of each kind, oldest first.
        """
        track, step = (
            (self._fine, FINE_SECONDS) if seconds <= _HOUR_SECONDS else (self._coarse, COARSE_SECONDS)
        )
        since_seconds = self._clock() - seconds
        points = [each for each in list(track.points) if each.at_seconds >= since_seconds]
        stride = max(1, -(-len(points) // _POINTS_SHOWN_MAX))
        # Counted from the end, so that the latest point is always among them.
        shown = points[::-1][::stride][::-1]
        return {
            "every_seconds": step * stride,
            "since_ms": round(since_seconds * 1000),
            "until_ms": round(self._clock() * 1000),
            "at_ms": [round(each.at_seconds * 1000) for each in shown],
            "backlog": [each.backlog for each in shown],
            "oldest_seconds": [each.oldest_seconds for each in shown],
            "spool_bytes": [each.spool_bytes for each in shown],
            "admitted": [each.admitted_per_second for each in shown],
            "delivered": [each.delivered_per_second for each in shown],
            "latencies_seconds": [_finite(each.latencies_seconds) for each in shown],
        }


def _point(before: _Moment | None, moment: _Moment) -> Point:
    waiting = [moment.number("handlers", "queued"), moment.spooled]
    known = [each for each in waiting if each is not None]
    return Point(
        moment.at_seconds,
        sum(known) if known else None,
        moment.number("shipper", "oldest_undelivered_age_seconds"),
        moment.number("spool", "bytes"),
        _rate(before, moment, "handlers", "admitted"),
        _rate(before, moment, "shipper", "delivered"),
        _latencies(before, moment),
    )


def _rate(before: _Moment | None, moment: _Moment, subject: str, name: str) -> float | None:
    """Return how much a counter rose a second; None where it began anew or is not known."""
    if before is None:
        return None
    first, last = before.number(subject, name), moment.number(subject, name)
    seconds = moment.at_seconds - before.at_seconds
    return (last - first) / seconds if first is not None and last is not None and last >= first else None


def _latencies(before: _Moment | None, moment: _Moment) -> tuple[float, float, float] | None:
    if before is None or before.delays is None or moment.delays is None:
        return None
    new = moment.delays.less(before.delays)
    told = None if min(new.counts) < 0 else latency_of_shipper(new)
    return None if told is None else (told.p50_seconds, told.p95_seconds, told.p99_seconds)


def _latest_latencies(points: deque[Point]) -> tuple[float, float, float] | None:
    """Return those of the latest point in which something was delivered, of the last minute."""
    for point in reversed(points):
        if points[-1].at_seconds - point.at_seconds > 60:
            return None
        if point.latencies_seconds is not None:
            return point.latencies_seconds
    return None


def _finite(values: tuple[float, ...] | None) -> list[float | None] | None:
    """Return numbers as JSON has them; None for what lies beyond the last bucket."""
    return None if values is None else [each if each < float("inf") else None for each in values]
