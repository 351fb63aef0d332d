"""What programs do with their control API: listen, or say why not, and serve it until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator

import orjson
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

API_CONNECTIONS_MAX = 128
UNAVAILABLE = 7
"""The exit code of a program that cannot listen or use its file."""


class BrowserStop:
    """Turns browsers away, so that no web page can drive the API of the machine it is shown on."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser with 403, and let everyone else through."""
        if scope["type"] == "http" and dict(scope["headers"]).get(b"user-agent", b"").startswith(b"Mozilla/"):
            await PlainTextResponse("User agent not allowed\n", 403)(scope, receive, send)
        else:
            await self._application(scope, receive, send)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening address for `serve_until_told`; port 0 takes any free one.

    It is made as TCP by name: asyncio gives TCP_NODELAY to what is accepted only where the listener says so,
    and without it each answer on a kept-alive connection may wait 40 ms for the client's acknowledgement.

    Raises:
        OSError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def cannot_listen(host: str, port: int, error: OSError) -> int:
    """Say on standard error that a program cannot listen; return its exit code.

    Args:
        host: where it was to listen.
        port: the port there.
        error: from `listen`.
    """
    sys.stderr.write(f"{host}:{port}: {error.strerror or error}; choose another --port, or 0\n")
    return UNAVAILABLE


async def serve_until_told(application: ASGIApp, listener: socket.socket, lifeline: bool) -> None:
    """Print one JSON line when ready, then serve until SIGTERM, SIGINT or the lifeline's end.

    Args:
        application: the control API.
        listener: from `listen`.
        lifeline: stop when standard input ends, so that a program never outlives whoever started it.
    """
    loop = asyncio.get_running_loop()
    server = _Server(_uvicorn_config(application), lambda: _announce(listener))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, server.stop)
    if lifeline:
        threading.Thread(target=_watch_lifeline, args=(loop, server.stop), daemon=True).start()
    await server.serve(sockets=[listener])


def _uvicorn_config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
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
    host, port = listener.getsockname()[:2]
    address = f"[{host}]:{port}" if listener.family is socket.AF_INET6 else f"{host}:{port}"
    line = {"ready": True, "url": f"http://{address}", "pid": os.getpid()}
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()


def _watch_lifeline(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Wait for the end of standard input; a thread, because a loop cannot watch every kind of file."""
    while os.read(0, 4096):
        pass
    # The loop may be gone already: then there is nothing left to stop.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop)
