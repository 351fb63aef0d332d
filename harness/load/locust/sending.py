"""What the users of a worker send: each has the records of one producer, paced to when they are due.

Locust decides when a user runs, never when a record is due: a stack that answers slowly makes the user's next
records late, and none of them fewer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from harness.load.pauses import Pauses
from harness.load.sender import Sender, Share
from harness.model.errors import UsageError

METHOD, NAME = "POST", "send()"
"""How Locust's own figures call a request that brings records of ours."""


class Users:
    """The shares of the users of one worker.

    Args:
        sender: makes the calls and notes them.
        mine: tells of a producer whether it is this worker's.
        stop_user: the exception that ends a Locust user.
    """

    def __init__(self, sender: Sender, mine: Callable[[int], bool], stop_user: type[Exception]) -> None:
        self._sender = sender
        self._mine = mine
        self._stop_user = stop_user
        self._free: deque[Share] = deque()
        self._shares: dict[object, Share] = {}

    def begin(self, at_ns: int) -> None:
        """Make the shares of the scheduled records, for a sending that begins at that moment."""
        self._free.extend(self._sender.scheduled(at_ns, self._mine).values())

    def probes(self, at_ns: int) -> list[Share]:
        """Return this worker's shares of the next wave of the records kept back.

        Args:
            at_ns: when the wave begins, in ns of CLOCK_MONOTONIC.
        """
        return list(self._sender.next_wave(at_ns, self._mine).values())

    @property
    def pauses(self) -> Pauses:
        """When nothing of the schedule is sent."""
        return self._sender.pauses

    def send(self, user: Any) -> None:
        """Send the next of a user's records, once it is due; ends the user where nothing is left to send."""
        share = self._shares.get(user)
        if share is None:
            if not self._free:
                raise self._stop_user
            share = self._shares[user] = self._free.popleft()
        if not self.send_next(share, user.environment, user.context()):
            raise self._stop_user

    def send_next(self, share: Share, environment: Any, context: dict[str, object]) -> bool:
        """Send the next records of a share and tell Locust of it; return whether there was one.

        Args:
            share: one producer's; waits until its next record is due.
            environment: Locust's, whose request event is fired once for the whole call.
            context: the user's, passed on to the event's listeners.
        """
        records = self._sender.due(share)
        if not records:
            return False
        began = time.perf_counter()
        refusal = self._sender.call(records)
        environment.events.request.fire(
            request_type=METHOD,
            name=NAME,
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=refusal,
            context=context,
        )
        return True


_users: Users | None = None


def open_users(users: Users) -> None:
    """Let `send` send for these users; a worker does this before it reads a Locust file."""
    global _users  # noqa: PLW0603 - one process is one worker, and a Locust file can import only a function
    _users = users


def send(user: Any) -> None:
    """Send the next record of a user's share, once it is due; for a task of a Locust file of one's own.

    The record is one of the scenario's, with its identity, so that it is judged like any other. A user whose
    share is sent ends, and so does one for which there is none.

    Args:
        user: the Locust user, or a task set of it; in a task, `self`.

    Raises:
        UsageError: no run of logquake is on; the file was started by `locust` itself.
    """
    if _users is None:
        raise UsageError('send() works in a run of logquake only: "load: {kind: locust, file: …}"')
    _users.send(getattr(user, "user", user))
