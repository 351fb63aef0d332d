"""Alertmanager's own webhook format, version 4, so that existing receivers work.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from logging_system.alerting.facts import AlertNotice
from logging_system.alerting.messages import Letter

_NEVER = "0001-01-01T00:00:00Z"
"""What Alertmanager writes where an alert has not ended."""


def body_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as Alertmanager would post it."""
    notification = letter.notification
    alerts = [_alert(notice) for notice in notification.notices]
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f'{name}="{value}"' for name, value in notification.group) + "}",
        "truncatedAlerts": notification.left_off,
        "status": "firing" if notification.is_firing else "resolved",
        "receiver": "logging_system",
        "groupLabels": {_name(name): value for name, value in notification.group},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "",
        "alerts": alerts,
    }


def _alert(notice: AlertNotice) -> dict[str, Any]:
    labels = {_name(name): value for name, value in notice.labels}
    annotations = {
        "summary": notice.summary,
        "description": "\n".join(notice.examples),
        "runbook_url": notice.runbook,
        "query": notice.query,
    }
    return {
        "status": "firing" if notice.is_firing else "resolved",
        "labels": {**labels, "alertname": notice.rule, "severity": notice.severity},
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": _moment(notice.since_seconds),
        "endsAt": _NEVER if notice.is_firing else _moment(notice.until_seconds or notice.since_seconds),
        "generatorURL": "",
        "fingerprint": notice.fingerprint,
    }


def _name(name: str) -> str:
    """Return a label's name as Prometheus allows it."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _common(each: list[dict[str, str]]) -> dict[str, str]:
    first, *others = each or [{}]
    return {name: value for name, value in first.items() if all(o.get(name) == value for o in others)}
