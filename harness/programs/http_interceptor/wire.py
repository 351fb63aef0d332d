"""One end of a connection: bytes on the one side, HTTP events on the other."""

from __future__ import annotations

import asyncio

import h11

CHUNK_BYTES = 64 * 1024
HEAD_BYTES_MAX = 64 * 1024
PEEKED_BYTES_MAX = 64 * 1024


def towards_client() -> h11.Connection:
    """Return the state of an end that a client talks to."""
    return h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)


def towards_store() -> h11.Connection:
    """Return the state of an end that talks to a store."""
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)


class WireError(Exception):
    """This end is gone, or does not speak HTTP."""


class Wire:
    """HTTP/1.1 over a stream. Every error of the connection or the protocol becomes a WireError.

    Args:
        http: the protocol's state at this end.
        reader: the stream in.
        writer: the stream out.
    """

    def __init__(
        self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.http = http
        self._reader = reader
        self._writer = writer
        self._peeked_bytes = 0

    async def next_event(self) -> object:
        """Return the next event; cancelling loses nothing.

        Raises:
            WireError: the connection broke, or what came is no HTTP.
        """
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                self.http.receive_data(await self._reader.read(CHUNK_BYTES))
        except (OSError, h11.RemoteProtocolError) as error:
            raise WireError(str(error)) from error
        self._peeked_bytes = 0
        return event

    async def send(self, event: h11.Event) -> None:
        """Send an event and wait until the other side takes it.

        Raises:
            WireError: the connection broke, or the event does not fit what was sent before.
        """
        try:
            self.write(self.http.send(event) or b"")
            await self._writer.drain()
        except (OSError, h11.LocalProtocolError) as error:
            raise WireError(str(error)) from error

    def write(self, data: bytes) -> None:
        """Put bytes on their way."""
        if data:
            self._writer.write(data)

    async def hung_up(self) -> None:
        """Return when the other side is gone; cancelling loses nothing.

        What comes meanwhile (a pipelined request) is kept, up to a bound; after that the end is not seen.
        """
        try:
            while self._peeked_bytes < PEEKED_BYTES_MAX:
                data = await self._reader.read(CHUNK_BYTES)
                self.http.receive_data(data)
                self._peeked_bytes += len(data)
                if not data:
                    return
        except (OSError, h11.RemoteProtocolError):
            return
        await asyncio.Event().wait()

    def next_cycle(self) -> bool:
        """Get ready for the next exchange; False where the connection has to end instead."""
        if self.http.states == {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}:
            return True
        try:
            self.http.start_next_cycle()
        except h11.LocalProtocolError:
            return False
        return True

    async def finish(self, seconds_max: float) -> None:
        """Say that nothing follows and read what still comes, so that no reset destroys what was sent."""
        try:
            async with asyncio.timeout(seconds_max):
                await self._writer.drain()
                self._writer.write_eof()
                while await self._reader.read(CHUNK_BYTES):
                    pass
        except (OSError, TimeoutError, RuntimeError):
            return

    def close(self) -> None:
        """Close the connection; what was written still leaves."""
        self._writer.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()
