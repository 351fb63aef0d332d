"""One accepted client, its upstream, and the two links between them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from harness.programs.tcp_proxy.clock import Clock
from harness.programs.tcp_proxy.link import Link, LinkRules
from harness.programs.tcp_proxy.toxic import Toxic

DIAL_SECONDS_MAX = 10.0
# Enough that a fast reader is never waited for, small enough that a slow one is noticed.
WRITE_BUFFER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """What a proxy tells each of its connections.

    Attributes:
        upstream: host and port to dial.
        toxics: the proxy's toxics by direction, asked as the connection opens.
        strict: our repairs instead of Toxiproxy's quirks.
        rng_for: the randomness of one link and toxic, from direction and toxic name.
        closed: told when both sides are gone.
    """

    upstream: tuple[str, int]
    toxics: Callable[[], Mapping[str, Sequence[Toxic]]]
    strict: bool
    rng_for: Callable[[str, str], random.Random]
    closed: Callable[[Connection], None]


class Connection:
    """Accepts first and dials then, as Toxiproxy does: a dead upstream looks like connect, then EOF."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, rules: ConnectionRules) -> None:
        self._loop = loop
        self._clock = clock
        self._rules = rules
        self._open_sides = 1
        self._is_aborted = False
        self._dialling: asyncio.Task[None] | None = None
        self._upstream = _Side(self._join, self._side_lost)
        self.client = _Side(self._start_dialling, self._side_lost)
        self.links: dict[str, Link] = {}

    def abort(self) -> None:
        """Close both sides now; what is still held is lost."""
        self._is_aborted = True
        if self._dialling is not None:
            self._dialling.cancel()
        for link in self.links.values():
            link.discard()
        for side in (self.client, self._upstream):
            if side.transport is not None:
                side.transport.abort()

    def _start_dialling(self) -> None:
        self._dialling = self._loop.create_task(self._dial())

    async def _dial(self) -> None:
        host, port = self._rules.upstream
        try:
            async with asyncio.timeout(DIAL_SECONDS_MAX):
                await self._loop.create_connection(lambda: self._upstream, host, port)
        except (
            OSError,
            ValueError,
        ):  # Refused, timed out, unknown name; ValueError: text that is no host name.
            self.client.connected.close()
        finally:
            self._dialling = None

    def _join(self) -> None:
        self._open_sides += 1
        if self._is_aborted or self.client.is_lost:
            self._upstream.connected.abort()
            return
        toxics = self._rules.toxics()
        if not self._rules.strict and any(t.kind.arms_reset for chain in toxics.values() for t in chain):
            self._set_linger_zero()
        for direction, source, destination in (
            ("upstream", self.client, self._upstream),
            ("downstream", self._upstream, self.client),
        ):
            link = Link(source.connected, destination.connected, self._clock, self._link_rules(direction))
            destination.incoming = self.links[direction] = link
            link.open(toxics[direction])
        for side, direction in ((self.client, "upstream"), (self._upstream, "downstream")):
            side.send_into(self.links[direction])

    def _link_rules(self, direction: str) -> LinkRules:
        rules = self._rules
        return LinkRules(
            strict=rules.strict,
            rng_for=lambda toxic_name: rules.rng_for(direction, toxic_name),
            arm_reset=self._set_linger_zero if rules.strict else _do_nothing,
        )

    def _set_linger_zero(self) -> None:
        """Make closing send RST instead of FIN on both sides (socket(7), SO_LINGER with zero seconds)."""
        for side in (self.client, self._upstream):
            if side.transport is not None and not side.is_lost:
                handle = side.transport.get_extra_info("socket")
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _side_lost(self) -> None:
        self._open_sides -= 1
        if self._open_sides == 0:
            for link in self.links.values():
                link.discard()
            self._rules.closed(self)


def _do_nothing() -> None:
    """Outside strict mode a reset is armed as the connection opens, or not at all."""


class _Side(asyncio.Protocol):
    """One socket: what it reads goes into `outgoing`, what `incoming` carries is written to it."""

    def __init__(self, made: Callable[[], None], lost: Callable[[], None]) -> None:
        self._made = made
        self._lost = lost
        self.transport: asyncio.Transport | None = None
        self.is_lost = False
        self.outgoing: Link | None = None
        self.incoming: Link | None = None
        self._early: list[bytes] = []
        self._has_ended = False

    @property
    def connected(self) -> asyncio.Transport:
        """The transport, which exists from the moment `made` was called."""
        assert self.transport is not None, "asked for a transport before the connection was made"  # noqa: S101 - our own order of calls
        return self.transport

    def send_into(self, link: Link) -> None:
        """Carry what was read until now, and all that is read from now on, into the link."""
        self.outgoing = link
        early, self._early = self._early, []
        for data in early:
            link.feed(data)
        if self._has_ended:
            link.end()
        elif early and not link.is_paused:
            # What came early may have filled the link already; then it resumes reading itself, once drained.
            self.connected.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have asyncio's methods and not its base class.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self._made()

    def data_received(self, data: bytes) -> None:
        link = self.outgoing
        if link is None:
            # uvloop starts reading after connection_made whatever that does, so the first bytes may come
            # before there is an upstream; the rest stays with the kernel.
            self._early.append(data)
            self.connected.pause_reading()
        elif link.is_direct:
            link.write(data)
        else:
            link.feed(data)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self.outgoing is not None:
            self.outgoing.end()
        return True  # The link decides when to close: bytes of the other direction may still be on their way.

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if self.incoming is not None:
            self.incoming.discard()
        if self.outgoing is not None:
            self.outgoing.end()
        self._lost()

    def pause_writing(self) -> None:
        if self.incoming is not None:
            self.incoming.set_full(True)

    def resume_writing(self) -> None:
        if self.incoming is not None:
            self.incoming.set_full(False)
