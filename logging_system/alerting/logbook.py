"""What people can look up later: the history of alerts and messages, and remarks in the log of `watch`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from logging_system.alerting.facts import Began, Change, Notification, Restated, fingerprint
from logging_system.alerting.history import History
from logging_system.alerting.outbox import Message, NotNow, Outcome, Refused


class Logbook:
    """Writes both; nothing depends on it, so what the disk refuses is remarked and no more.

    Args:
        folder: The folder of alerting.
        wall: Seconds since 1970.
        remark: Told what a person should know.
    """

    def __init__(self, folder: Path, wall: Callable[[], float], remark: Callable[[str], None]) -> None:
        self._history, self._wall, self.remark = History(folder), wall, remark

    def changed(self, change: Change) -> None:
        """Note that an alert began or ended; other numbers are no news."""
        if isinstance(change, Restated):
            return
        facts = {"fingerprint": fingerprint(change.rule, change.labels), "rule": change.rule}
        if isinstance(change, Began):
            self._add("began", **facts, labels=dict(change.labels), summary=change.summary)
        else:
            self._add("ended", **facts, labels=dict(change.labels))

    def told(self, notification: Notification) -> None:
        """Note that a message was made."""
        marks = [notice.fingerprint for notice in notification.notices]
        self._add("told", key=notification.key, fingerprints=marks, left_off=notification.left_off)

    def settled(self, message: Message, outcome: Outcome, trouble_before: str) -> None:
        """Note what became of a message; the same trouble again is no news.

        Args:
            message: The message.
            outcome: What its channel made of it.
            trouble_before: Why it was not taken the time before; empty where that was the first attempt.
        """
        key, channel = message.notification.key, message.channel
        if isinstance(outcome, Refused):
            self.remark(f"channel {channel} refused message {key} for good: {outcome.reason}")
            self._add("refused", key=key, channel=channel, reason=outcome.reason)
        elif isinstance(outcome, NotNow):
            if outcome.reason != trouble_before:
                self.remark(f"channel {channel}: {outcome.reason}; message {key} is sent again")
                self._add("delayed", key=key, channel=channel, reason=outcome.reason)
        else:
            self._add("sent", key=key, channel=channel, attempts=message.attempts)

    def _add(self, what: str, **facts: Any) -> None:
        try:
            self._history.add(what, self._wall(), **facts)
        except OSError as error:
            self.remark(f"history: {error.strerror}; alerts are told all the same")
