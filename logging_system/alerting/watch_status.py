"""The status file of `watch`: what fires, what was counted, and what waits to be sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from logging_system.alerting.evaluation import Evaluation
from logging_system.alerting.facts import fingerprint
from logging_system.alerting.grouping import Alert, Grouping
from logging_system.alerting.outbox import Outbox
from logging_system.alerting.reading_lag import ReadingLag
from logging_system.alerting.spool_following import SpoolFollower

_FIRING_MAX = 100


def status_content(
    now_seconds: float,
    evaluation: Evaluation,
    follower: SpoolFollower,
    grouping: Grouping,
    outbox: Outbox,
    findings: Mapping[str, Any] | None = None,
    *,
    lag: ReadingLag,
    events: Mapping[str, int],
) -> dict[str, Any]:
    """Return what happened so far, as the status file shows it.

    Args:
        now_seconds: Seconds since 1970.
        evaluation: The rules at work.
        follower: What was read.
        grouping: The alerts there are.
        outbox: The messages on their way.
        findings: What was detected; None where nothing is.
        lag: How far reading is behind.
        events: How often each kind of event happened in `watch` itself.
    """
    firing = (alert for _, alert in grouping.alerts.items() if alert.is_firing)
    counts = outbox.counts
    return {
        "time": now_seconds,
        "records": {**asdict(evaluation.counts), "missed": follower.missed},
        "lag_seconds": round(lag.seconds, 3),
        "behind": lag.is_behind,
        "read_records": evaluation.counts.evaluated + evaluation.counts.too_late,
        "missed_records": follower.missed,
        "unexamined_records": 0 if findings is None else findings["unexamined_records"],
        "events": dict(events),
        "series": evaluation.series,
        "cpu_seconds": time.process_time(),
        "unavailable": follower.unavailable,
        "firing": [_shown(alert) for alert in islice(firing, _FIRING_MAX)],
        "firing_total": grouping.firing,
        **({} if findings is None else {"findings": findings}),
        "channels": {
            name: {
                **asdict(counts[name]),
                "waiting": len(waiting),
                "trouble": waiting[0].trouble if waiting else "",
            }
            for name, waiting in outbox.waiting.items()
        },
    }


def _shown(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint(alert.rule, alert.labels),
        "rule": alert.rule,
        "labels": dict(alert.labels),
        "since_seconds": alert.since_seconds,
        "summary": alert.summary,
    }
