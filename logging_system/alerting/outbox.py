"""Messages on their way to channels: which is sent when, and what becomes of it. No thread, file or clock.

A message stays until its channel has taken it or refused it for good. Whoever keeps this durable saves it
before a message is sent and after it was taken: a crash in between sends the same message, with the same key,
once more, and never loses one. One message a channel is on its way at a time, the oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from logging_system.alerting.facts import AlertNotice, Notification

MESSAGES_MAX = 10_000
"""Messages that wait for one channel; the oldest give way beyond it, counted, and stay in the history."""
ATTEMPTS_MAX = 2_000
"""How often one message is sent: at the longest wait between two, for a week."""
_FIRST_WAIT_SECONDS = 1.0
_WAIT_SECONDS_MAX = 300.0
_REFUSED_KEPT = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """The channel has taken the message."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The channel could not take the message; it is sent again.

    Attributes:
        reason: Why, without anything secret.
        after_seconds: What the channel asks to wait; None leaves it to the outbox.
        may_have_arrived: Whether there was no answer, so that the message may have been taken.
    """

    reason: str
    after_seconds: float | None = None
    may_have_arrived: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel will never take the message.

    Attributes:
        reason: Why, without anything secret.
    """

    reason: str


Outcome = Taken | NotNow | Refused


@dataclass(slots=True)
class Message:
    """One notification on its way to one channel.

    Attributes:
        channel: The channel's name.
        notification: What it says.
        attempts: How often it was sent.
        unsure: How often it was sent and may have arrived.
        not_before_seconds: When it may be sent, by the forward clock.
        trouble: Why it was not taken the last time.
    """

    channel: str
    notification: Notification
    attempts: int = 0
    unsure: int = 0
    not_before_seconds: float = 0.0
    trouble: str = ""


@dataclass(slots=True)
class ChannelCounts:
    """What became of a channel's messages.

    Attributes:
        taken: Messages that the channel took.
        refused: Messages that it refused for good.
        given_up: Messages that gave way to newer ones.
        attempts: How often one was sent.
        unsure: How often there was no answer, so that one may have arrived twice.
    """

    taken: int = 0
    refused: int = 0
    given_up: int = 0
    attempts: int = 0
    unsure: int = 0


@dataclass(slots=True)
class _Queue:
    waiting: list[Message] = field(default_factory=list)
    counts: ChannelCounts = field(default_factory=ChannelCounts)
    is_sending: bool = False


class Outbox:
    """The messages of all channels.

    Args:
        channels: The names of those there are.
    """

    def __init__(self, channels: Iterable[str]) -> None:
        self._queues: dict[str, _Queue] = {name: _Queue() for name in channels}
        self.refused: list[Message] = []
        """The latest messages that a channel refused for good."""

    @property
    def counts(self) -> Mapping[str, ChannelCounts]:
        """What became of messages, by channel."""
        return {name: queue.counts for name, queue in self._queues.items()}

    @property
    def waiting(self) -> Mapping[str, Sequence[Message]]:
        """The messages that no channel has taken, by channel, oldest first."""
        return {name: queue.waiting for name, queue in self._queues.items()}

    def put(self, notification: Notification, channels: Iterable[str]) -> None:
        """Take a notification for channels."""
        for name in channels:
            queue = self._queues[name]
            queue.waiting.append(Message(name, notification))
            surplus = len(queue.waiting) - MESSAGES_MAX
            if surplus > 0:
                first = 1 if queue.is_sending else 0
                del queue.waiting[first : first + surplus]
                queue.counts.given_up += surplus

    def to_send(self, now_seconds: float) -> list[Message]:
        """Return the messages to send now, at most one a channel, and take note that they are being sent.

        Args:
            now_seconds: By the forward clock.
        """
        sending = []
        for queue in self._queues.values():
            if queue.waiting and not queue.is_sending and queue.waiting[0].not_before_seconds <= now_seconds:
                queue.is_sending = True
                message = queue.waiting[0]
                message.attempts += 1
                queue.counts.attempts += 1
                sending.append(message)
        return sending

    def settled(self, message: Message, outcome: Outcome, now_seconds: float) -> Outcome:
        """Take note of what became of a message that was sent.

        Args:
            message: One that `to_send` returned, and that is not settled yet.
            outcome: What its channel made of it.
            now_seconds: By the forward clock; the wait before the next attempt begins here, at most 300 s of
                it.

        Returns:
            The outcome; a refusal where the message was sent as often as it may be.
        """
        queue = self._queues[message.channel]
        queue.is_sending = False
        if isinstance(outcome, Taken):
            queue.waiting.remove(message)
            queue.counts.taken += 1
            return outcome
        if isinstance(outcome, NotNow) and message.attempts >= ATTEMPTS_MAX:
            outcome = Refused(f"given up after {message.attempts} attempts: {outcome.reason}")
        message.trouble = outcome.reason
        if isinstance(outcome, Refused):
            queue.waiting.remove(message)
            queue.counts.refused += 1
            self.refused = [*self.refused, message][-_REFUSED_KEPT:]
            return outcome
        if outcome.may_have_arrived:
            message.unsure += 1
            queue.counts.unsure += 1
        wait_seconds = min(_WAIT_SECONDS_MAX, _FIRST_WAIT_SECONDS * 2 ** min(message.attempts - 1, 16))
        if outcome.after_seconds is not None:
            wait_seconds = min(_WAIT_SECONDS_MAX, max(0.0, outcome.after_seconds))
        message.not_before_seconds = now_seconds + wait_seconds
        return outcome

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "channels": {
                name: {
                    "waiting": [asdict(message) for message in queue.waiting],
                    "counts": asdict(queue.counts),
                }
                for name, queue in self._queues.items()
            },
            "refused": [asdict(message) for message in self.refused],
        }

    def restore(self, content: Mapping[str, Any]) -> list[str]:
        """Go on with what `content` returned.

        Returns:
            The names of channels that are not declared any more; their messages are given up.
        """
        self.refused = [_message(each) for each in content["refused"]]
        gone = []
        for name, saved in content["channels"].items():
            queue = self._queues.get(name)
            if queue is None:
                if saved["waiting"]:
                    gone.append(name)
                continue
            queue.waiting = [_message(each) for each in saved["waiting"]]
            queue.counts = ChannelCounts(**saved["counts"])
        return gone


def _message(content: Mapping[str, Any]) -> Message:
    return Message(**{**content, "notification": _notification_of(content["notification"])})


def _notification_of(content: Mapping[str, Any]) -> Notification:
    """Return the notification that JSON describes.

    Raises:
        KeyError: It describes none.
        TypeError: It describes none.
    """
    notices = tuple(
        AlertNotice(**{**each, "labels": _labels(each["labels"]), "examples": tuple(each["examples"])})
        for each in content["notices"]
    )
    return Notification(**{**content, "group": _labels(content["group"]), "notices": notices})


def _labels(content: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in content)
