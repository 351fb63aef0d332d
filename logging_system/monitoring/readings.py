"""What every metric says now: the one source of all surfaces, which only differ in how they write it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logging_system.monitoring.counters import HandlerCounters, both_content
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Delays
from logging_system.monitoring.handler_totals import handler_totals, metered, read_content
from logging_system.monitoring.metrics import METRICS, Metric, Subject
from logging_system.monitoring.status_files import WATCH_NAME
from logging_system.spool.segment import spooled_bytes

OLDEST_NAME = "oldest_undelivered_timestamp_seconds"
"""In the shipper's file: when the oldest record that is not delivered was logged, in seconds since 1970."""

Value = int | float | Mapping[str, int] | Delays


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric and what it says.

    Attributes:
        subject: Whose it is.
        metric: Its declaration.
        value: A number, numbers by label, or a histogram.
    """

    subject: Subject
    metric: Metric
    value: Value


def read_spool(folder: Path, status_path: Path, now_seconds: float) -> list[Reading]:
    """Return what there is to say of a spool folder: its writers, its shipper, its `watch`, itself.

    Args:
        folder: The spool folder.
        status_path: Where the shipper states its counters.
        now_seconds: Seconds since 1970.
    """
    totals = handler_totals(folder, now_seconds)
    spool: dict[str, object] = {}
    with contextlib.suppress(OSError):
        spool["bytes"] = spooled_bytes(folder)
    if "spool_bytes_max" in totals:
        spool["bytes_max"] = totals["spool_bytes_max"]
    return [
        *_readings("handlers", totals),
        *_readings("shipper", _shipper(status_path, now_seconds)),
        *_readings("spool", spool),
        *_readings("watch", read_content(folder / WATCH_NAME)),
    ]


def read_gateway(moment: tuple[HandlerCounters, HandlerFlow], events: Mapping[str, int]) -> list[Reading]:
    """Return what a gateway says of itself.

    Args:
        moment: What its counters and its meter say, of one moment.
        events: How often each kind of event happened.
    """
    return list(_readings("gateway", {**metered(both_content(*moment)), "events": events}))


def read_delays(status_path: Path) -> Delays | None:
    """Return how long records had taken to the store by a shipper's file; None where it does not say."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return Delays.of_content(read_content(status_path)["logged_to_searchable_seconds"])
    return None


def _shipper(status_path: Path, now_seconds: float) -> dict[str, Any]:
    content = metered(read_content(status_path))
    if not content:
        return content
    oldest_seconds = content.get(OLDEST_NAME)
    age_seconds = now_seconds - oldest_seconds if isinstance(oldest_seconds, int | float) else 0.0
    content["oldest_undelivered_age_seconds"] = max(0.0, age_seconds)
    with contextlib.suppress(OSError):
        content["status_age_seconds"] = max(0.0, now_seconds - status_path.stat().st_mtime)
    return content


def _readings(subject: Subject, content: Mapping[str, Any]) -> Iterator[Reading]:
    for metric in METRICS[subject]:
        value = _value(metric, content.get(metric.name))
        if value is not None:
            yield Reading(subject, metric, value)


def _value(metric: Metric, stated: object) -> Value | None:
    """Return what a file states of a metric; None where it states nothing, or something else."""
    if metric.kind == "histogram":
        if isinstance(stated, dict):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return Delays.of_content(stated)
        return stated if isinstance(stated, Delays) else None
    if metric.label:
        if not isinstance(stated, Mapping):
            return None
        counts = {str(key): count for key, count in stated.items() if isinstance(count, int)}
        return {**dict.fromkeys(metric.known, 0), **counts}
    if isinstance(stated, bool):
        return int(stated)
    return stated if isinstance(stated, int | float) else None
