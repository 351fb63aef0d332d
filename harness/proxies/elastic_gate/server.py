"""Serves the control API and all gates in one event loop, until told to stop."""

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

from harness.proxies.elastic_gate.api import Api

HOST = "127.0.0.1"
API_CONNECTIONS_MAX = 128


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says.

    Attributes:
        port: of the API; 0 takes any free one.
        lifeline: stop when standard input ends, so that the gate never outlives whoever started it.
    """

    port: int
    lifeline: bool


async def serve(settings: Settings) -> None:
    """Print one JSON line when ready, then serve until SIGTERM, SIGINT or the lifeline's end.

    Raises:
        OSError: the API's address cannot be listened on.
    """
    loop = asyncio.get_running_loop()
    listener = _listen(HOST, settings.port)
    api = Api()
    server = _Server(_uvicorn_config(api), lambda: _announce(listener))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, server.stop)
    if settings.lifeline:
        threading.Thread(target=_watch_lifeline, args=(loop, server.stop), daemon=True).start()
    try:
        await server.serve(sockets=[listener])
    finally:
        await api.stop()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
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
    line = {"ready": True, "url": f"http://{address[0]}:{address[1]}", "pid": os.getpid()}
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()


def _watch_lifeline(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Wait for the end of standard input; a thread, because a loop cannot watch every kind of file."""
    while os.read(0, 4096):
        pass
    # The loop may be gone already: then there is nothing left to stop.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop)
