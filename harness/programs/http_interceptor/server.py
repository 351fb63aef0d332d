"""Serves the control API and all interceptors in one event loop, until told to stop."""

from __future__ import annotations

from harness.programs.http_interceptor.api import Api
from harness.programs.serving import listen, serve_until_told

HOST = "127.0.0.1"


async def serve(port: int, lifeline: bool) -> None:
    """Serve until SIGTERM, SIGINT or the lifeline's end, then end all interceptors.

    Args:
        port: of the API; 0 takes any free one.
        lifeline: stop when standard input ends, so that the interceptor never outlives whoever started it.

    Raises:
        OSError: the API's address cannot be listened on.
    """
    listener = listen(HOST, port)
    api = Api()
    try:
        await serve_until_told(api.application(), listener, lifeline)
    finally:
        await api.stop()
