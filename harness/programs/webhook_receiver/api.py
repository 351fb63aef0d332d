"""What is taken, and how it is shown."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.programs.durable_lines import DurableLines, FullError
from harness.programs.serving import BrowserStop

BODY_BYTES_MAX = 1024 * 1024
SHOWN_MAX = 500
_KEY = "idempotency-key"


class Api:
    """One method a route.

    Args:
        received: takes what comes.
        now_ns: nanoseconds since 1970.
    """

    def __init__(self, received: DurableLines, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._received = received
        self._now_ns = now_ns

    def application(self) -> ASGIApp:
        """All of it as an ASGI application."""
        routes = [
            Route("/received", self.show, methods=["GET"]),
            Route("/{path:path}", self.came, methods=["GET"]),
            Route("/{path:path}", self.take, methods=["POST", "PUT", "PATCH"]),
        ]
        return BrowserStop(Starlette(routes=routes))

    async def show(self, request: Request) -> Response:
        """What came, from the message numbered `start` on, oldest first; at most `SHOWN_MAX` at a time."""
        start = request.query_params.get("start", "0")
        if not start.isdecimal():
            return _json({"error": "start: no number"}, 400)
        entries = self._received.entries
        shown = list(entries[int(start) : int(start) + SHOWN_MAX])
        return _json({"total": len(entries), "messages": shown}, 200)

    async def came(self, request: Request) -> Response:
        """Say whether a message with the key of the header `idempotency-key` came to this path."""
        key = request.headers.get(_KEY)
        if key is None:
            return _json({"error": f"no header {_KEY} says which message"}, 400)
        wanted = [_KEY, key]
        has_come = any(
            entry["path"] == request.url.path and wanted in entry["headers"]
            for entry in self._received.entries
        )
        return _json({}, 200 if has_come else 404)

    async def take(self, request: Request) -> Response:
        """Write a message down, then answer 200."""
        at_ns = self._now_ns()
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _json({"error": f"the body is larger than {BODY_BYTES_MAX} bytes"}, 413)
        entry = {
            "unix_ns": at_ns,
            "path": request.url.path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": base64.b64encode(body).decode(),
        }
        try:
            self._received.append(entry)
        except (FullError, OSError) as error:
            return _json({"error": str(error)}, 507)
        return _json({}, 200)


def _json(document: object, status: int) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
