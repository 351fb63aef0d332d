"""What is measured of the logging system itself, for rules that compare it with a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

MeasureName = Literal[
    "log_call_p99_ms",
    "queue_fill",
    "spool_fill",
    "spool_hours_left",
    "oldest_record_seconds",
    "drop_share",
    "push_back_share",
    "delivery_p99_seconds",
]
NAME_FIELD = "measure.name"
VALUE_FIELD = "measure.value"
DELIVERED_WITHIN = "delivered_within"
"""Not compared with a limit, but counted: how many records came in time, and how many did not."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    Attributes:
        what: What it is.
        source: Where it comes from.
        is_low_bad: Whether less than the limit is bad; else more is.
    """

    what: str
    source: str
    is_low_bad: bool = False


MEASURES: Mapping[MeasureName, Measure] = {
    "log_call_p99_ms": Measure(
        "99th percentile of what a log call costs the caller, in ms, of the last minute; the slowest process",
        "`performance` of handlers' status files: one call of 61 is timed",
    ),
    "queue_fill": Measure(
        "share of a handler's queue that is full; the fullest", "`queued` in handlers' status files"
    ),
    "spool_fill": Measure("share of `spool_bytes_max` that is used", "the spool folder"),
    "spool_hours_left": Measure(
        "hours until the spool is full, at the rate of the last 5 to 15 minutes",
        "the spool folder",
        is_low_bad=True,
    ),
    "oldest_record_seconds": Measure(
        "age of the oldest record that was not delivered", "records that were read, and the checkpoint"
    ),
    "drop_share": Measure(
        "share of log calls of the last minute whose record was dropped", "`dropped` in status files"
    ),
    "push_back_share": Measure(
        "share of requests or documents of the last minute that the store turned away for now",
        "`refused_requests` and `retried_items` in the shipper's status file",
    ),
    "delivery_p99_seconds": Measure(
        "99th percentile of the time from log call to delivery, of the last minute",
        "records that were read, and the checkpoint",
    ),
}


def measured(name: MeasureName, value: float) -> dict[str, Any]:
    """Return what rules are told of a measure.

    Args:
        name: Which.
        value: What was measured, in the unit that `MEASURES` names.
    """
    return {"measure": {"name": name, "value": value}}


def delivered_within(seconds: float, good: int, bad: int) -> dict[str, Any]:
    """Return what rules are told of records that came in time, and of those that did not.

    Args:
        seconds: What in time is: how long after the log call. Only rules with exactly this time look at it.
        good: How many came in time since this was told last.
        bad: How many did not, those included that wait still.
    """
    return {"measure": {"name": DELIVERED_WITHIN, "within_seconds": seconds, "good": good, "bad": bad}}
