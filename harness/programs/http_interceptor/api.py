"""The control API.

    GET    /version
    GET    /gates                          all gates by name
    POST   /gates                          {"name", "listen", "upstream"} → 201
    GET    /gates/{gate}                   one gate and its rules
    DELETE /gates/{gate}                   → 204
    GET    /gates/{gate}/counters          what passed, and what each rule has done
    PUT    /gates/{gate}/rules/{rule}      {"kind", "arguments", "share", "seed", "path"} → 200
    DELETE /gates/{gate}/rules/{rule}      → 204

An error is `{"error": "…"}` with its status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.interceptor import Gate
from harness.programs.serving import BrowserStop

VERSION = "1"
BODY_BYTES_MAX = 64 * 1024
GATES_MAX = 256
NAME_LENGTH_MAX = 255

_Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """One method a route, over all gates of the process."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}
        self._change = asyncio.Lock()

    def application(self) -> ASGIApp:
        """The whole API as an ASGI application."""
        routes: list[tuple[str, str, _Handler]] = [
            ("GET", "/version", self.version),
            ("GET", "/gates", self.list_gates),
            ("POST", "/gates", self.create_gate),
            ("GET", "/gates/{gate}", self.show_gate),
            ("DELETE", "/gates/{gate}", self.delete_gate),
            ("GET", "/gates/{gate}/counters", self.show_counters),
            ("PUT", "/gates/{gate}/rules/{rule}", self.put_rule),
            ("DELETE", "/gates/{gate}/rules/{rule}", self.delete_rule),
        ]
        return BrowserStop(
            Starlette(
                routes=[Route(path, handler, methods=[method]) for method, path, handler in routes],
                exception_handlers={ApiError: _error},
            )
        )

    async def stop(self) -> None:
        """Stop every gate."""
        for gate in self._gates.values():
            await gate.stop()

    async def version(self, request: Request) -> Response:
        """The version of this API."""
        return _json({"version": VERSION, "program": "elastic_gate"})

    async def list_gates(self, request: Request) -> Response:
        """All gates."""
        return _json({name: gate.document() for name, gate in sorted(self._gates.items())})

    async def create_gate(self, request: Request) -> Response:
        """A new gate, listening."""
        body = await _object(request)
        name = _checked_name(_text(body, "name"))
        async with self._change:
            if name in self._gates:
                raise ApiError(409, f"gate {name!r} is there already")
            if len(self._gates) >= GATES_MAX:
                raise ApiError(409, f"there are {GATES_MAX} gates already; delete one first")
            gate = Gate(name, _text(body, "listen"), _text(body, "upstream"))
            await gate.start()
            self._gates[name] = gate
        return _json(gate.document(), 201)

    async def show_gate(self, request: Request) -> Response:
        """One gate."""
        return _json(self._gate(request).document())

    async def delete_gate(self, request: Request) -> Response:
        """Stop and forget a gate; its connections end."""
        async with self._change:
            gate = self._gate(request)
            await gate.stop()
            del self._gates[gate.name]
        return Response(status_code=204)

    async def show_counters(self, request: Request) -> Response:
        """What a gate and its rules have done."""
        return _json(self._gate(request).counters())

    async def put_rule(self, request: Request) -> Response:
        """Set a rule; one of that name is replaced, and its counters begin again."""
        name = _checked_name(request.path_params["rule"])
        rule = self._gate(request).put_rule(name, await _object(request))
        return _json(rule.document())

    async def delete_rule(self, request: Request) -> Response:
        """Take a rule off."""
        self._gate(request).remove_rule(request.path_params["rule"])
        return Response(status_code=204)

    def _gate(self, request: Request) -> Gate:
        name = request.path_params["gate"]
        if name not in self._gates:
            raise ApiError(404, f"no gate {name!r}; there are {sorted(self._gates)}")
        return self._gates[name]


async def _object(request: Request) -> dict[str, object]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ApiError(413, f"the body is larger than {BODY_BYTES_MAX} bytes")
    try:
        value: object = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiError(400, "the body must be an object")
    return value


def _text(body: dict[str, object], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise ApiError(400, f"{field} must be text, got {value!r}")
    return value


def _checked_name(name: str) -> str:
    """Refuse a name that no later request could address."""
    if "/" in name or name in {".", ".."} or not 0 < len(name) <= NAME_LENGTH_MAX:
        raise ApiError(
            400, f"name {name[:40]!r}: use 1 to {NAME_LENGTH_MAX} characters, no slash, not dots alone"
        )
    return name


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return _json({"error": error.message}, error.status)
