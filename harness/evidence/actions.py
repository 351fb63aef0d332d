"""What a stack did about what it found, as a receiver got it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.evidence.alerts.inboxes import Inbox
from harness.evidence.alerts.messages import Message, place_of
from harness.model.declarations import Actions
from harness.model.errors import StackError
from harness.model.facts import ActionsRead, ActionTaken

_SHOWN_CHARACTERS = 80


class ActionsReader:
    """Reads the actions of a run once all of them must have come.

    Args:
        declared: where a message says what it is.
        inbox: makes what the receiver got readable.
        word: what every message of this run is addressed to.
        settled_ns: how long after the start of sending the last that is owed must have come.
    """

    def __init__(self, declared: Actions, inbox: Callable[[], Inbox], word: str, settled_ns: int = 0) -> None:
        self.settled_ns = settled_ns
        self._declared = declared
        self._inbox = inbox
        self._word = word

    def look(self, now_ns: int) -> list[ActionTaken]:
        """Return nothing: the receiver notes itself when a message came."""
        del now_ns
        return []

    def whole(self, now_ns: int) -> Iterator[ActionTaken | ActionsRead]:
        """Yield every action, and that all were read."""
        lacking = []
        try:
            for message in self._inbox().messages(self._word):
                try:
                    yield self._action(message)
                except ValueError as error:
                    lacking.append(str(error))
        except StackError as error:
            yield ActionsRead(now_ns, unread=str(error))
            return
        yield ActionsRead(now_ns, len(lacking), lacking[0] if lacking else "")

    def _action(self, message: Message) -> ActionTaken:
        found = {
            place: place_of(place).values(message) for place in (self._declared.key, self._declared.about)
        }
        if missing := [place for place, values in found.items() if not any(values)]:
            shown = " ".join(message.text.split())[:_SHOWN_CHARACTERS]
            raise ValueError(f"a message has no {', no '.join(missing)}: {shown!r}")
        return ActionTaken(message.at_ns, found[self._declared.key][0], found[self._declared.about][0])
