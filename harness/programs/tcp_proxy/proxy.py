"""One proxy: a listener, the toxics on it, and the connections through it."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from harness.programs.tcp_proxy.clock import Clock
from harness.programs.tcp_proxy.connection import Connection, ConnectionRules
from harness.programs.tcp_proxy.errors import ApiError
from harness.programs.tcp_proxy.names import join_address, loopback_address, split_address
from harness.programs.tcp_proxy.toxic import STREAMS, Toxic, new_toxic, updated_toxic

TOXICS_MAX = 64


@dataclass(slots=True)
class Mode:
    """What all proxies of the process share.

    Attributes:
        strict: our repairs instead of Toxiproxy's quirks.
        seed: decides toxicity and jitter in strict mode; Toxiproxy's own seed does nothing.
        connections_left: how many more connections may be open at once, over all proxies.
    """

    strict: bool
    seed: int
    connections_left: int


class Proxy:
    """Forwards TCP from `listen` to `upstream` while enabled."""

    def __init__(self, name: str, listen: str, upstream: str, mode: Mode, clock: Clock) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.is_enabled = False
        self._mode = mode
        self._clock = clock
        self._toxics: dict[str, list[Toxic]] = {stream: [] for stream in STREAMS}
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._unseeded = random.Random()  # noqa: S311 - toxicity and jitter, no secret
        self._server: asyncio.Server | None = None

    def document(self) -> dict[str, object]:
        """The proxy as the API writes it, toxics included."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.is_enabled,
            "toxics": [toxic.document() for toxic in self.toxics()],
        }

    # Listening.

    async def start(self) -> None:
        """Listen; afterwards `listen` is the address in use. Does nothing when enabled already.

        Raises:
            ApiError: the address cannot be listened on (500; 400 when not a loopback one).
        """
        if self.is_enabled:
            return
        loop = asyncio.get_running_loop()
        try:
            host, port = loopback_address(self.listen)
        except ApiError as error:
            raise ApiError(error.status, f"listen tcp: {error.message}") from error
        try:
            self._server = await loop.create_server(lambda: self._accept(loop), host, port, backlog=1024)
        except OSError as error:
            # The event loop words this in its own way; Go names the call and the system's reason.
            reason = os.strerror(error.errno).lower() if error.errno else str(error)
            raise ApiError(500, f"listen tcp {join_address(host, port)}: bind: {reason}") from error
        address = self._server.sockets[0].getsockname()
        self.listen = join_address(address[0], address[1])
        self.is_enabled = True

    async def stop(self) -> None:
        """Stop listening and close every connection; what they held is lost."""
        if self._server is None:
            return
        self.is_enabled = False
        self._server.close()
        for connection in list(self._connections):
            connection.abort()
        self._server = None
        # Not wait_closed(), which may wait for connections too: a turn of the loop closes the socket.
        await asyncio.sleep(0)

    async def update(self, listen: str, upstream: str, enabled: bool) -> None:
        """Take a new address, upstream or state.

        As in Toxiproxy, a changed address stops the proxy before the new one is tried: where it cannot be
        listened on, the proxy stays behind disabled, at the new address.

        Raises:
            ApiError: the address is none, or cannot be listened on.
        """
        if self.differs(listen, upstream):
            await self.stop()
            self.listen = listen
            self.upstream = upstream
        if enabled != self.is_enabled:
            await (self.start() if enabled else self.stop())

    def differs(self, listen: str, upstream: str) -> bool:
        """Whether these are another address or upstream than the proxy has.

        Raises:
            ApiError: `listen` is no loopback address.
        """
        return self.listen != join_address(*loopback_address(listen)) or self.upstream != upstream

    # Toxics: upstream ones first, each direction in the order they were added.

    def toxics(self) -> list[Toxic]:
        """All toxics on this proxy."""
        return [toxic for stream in STREAMS for toxic in self._toxics[stream]]

    def toxic(self, name: str) -> Toxic:
        """The toxic of that name.

        Raises:
            ApiError: there is none (404).
        """
        for toxic in self.toxics():
            if toxic.name == name:
                return toxic
        raise ApiError(404, "toxic not found")

    def add_toxic(self, body: Mapping[str, object]) -> Toxic:
        """Put a toxic on every connection, open or to come.

        Raises:
            ApiError: the description is wrong (400), the name taken or the proxy full of toxics (409).
        """
        toxic = new_toxic(body, strict=self._mode.strict)
        if any(other.name == toxic.name for other in self.toxics()):
            raise ApiError(409, "toxic already exists")
        if len(self.toxics()) >= TOXICS_MAX:
            raise ApiError(409, f"this proxy has {TOXICS_MAX} toxics already; remove one first")
        self._toxics[toxic.direction].append(toxic)
        for connection in list(self._connections):
            if connection.links:
                connection.links[toxic.direction].add(toxic)
        return toxic

    def update_toxic(self, name: str, body: Mapping[str, object]) -> Toxic:
        """Change a toxic on every connection.

        Raises:
            ApiError: no such toxic (404), or a wrong value (400).
        """
        old = self.toxic(name)
        toxic = updated_toxic(old, body, strict=self._mode.strict)
        chain = self._toxics[toxic.direction]
        chain[chain.index(old)] = toxic
        for connection in list(self._connections):
            if connection.links:
                connection.links[toxic.direction].update(toxic)
        return toxic

    def remove_toxic(self, name: str) -> None:
        """Take a toxic off every connection.

        Raises:
            ApiError: no such toxic (404).
        """
        toxic = self.toxic(name)
        self._toxics[toxic.direction].remove(toxic)
        for connection in list(self._connections):
            if connection.links:
                connection.links[toxic.direction].remove(name)

    def reset_toxics(self) -> None:
        """Take every toxic off."""
        for toxic in self.toxics():
            self.remove_toxic(toxic.name)

    # Connections.

    def _accept(self, loop: asyncio.AbstractEventLoop) -> asyncio.Protocol:
        if self._mode.connections_left <= 0:
            return _Refusal()
        self._mode.connections_left -= 1
        self._accepted += 1
        ordinal = self._accepted
        rules = ConnectionRules(
            upstream=self._upstream_address(),
            toxics=self._chains,
            strict=self._mode.strict,
            rng_for=lambda direction, toxic_name: self._rng(ordinal, direction, toxic_name),
            closed=self._closed,
        )
        connection = Connection(loop, self._clock, rules)
        self._connections.add(connection)
        return connection.client

    def _upstream_address(self) -> tuple[str, int]:
        try:
            return split_address(self.upstream)
        except ApiError:
            # Toxiproxy takes any text as upstream and fails as it dials: port 0 does the same.
            return "127.0.0.1", 0

    def _chains(self) -> Mapping[str, Sequence[Toxic]]:
        return self._toxics

    def _closed(self, connection: Connection) -> None:
        # An upstream that answers after its client was given up makes the connection close twice.
        if connection in self._connections:
            self._connections.discard(connection)
            self._mode.connections_left += 1

    def _rng(self, ordinal: int, direction: str, toxic_name: str) -> random.Random:
        """Randomness for one link and toxic.

        In strict mode it depends on the seed and on what the link is, never on what others drew before it,
        so the n-th connection of a proxy always meets the same fate.
        """
        if not self._mode.strict:
            return self._unseeded
        return random.Random(f"{self._mode.seed}/{self.name}/{ordinal}/{direction}/{toxic_name}")  # noqa: S311 - no secret


class _Refusal(asyncio.Protocol):
    """Closes at once: the process has as many connections as it may have."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()
