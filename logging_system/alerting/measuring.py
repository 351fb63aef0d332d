"""Measures the logging system from outside: status files, the spool folder, the checkpoint; only reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logging_system.alerting.deliveries import Delivered, Deliveries, delivered_by
from logging_system.alerting.measures import delivered_within, measured
from logging_system.monitoring.handler_totals import handler_totals, read_content
from logging_system.monitoring.status_files import SHIPPER_NAME, status_files
from logging_system.spool.checkpoint import read_checkpoint
from logging_system.spool.control import QUARANTINED, SAMPLED
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.segment import list_segments, spooled_bytes

EVERY_SECONDS = 5.0
_RATE_SECONDS = 60.0
_GROWTH_SECONDS_MIN = 300.0
_GROWTH_SECONDS_MAX = 900.0
_FRESH_SECONDS = 90.0
"""A file older than that is of a process that has ended, or hangs: it is touched every 30 s."""
_BEGINS_SECONDS = 60.0
"""So long after the first records a shipper may take to say that it is there."""
_HOURS_MAX = 1e6
_LATENCIES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """Counts of one moment.

    Attributes:
        seconds: When, by the forward clock.
        used_bytes: What the spool holds.
        offered: Log calls.
        dropped: Records dropped.
        requests: Requests to the store since the shipper began.
        refused: Of these, refused as a whole.
        retried: Documents that the store turned away for now.
        delivered: Documents delivered.
    """

    seconds: float
    used_bytes: int
    offered: int
    dropped: int
    requests: int
    refused: int
    retried: int
    delivered: int


class Measuring:
    """The measures of one spool folder.

    Args:
        spool: The spool folder.
        within_seconds: The times to delivery that rules count records by.
        wall: Seconds since 1970.
        disk: The system calls.
    """

    def __init__(
        self,
        spool: Path,
        within_seconds: Iterable[float],
        *,
        wall: Callable[[], float],
        disk: Disk = REAL_DISK,
    ) -> None:
        self._spool, self._wall, self._disk = spool, wall, disk
        self.deliveries = Deliveries(within_seconds)
        """Told of each block that was read."""
        self._samples: deque[_Sample] = deque()
        self._latencies: deque[tuple[float, float, int]] = deque(maxlen=_LATENCIES_MAX)

    def look(self, now_seconds: float) -> Iterator[dict[str, Any]]:
        """Yield what is measured now, as rules are told; what cannot be measured is left out.

        Args:
            now_seconds: By the forward clock.

        Raises:
            OSError: The folder cannot be listed.
        """
        shipper = read_content(self._spool / SHIPPER_NAME)
        sample = self._sample(shipper, now_seconds)
        yield from self._of_processes(list(self._alive()), sample)
        if (before := self._before(now_seconds)) is not None:
            yield from _shares(before, sample)
        self._keep(sample)
        if shipper:
            yield from self._of_delivery(now_seconds)
        else:
            self.deliveries.forget_before(now_seconds - _BEGINS_SECONDS)

    def _alive(self) -> Iterator[dict[str, Any]]:
        for path in status_files(self._spool):
            content = read_content(path)
            if self._is_alive(path, content):
                yield content

    def _is_alive(self, path: Path, content: Mapping[str, Any]) -> bool:
        status = self._disk.path_status(path)
        return (
            content.get("closed") is False
            and status is not None
            and self._wall() - status.modified_seconds < _FRESH_SECONDS
        )

    def _of_processes(self, alive: list[dict[str, Any]], sample: _Sample) -> Iterator[dict[str, Any]]:
        fills = [
            content["queued"] / content["queue_records_max"]
            for content in alive
            if content.get("queue_records_max")
        ]
        if fills:
            yield measured("queue_fill", max(fills))
        said = (content.get("log_call_p99_ms") for content in alive)
        calls = [call_ms for call_ms in said if call_ms is not None]
        if calls:
            yield measured("log_call_p99_ms", max(calls))
        rooms = [content["spool_bytes_max"] for content in alive if content.get("spool_bytes_max")]
        if rooms:
            yield measured("spool_fill", sample.used_bytes / min(rooms))
            if (hours := self._hours_left(sample, min(rooms))) is not None:
                yield measured("spool_hours_left", hours)

    def _hours_left(self, sample: _Sample, room_bytes: int) -> float | None:
        if not self._samples or sample.seconds - self._samples[0].seconds < _GROWTH_SECONDS_MIN:
            return None
        first = self._samples[0]
        grown_bytes = sample.used_bytes - first.used_bytes
        if grown_bytes <= 0:
            return _HOURS_MAX
        left_bytes = max(0, room_bytes - sample.used_bytes)
        return min(_HOURS_MAX, left_bytes / grown_bytes * (sample.seconds - first.seconds) / 3_600)

    def _sample(self, shipper: Mapping[str, Any], now_seconds: float) -> _Sample:
        totals = handler_totals(self._spool, self._wall())
        reasons = totals.get("dropped", {})
        # What a workflow wants dropped is no trouble.
        dropped = sum(count for reason, count in reasons.items() if reason not in {SAMPLED, QUARANTINED})
        offered = totals.get("offered", 0)
        used_bytes = spooled_bytes(self._spool, self._disk)
        names = ("requests", "refused_requests", "retried_items", "delivered")
        return _Sample(now_seconds, used_bytes, offered, dropped, *(int(shipper.get(n, 0)) for n in names))

    def _keep(self, sample: _Sample) -> None:
        self._samples.append(sample)
        while sample.seconds - self._samples[0].seconds > _GROWTH_SECONDS_MAX:
            self._samples.popleft()

    def _before(self, now_seconds: float) -> _Sample | None:
        """Return the sample of a minute ago, or the oldest there is."""
        older = [each for each in self._samples if now_seconds - each.seconds >= _RATE_SECONDS]
        return older[-1] if older else next(iter(self._samples), None)

    def _of_delivery(self, now_seconds: float) -> Iterator[dict[str, Any]]:
        found = self._delivered(now_seconds)
        yield measured("oldest_record_seconds", found.oldest_seconds)
        self._latencies.extend((now_seconds, *each) for each in found.latencies)
        recent = [each[1:] for each in self._latencies if now_seconds - each[0] <= _RATE_SECONDS]
        if recent:
            yield measured("delivery_p99_seconds", _weighted_p99(recent))
        for within_seconds, good in found.good.items():
            if good or found.bad[within_seconds]:
                yield delivered_within(within_seconds, good, found.bad[within_seconds])

    def _delivered(self, now_seconds: float) -> Delivered:
        checkpoint, _ = read_checkpoint(self._spool, self._disk)
        positions = {epoch.hex(): each.sequence for epoch, each in checkpoint.positions.items()}
        present = frozenset(epoch.hex() for epoch in list_segments(self._spool, self._disk))
        return self.deliveries.look(delivered_by(positions, present), now_seconds)


def _shares(before: _Sample, now: _Sample) -> Iterator[dict[str, Any]]:
    offered, dropped = now.offered - before.offered, now.dropped - before.dropped
    if offered > 0:
        yield measured("drop_share", min(1.0, max(0, dropped) / offered))
    requests, refused = now.requests - before.requests, now.refused - before.refused
    retried = now.retried - before.retried
    sent = retried + now.delivered - before.delivered
    # Lower than before, it is another shipper, that counts from the beginning.
    shares = [part / whole for part, whole in ((refused, requests), (retried, sent)) if whole > 0 <= part]
    if shares:
        yield measured("push_back_share", min(1.0, max(shares)))


def _weighted_p99(latencies: list[tuple[float, int]]) -> float:
    allowed = sum(count for _, count in latencies) // 100
    for seconds, count in sorted(latencies, reverse=True):
        allowed -= count
        if allowed < 0:
            return seconds
    return 0.0
