from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import uvloop

from harness.programs.tcp_proxy.clock import LoopClock
from harness.programs.tcp_proxy.names import split_address
from harness.programs.tcp_proxy.proxy import Mode, Proxy

WAIT_SECONDS_MAX = 10


@contextlib.asynccontextmanager
async def echoing_proxy(mode: Mode) -> AsyncIterator[Proxy]:
    """A proxy in this loop, before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    upstream = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    proxy = Proxy("p", "127.0.0.1:0", upstream, mode, LoopClock(asyncio.get_running_loop()))
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
        server.close()


async def greeting_through(proxy: Proxy) -> tuple[bytes, asyncio.StreamWriter]:
    """What comes back for a greeting on a new connection: nothing when it was refused."""
    reader, writer = await asyncio.open_connection(*split_address(proxy.listen))
    writer.write(b"hello")
    try:
        return await reader.read(5), writer
    except ConnectionError:
        return b"", writer


def test_connection_beyond_the_bound_is_refused_and_a_closed_one_makes_room() -> None:
    async def scenario() -> list[bytes]:
        mode = Mode(strict=False, seed=0, connections_left=1)
        async with echoing_proxy(mode) as proxy:
            first, writer = await greeting_through(proxy)
            second, refused = await greeting_through(proxy)
            writer.close()
            while mode.connections_left == 0:
                await asyncio.sleep(0)
            third, last = await greeting_through(proxy)
            for open_writer in (refused, last):
                open_writer.close()
            return [first, second, third]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(asyncio.wait_for(scenario(), WAIT_SECONDS_MAX))

    assert answers == [b"hello", b"", b"hello"]


def test_stopped_proxy_gives_back_the_room_of_its_connections() -> None:
    async def scenario() -> int:
        mode = Mode(strict=False, seed=0, connections_left=5)
        async with echoing_proxy(mode) as proxy:
            writers = [(await greeting_through(proxy))[1] for _ in range(5)]
            await proxy.stop()
            while mode.connections_left < 5:
                await asyncio.sleep(0)
            for writer in writers:
                writer.close()
        return mode.connections_left

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        left = runner.run(asyncio.wait_for(scenario(), WAIT_SECONDS_MAX))

    assert left == 5
