"""Moments of a pipeline that a test makes second by second."""

from __future__ import annotations

from dataclasses import replace

from logging_system.coordination.detection.detector import Detector
from logging_system.coordination.detection.machine_load import Waits
from logging_system.coordination.detection.pipeline_moment import (
    PipelineMoment,
    RoomMoment,
    ShipperMoment,
    WritersMoment,
)
from logging_system.coordination.findings import Finding
from logging_system.monitoring.delays import bucket_of

START = 1_700_000_000.0
BUCKETS = 20


class Pipeline:
    """A pipeline that delivers 100 records a second, until a test says otherwise."""

    def __init__(self) -> None:
        self.seconds = START
        self.shipper = ShipperMoment(1, searchable_counts=(0,) * BUCKETS, in_flight=1)
        self.writers = WritersMoment(1, durable_counts=(0,) * BUCKETS)
        self.room = RoomMoment(bytes_max=1 << 30)
        self.events: dict[str, int] = {}
        self.late_seconds = 0.0
        self.waits = Waits()
        self.is_folder_gone = False
        self.detector = Detector()

    def moment(self) -> PipelineMoment:
        return PipelineMoment(
            self.seconds,
            None if self.is_folder_gone else self.shipper,
            self.writers,
            self.room,
            dict(self.events),
            self.late_seconds,
            self.waits,
        )

    def look(self) -> list[Finding]:
        """Let a second pass."""
        self.seconds += 1
        return self.detector.look(self.moment(), self.seconds)

    def runs(self, seconds: int, *, delay_seconds: float = 0.1, records: int = 100) -> list[Finding]:
        """Deliver all for so many seconds."""
        found = []
        for _ in range(seconds):
            counts = list(self.shipper.searchable_counts)
            counts[bucket_of(delay_seconds)] += records
            self.writers = replace(self.writers, offered=self.writers.offered + records)
            self.shipper = replace(
                self.shipper,
                requests=self.shipper.requests + 5,
                delivered=self.shipper.delivered + records,
                searchable_counts=tuple(counts),
                spooled=records,
            )
            found += self.look()
        return found

    def fails(self, seconds: int, trouble: str, *, is_breaker_open: bool = True) -> list[Finding]:
        """Let all requests fail for so many seconds."""
        found = []
        for _ in range(seconds):
            self.writers = replace(self.writers, offered=self.writers.offered + 100)
            self.shipper = replace(
                self.shipper,
                requests=self.shipper.requests + 2,
                unproved=self.shipper.unproved + 2,
                spooled=self.shipper.spooled + 100,
                is_breaker_open=is_breaker_open,
                trouble=trouble,
            )
            found += self.look()
        return found

    def is_well_again(self) -> None:
        self.shipper = replace(self.shipper, is_breaker_open=False, spooled=0)
