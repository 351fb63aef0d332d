"""Serves the API and forwards TCP in one event loop, until told to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.programs.serving import listen, serve_until_told
from harness.programs.tcp_proxy.api import Api
from harness.programs.tcp_proxy.clock import LoopClock
from harness.programs.tcp_proxy.collection import Collection
from harness.programs.tcp_proxy.proxy import Mode

CONNECTIONS_MAX = 4096


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says.

    Attributes:
        port: of the API; 0 takes any free one.
        lifeline: stop when standard input ends, so that the proxy never outlives whoever started it.
        seed: decides toxicity and jitter in strict mode.
        strict: our repairs instead of Toxiproxy's quirks.
    """

    host: str
    port: int
    lifeline: bool
    seed: int
    strict: bool


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or the lifeline's end, then end all proxies.

    Raises:
        OSError: the API's address cannot be listened on.
    """
    listener = listen(settings.host, settings.port)
    mode = Mode(settings.strict, settings.seed, CONNECTIONS_MAX)
    collection = Collection(mode, LoopClock(asyncio.get_running_loop()))
    try:
        await serve_until_told(Api(collection).application(), listener, settings.lifeline)
    finally:
        await collection.stop()
