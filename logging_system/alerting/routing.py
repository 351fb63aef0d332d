"""Which receivers get a notification, and what sends to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logging_system.alerting.channels.declared import DeclaredChannel, Sender
from logging_system.alerting.channels.standard_error import StandardError
from logging_system.alerting.facts import Notification


def senders_of(channels: Sequence[DeclaredChannel]) -> dict[str, dict[str, Sender]]:
    """Return what sends, by the channel's name and then by receiver; standard error where none is named.

    Raises:
        ValueError: What is declared cannot be used.
    """
    declared = channels or (StandardError(name="standard_error"),)
    return {channel.name: dict(channel.senders()) for channel in declared}


class Routing:
    """The receivers of all channels.

    Args:
        channels: What is declared.

    Attributes:
        senders: What sends, by receiver.

    Raises:
        ValueError: A channel cannot be used.
    """

    def __init__(self, channels: Sequence[DeclaredChannel]) -> None:
        by_channel = senders_of(channels)
        self._receivers = {name: list(each) for name, each in by_channel.items()}
        self._only = {channel.name: channel.only for channel in channels}
        self.senders = {receiver: sender for each in by_channel.values() for receiver, sender in each.items()}

    def receivers_of(self, notification: Notification) -> list[str]:
        """Return who gets a notification: receivers of channels that one of its alerts is for."""
        return [
            receiver
            for name, receivers in self._receivers.items()
            if _wants(self._only.get(name, {}), notification)
            for receiver in receivers
        ]


def _wants(only: Mapping[str, str], notification: Notification) -> bool:
    """Whether one of the alerts has the labels that a channel is for."""
    return any(
        all(
            {**dict(notice.labels), "rule": notice.rule, "severity": notice.severity}.get(name) == value
            for name, value in only.items()
        )
        for notice in notification.notices
    )
