"""One moment of the pipeline, as its own status files and the disk tell it: facts that judgements compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logging_system.coordination.detection.machine_load import Waits

_HANDS = 4
"""Caller, writer, shipper and store wait for a processor in turn: what one waits, a record waits so often."""


@dataclass(frozen=True, slots=True)
class ShipperMoment:
    """What the shipper's status file says; counts only rise while it is the same process.

    Attributes:
        pid: The process.
        age_seconds: How long ago the file was written.
        is_ready: Whether the store could be prepared.
        is_breaker_open: Whether the store is only tried by one small request at a time.
        trouble: The latest reason why a request failed; it stays after the store is back.
        disk_trouble: The latest trouble with the disk.
        requests: Requests that stored something or should have.
        unproved: Requests without an answer that proves anything.
        refused: Requests refused as a whole.
        retried_items: Documents turned away for now.
        delivered: Documents the store has.
        conflicts: Of these, those it had already.
        dead_lettered: Documents refused for good.
        spooled: Records read and neither delivered nor given up.
        in_flight: Requests under way.
        unavailable: Writers whose records cannot be opened without a key.
        oldest_seconds: When the oldest undelivered record was logged, seconds since 1970; None where all are.
        searchable_counts: Delivered records by how long they took, in the buckets of the histogram.
    """

    pid: int
    age_seconds: float = 0.0
    is_ready: bool = True
    is_breaker_open: bool = False
    trouble: str = ""
    disk_trouble: str = ""
    requests: int = 0
    unproved: int = 0
    refused: int = 0
    retried_items: int = 0
    delivered: int = 0
    conflicts: int = 0
    dead_lettered: int = 0
    spooled: int = 0
    in_flight: int = 0
    unavailable: int = 0
    oldest_seconds: float | None = None
    searchable_counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WritersMoment:
    """What the status files of handlers and gateways say together.

    Attributes:
        open_writers: Writers that have not said that they ended.
        died: Writers whose process ended within the last seconds without saying so.
        offered: Log calls.
        dropped: Records given up, by reason.
        spool_errors: Failed attempts to write, by errno name.
        queue_fill: Share of the fullest queue that is full.
        durable_counts: Records by how long they took to become durable, in the buckets of the histogram.
    """

    open_writers: int = 0
    died: int = 0
    offered: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    spool_errors: Mapping[str, int] = field(default_factory=dict)
    queue_fill: float = 0.0
    durable_counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomMoment:
    """How much room there is.

    Attributes:
        used_bytes: What the spool holds.
        bytes_max: What it may hold; 0 where nobody says.
        free_bytes: What the file system has left for it.
        disk_bytes: How large the file system is.
    """

    used_bytes: int = 0
    bytes_max: int = 0
    free_bytes: int = 1 << 40
    disk_bytes: int = 1 << 40


@dataclass(frozen=True, slots=True)
class PipelineMoment:
    """One moment of all of it.

    Attributes:
        seconds: When, seconds since 1970.
        shipper: What ships the folder; None where nothing does.
        writers: What writes it.
        room: The disk.
        events: How often each kind of event happened, by the files of the folder together.
        late_seconds: By how much who looks woke late at most since the moment before, because the machine is
            busy: others on it wait as long for their turn.
        waits: Who waited for a processor since the moment before.
    """

    seconds: float
    shipper: ShipperMoment | None = None
    writers: WritersMoment = field(default_factory=WritersMoment)
    room: RoomMoment = field(default_factory=RoomMoment)
    events: Mapping[str, int] = field(default_factory=dict)
    late_seconds: float = 0.0
    waits: Waits = field(default_factory=Waits)

    @property
    def held_up_seconds(self) -> float:
        """How long who looks was held up since the moment before: it woke late, or worked and had to wait."""
        return max(self.late_seconds, self.waits.own_seconds)

    def excused_seconds(self, seconds: float) -> float:
        """Return how much of the time since the moment before may be a wait for processors.

        Args:
            seconds: How long ago that moment was.
        """
        any_seconds = self.waits.any_seconds
        waited_seconds = _HANDS * self.held_up_seconds
        return min(seconds, waited_seconds if any_seconds is None else min(waited_seconds, any_seconds))
