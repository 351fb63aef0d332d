"""Who signed in: random ids in memory, each with the word that proves that a page is the console's own."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

SESSIONS_MAX = 200
SESSION_SECONDS_MAX = 12 * 3600.0


class KnowsTokens(Protocol):
    """Tells whether an `Authorization` header has a known token, in constant time."""

    def allow(self, authorization: str) -> object | None:
        """Return what the header allows; None where its token is not known.

        Args:
            authorization: The header's value; empty where there was none.
        """
        ...


class Sessions:
    """The sessions of one console; used by one thread.

    Args:
        tokens: Whom a session is given to; None: everybody who can connect shares one.
        port: The console's port, by which its cookie is told apart: cookies belong to a host, not to a port.
        clock: Monotonic seconds.
    """

    def __init__(
        self, tokens: KnowsTokens | None, port: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._shared = secrets.token_urlsafe(32)
        self._until: OrderedDict[str, tuple[float, str, str]] = OrderedDict()
        self.cookie = f"logging_system_console_{port}"

    @property
    def asks_for_tokens(self) -> bool:
        """Whether people have to sign in."""
        return self._tokens is not None

    def knows(self, authorization: str) -> bool:
        """Whether an `Authorization` header has a known token.

        Args:
            authorization: The header's value; empty where there was none.
        """
        return self._tokens is not None and self._tokens.allow(authorization) is not None

    def may_read(self, session: str, authorization: str) -> bool:
        """Whether whoever asks signed in, and has not signed out, or has a known token.

        Args:
            session: The cookie's value; empty where there was none.
            authorization: The header's value; empty where there was none.
        """
        return self.csrf(session) is not None or self.knows(authorization)

    def begin(self, token: str) -> str | None:
        """Return the id of a new session; None for a token that is not known."""
        if not self.knows(f"Bearer {token}"):
            return None
        session = secrets.token_urlsafe(32)
        self._until[session] = (self._clock() + SESSION_SECONDS_MAX, secrets.token_urlsafe(32), token)
        while len(self._until) > SESSIONS_MAX:
            self._until.popitem(last=False)
        return session

    def csrf(self, session: str) -> str | None:
        """Return the word that comes with what changes something; None where nobody signed in.

        Args:
            session: The cookie's value; empty where there was none.
        """
        if self._tokens is None:
            return self._shared
        # A dictionary's look-up tells by its time only of hashes of 256 random bits.
        until_seconds, word, token = self._until.get(session, (0.0, "", ""))
        if until_seconds <= self._clock() or not self.knows(f"Bearer {token}"):  # a token may be withdrawn
            self._until.pop(session, None)
            return None
        return word

    def end(self, session: str) -> None:
        """End a session; one that is not known is no error."""
        self._until.pop(session, None)
