"""HTTP connections of uvicorn whose requests must begin: one that stays silent, or drips, is closed.

uvicorn bounds how many connections there are, and how long one may be idle between two requests, but not how
long a request may take to begin (RFC 9112, section 9.5, leaves such limits to the server). Whoever opens
connections and says nothing would hold them for ever, and everybody else would get 503.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS_MAX = 10.0
"""How long the head of a request may take, from the connection or from its own first byte."""


class PromptHeads(H11Protocol):
    """One connection; `uvicorn.Config(http=PromptHeads)`."""

    head_seconds_max = HEAD_SECONDS_MAX
    _head_is_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request; see `asyncio.BaseProtocol`.

        Args:
            transport: The connection's.
        """
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Take some bytes; see `asyncio.Protocol`.

        Args:
            data: They.
        """
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection; see `asyncio.BaseProtocol`.

        Args:
            exc: Why it was lost; None where it was closed.
        """
        self._head_came()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._head_came()
        elif self._head_is_late is None and not self.transport.is_closing():
            # Never set anew while it runs: each byte of a slow head would win time.
            self._head_is_late = self.loop.call_later(self.head_seconds_max, self.transport.close)

    def _head_came(self) -> None:
        if self._head_is_late is not None:
            self._head_is_late.cancel()
            self._head_is_late = None
