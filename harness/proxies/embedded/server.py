"""Serves the API and forwards TCP in one event loop, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

import orjson
import uvicorn

from harness.proxies.embedded.api import Api
from harness.proxies.embedded.clock import LoopClock
from harness.proxies.embedded.collection import Collection
from harness.proxies.embedded.names import join_address
from harness.proxies.embedded.proxy import Mode

CONNECTIONS_MAX = 4096
API_CONNECTIONS_MAX = 128


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
    """Print one JSON line when ready, then serve until SIGTERM, SIGINT or the lifeline's end.

    Raises:
        OSError: the API's address cannot be listened on.
    """
    loop = asyncio.get_running_loop()
    listener = _listen(settings.host, settings.port)
    mode = Mode(settings.strict, settings.seed, CONNECTIONS_MAX)
    collection = Collection(mode, LoopClock(loop))
    server = _Server(_uvicorn_config(Api(collection)), lambda: _announce(listener))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, server.stop)
    if settings.lifeline:
        threading.Thread(target=_watch_lifeline, args=(loop, server.stop), daemon=True).start()
    try:
        await server.serve(sockets=[listener])
    finally:
        await collection.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _uvicorn_config(api: Api) -> uvicorn.Config:
    return uvicorn.Config(
        api.application(),
        log_config=None,
        access_log=False,
        lifespan="off",
        http="h11",
        ws="none",
        server_header=False,
        # Longer than a client's pause between two calls: closing sooner would race with its next request.
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        limit_concurrency=API_CONNECTIONS_MAX,
    )


class _Server(uvicorn.Server):
    """uvicorn, without its signal handlers (a signal would end the process before connections are closed)."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def stop(self) -> None:
        """Finish soon; open API connections have a second."""
        self.should_exit = True


def _announce(listener: socket.socket) -> None:
    address = listener.getsockname()
    line = {"ready": True, "url": f"http://{join_address(address[0], address[1])}", "pid": os.getpid()}
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()


def _watch_lifeline(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Wait for the end of standard input; a thread, because a loop cannot watch every kind of file."""
    while os.read(0, 4096):
        pass
    # The loop may be gone already: then there is nothing left to stop.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop)
