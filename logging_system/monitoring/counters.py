"""Says what happened to every record: two sets of counters, each with an equation that always holds.

* The handler's: `offered = queued + dropped{reason} + admitted`. Admitted is: framed in the spool. Over the
  processes of a folder `unsettled` comes to it: what was queued where a process ended without closing.
* The shipper's: `admitted = spooled + delivered + dead_lettered + redirected + corrupted + evicted`, over
  everything it has read from the spool since the spool began. Spooled includes what is in flight; a conflict
  (the store had the document already) is a delivery; corrupted is what the disk destroyed; evicted is what
  gave way to a declared retention.

Each process writes its set to a small file in the spool folder, at most once a second and at its end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from logging_system.monitoring.call_times import CallTimes
from logging_system.monitoring.cross_check import HandlerFlow, HandlerMeter
from logging_system.monitoring.delays import DelayHistogram, Delays
from logging_system.spool.disk import write_fully
from logging_system.spool.segment import FILE_MODE

STATUS_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class HandlerCounters:
    """One moment of a handler; all but `queued` only ever rise.

    Attributes:
        offered: Log calls that passed the level and the filters.
        queued: Records in the queue or in the worker's hands.
        dropped: Records given up, by reason.
        admitted: Records framed in the spool.
        acknowledged_lost: Of those dropped, how many had been acknowledged at "memory" before.
        callback_errors: Exceptions out of `on_durable`.
        spool_errors: Failed attempts to write, by errno name.
        logged_to_durable_seconds: How long admitted records took from their log call until they were as
            durable as promised; at a gateway, from when the request was taken on.
        unsettled: Only in files, see `status_files.py`: records queued when their process was last heard of.
    """

    offered: int
    queued: int
    dropped: dict[str, int]
    admitted: int
    acknowledged_lost: int
    callback_errors: int
    spool_errors: dict[str, int]
    logged_to_durable_seconds: Delays = field(default_factory=Delays)
    unsettled: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every offered record is accounted for."""
        return self.offered == self.queued + sum(self.dropped.values()) + self.admitted + self.unsettled


@dataclass(slots=True)
class LiveCounters:
    """The handler's counters; `lock` guards them, the meter and the queue: no snapshot falls between."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    offered: int = 0
    queued: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    admitted: int = 0
    acknowledged_lost: int = 0
    callback_errors: int = 0
    spool_errors: dict[str, int] = field(default_factory=dict)
    logged_to_durable: DelayHistogram = field(default_factory=DelayHistogram)
    meter: HandlerMeter = field(default_factory=HandlerMeter)
    call_times: CallTimes = field(default_factory=CallTimes)

    def drop_offered(self, reason: str, count: int = 1) -> None:
        """Count records that were given up before they were queued.

        Args:
            reason: Why, in a word, such as `busy`.
            count: How many.
        """
        with self.lock:
            self.offered += count
            self.meter.refused += count
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def drop_queued(self, reason: str, count: int, *, acknowledged: int = 0) -> None:
        """Count queued records that were given up, `acknowledged` of them after their acknowledgement.

        Args:
            reason: Why, in a word, such as `worker_error`.
            count: How many, those acknowledged included.
            acknowledged: How many of them the application may take for kept.
        """
        with self.lock:
            self.queued -= count
            self.meter.given_up += count
            self.acknowledged_lost += acknowledged
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def admit(self, count: int) -> None:
        """Count queued records that are now in the spool.

        Args:
            count: How many.
        """
        with self.lock:
            self.queued -= count
            self.admitted += count

    def spool_error(self, error: Exception) -> None:
        """Count one failed attempt to write to the spool.

        Args:
            error: What it failed with; counted by its name.
        """
        name = error_name(error)
        with self.lock:
            self.spool_errors[name] = self.spool_errors.get(name, 0) + 1

    def snapshot(self) -> HandlerCounters:
        """Return all counters of one moment."""
        with self.lock:
            return HandlerCounters(
                self.offered,
                self.queued,
                dict(self.dropped),
                self.admitted,
                self.acknowledged_lost,
                self.callback_errors,
                dict(self.spool_errors),
                self.logged_to_durable.moment(),
            )

    def moment(self) -> tuple[HandlerCounters, HandlerFlow]:
        """Return the counters and what the meter says, of the same moment."""
        with self.lock:
            return self.snapshot(), self.meter.flow(dict(self.dropped))


@dataclass(frozen=True, slots=True)
class ShipperCounters:
    """One moment of a shipper; all but `spooled` only ever rise, also across restarts.

    Attributes:
        admitted: Records read from the spool, or known to have been in it.
        spooled: Of these, neither delivered nor given up yet.
        delivered: Stored in the store, conflicts included.
        dead_lettered: Durable in the dead letters.
        redirected: Taken by the store's failure store.
        corrupted: Destroyed in the spool.
        evicted: Given up undelivered, because retention was set.
        conflicts: Deliveries that the store had already.
    """

    admitted: int
    spooled: int
    delivered: int
    dead_lettered: int
    redirected: int
    corrupted: int
    evicted: int
    conflicts: int

    @property
    def balanced(self) -> bool:
        """Whether every admitted record is accounted for."""
        gone = self.delivered + self.dead_lettered + self.redirected + self.corrupted + self.evicted
        return self.admitted == self.spooled + gone


def error_name(error: Exception) -> str:
    """Return the name by which an error is counted: its errno's, such as ENOSPC, or its class's."""
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)


def counters_content(counters: HandlerCounters | ShipperCounters) -> dict[str, object]:
    """Return counters as they are written to a status file."""
    return {**asdict(counters), "balanced": counters.balanced}


def both_content(
    counters: HandlerCounters | ShipperCounters, metered: HandlerFlow | ShipperCounters
) -> dict[str, object]:
    """Return both surfaces as they are written to a status file, the meter's within `metrics`.

    Args:
        counters: What was counted.
        metered: What the meter says of the same moment.
    """
    metrics = {**asdict(metered), "balanced": metered.balanced}
    return {**counters_content(counters), "metrics": metrics}


def write_status(path: Path, content: Mapping[str, object]) -> None:
    """Replace a status file in one step, as its only writer; a reader sees the old one or the new one.

    Args:
        path: The file; beside it a file that ends in `.creating` is there while it is written.
        content: What is to be in it, as JSON has it.

    Raises:
        OSError: The disk refused.
    """
    creating = path.with_name(f"{path.name}.creating")
    descriptor = os.open(creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        write_fully(descriptor, orjson.dumps(content, option=orjson.OPT_INDENT_2))
        creating.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            creating.unlink()
        raise
    finally:
        os.close(descriptor)
