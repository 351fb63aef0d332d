"""Our own form: the notification as it is, and in words."""

from __future__ import annotations

from typing import Any

from logging_system.alerting.facts import AlertNotice
from logging_system.alerting.messages import Letter


def body_of(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON has it; `key` is the same whenever the same message is sent again."""
    notification = letter.notification
    return {
        "key": notification.key,
        "state": "firing" if notification.is_firing else "resolved",
        "title": letter.title,
        "text": letter.text(),
        "group": dict(notification.group),
        "alerts": [_alert(notice) for notice in notification.notices],
        "left_off": notification.left_off,
        "made_seconds": notification.made_seconds,
    }


def _alert(notice: AlertNotice) -> dict[str, Any]:
    return {
        "fingerprint": notice.fingerprint,
        "state": "firing" if notice.is_firing else "resolved",
        "rule": notice.rule,
        "severity": notice.severity,
        "labels": dict(notice.labels),
        "since_seconds": notice.since_seconds,
        "until_seconds": notice.until_seconds,
        "times": notice.times,
        "summary": notice.summary,
        "examples": list(notice.examples),
        "query": notice.query,
        "runbook": notice.runbook,
    }
