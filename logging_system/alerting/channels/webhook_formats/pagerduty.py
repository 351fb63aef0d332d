"""PagerDuty's Events API v2: one event an alert, so that each resolves by itself.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from logging_system.alerting.facts import AlertNotice
from logging_system.alerting.messages import Letter

URL = "https://events.pagerduty.com/v2/enqueue"
_SUMMARY_CHARACTERS_MAX = 1_024


def bodies_of(letter: Letter) -> list[dict[str, Any]]:
    """Return the events of a letter, without the routing key.

    Their `dedup_key` is the alert's fingerprint: an event that is sent again changes nothing.
    """
    return [_event(notice) for notice in letter.notification.notices]


def _event(notice: AlertNotice) -> dict[str, Any]:
    if not notice.is_firing:
        return {"event_action": "resolve", "dedup_key": notice.fingerprint}
    labels = dict(notice.labels)
    payload = {
        "summary": f"{notice.rule}: {notice.summary}"[:_SUMMARY_CHARACTERS_MAX],
        "source": labels.get("service.name", "logging_system"),
        "severity": notice.severity,
        "timestamp": datetime.fromtimestamp(notice.since_seconds, UTC).isoformat(timespec="milliseconds"),
        "custom_details": {
            "labels": labels,
            "examples": list(notice.examples),
            "query": notice.query,
            "times": notice.times,
        },
    }
    links = [{"href": notice.runbook, "text": "runbook"}] if notice.runbook else []
    return {
        "event_action": "trigger",
        "dedup_key": notice.fingerprint,
        "payload": payload,
        "links": links,
    }
