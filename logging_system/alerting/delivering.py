"""Sends the outbox's messages, each channel on a thread of its own, so that a slow one holds up no other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from logging_system.alerting.channels.declared import Sender
from logging_system.alerting.messages import letter_of
from logging_system.alerting.outbox import Message, NotNow, Outcome

_END_SECONDS = 2.0


class Delivering:
    """The threads of channels.

    Args:
        senders: What sends, by channel.
        spool: The spool folder.
        wake: Called when an outcome is there.
    """

    def __init__(self, senders: Mapping[str, Sender], spool: Path, wake: Callable[[], None]) -> None:
        self._senders = senders
        self._spool = spool
        self._wake = wake
        self._outcomes: queue.SimpleQueue[tuple[Message, Outcome]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def send(self, message: Message) -> None:
        """Begin to send a message; one a channel at a time."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(
            target=self._run, args=(message,), name=f"logging_system.alerts-{message.channel}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def outcomes(self) -> list[tuple[Message, Outcome]]:
        """Return what became of messages since the last call."""
        found = []
        while not self._outcomes.empty():
            found.append(self._outcomes.get_nowait())
        return found

    def finish(self) -> None:
        """Wait, within a bound, for messages that are on their way."""
        for thread in self._threads:
            thread.join(_END_SECONDS / len(self._threads))

    def _run(self, message: Message) -> None:
        try:
            outcome = self._senders[message.channel].send(letter_of(message.notification, self._spool))
        except Exception as error:  # a channel must not end alerting for good
            outcome = NotNow(f"{type(error).__name__} in the channel", may_have_arrived=True)
        self._outcomes.put((message, outcome))
        self._wake()
