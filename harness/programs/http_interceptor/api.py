"""The control API.

    GET    /version
    GET    /interceptors                               all interceptors by name
    POST   /interceptors                               {"name", "listen", "upstream", "record"} → 201
    GET    /interceptors/{interceptor}                 one interceptor and its rules
    DELETE /interceptors/{interceptor}                 → 204
    GET    /interceptors/{interceptor}/counters        what passed, and what each rule has done
    PUT    /interceptors/{interceptor}/rules/{rule}    {"kind", "arguments", "share", "seed", "path"} → 200
    DELETE /interceptors/{interceptor}/rules/{rule}    → 204

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
from harness.programs.http_interceptor.interceptor import Interceptor
from harness.programs.serving import BrowserStop

VERSION = "1"
BODY_BYTES_MAX = 64 * 1024
INTERCEPTORS_MAX = 256
NAME_LENGTH_MAX = 255

_Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """One method a route, over all interceptors of the process."""

    def __init__(self) -> None:
        self._interceptors: dict[str, Interceptor] = {}
        self._change = asyncio.Lock()

    def application(self) -> ASGIApp:
        """The whole API as an ASGI application."""
        routes: list[tuple[str, str, _Handler]] = [
            ("GET", "/version", self.version),
            ("GET", "/interceptors", self.list_interceptors),
            ("POST", "/interceptors", self.create_interceptor),
            ("GET", "/interceptors/{interceptor}", self.show_interceptor),
            ("DELETE", "/interceptors/{interceptor}", self.delete_interceptor),
            ("GET", "/interceptors/{interceptor}/counters", self.show_counters),
            ("PUT", "/interceptors/{interceptor}/rules/{rule}", self.put_rule),
            ("DELETE", "/interceptors/{interceptor}/rules/{rule}", self.delete_rule),
        ]
        return BrowserStop(
            Starlette(
                routes=[Route(path, handler, methods=[method]) for method, path, handler in routes],
                exception_handlers={ApiError: _error},
            )
        )

    async def stop(self) -> None:
        """Stop every interceptor."""
        for interceptor in self._interceptors.values():
            await interceptor.stop()

    async def version(self, request: Request) -> Response:
        """The version of this API."""
        return _json({"version": VERSION, "program": "http_interceptor"})

    async def list_interceptors(self, request: Request) -> Response:
        """All interceptors."""
        return _json(
            {name: interceptor.document() for name, interceptor in sorted(self._interceptors.items())}
        )

    async def create_interceptor(self, request: Request) -> Response:
        """A new interceptor, listening."""
        body = await _object(request)
        name = _checked_name(_text(body, "name"))
        async with self._change:
            if name in self._interceptors:
                raise ApiError(409, f"interceptor {name!r} is there already")
            if len(self._interceptors) >= INTERCEPTORS_MAX:
                raise ApiError(409, f"there are {INTERCEPTORS_MAX} interceptors already; delete one first")
            record = _text(body, "record") if "record" in body else ""
            interceptor = Interceptor(name, _text(body, "listen"), _text(body, "upstream"), record)
            await interceptor.start()
            self._interceptors[name] = interceptor
        return _json(interceptor.document(), 201)

    async def show_interceptor(self, request: Request) -> Response:
        """One interceptor."""
        return _json(self._interceptor(request).document())

    async def delete_interceptor(self, request: Request) -> Response:
        """Stop and forget an interceptor; its connections end."""
        async with self._change:
            interceptor = self._interceptor(request)
            await interceptor.stop()
            del self._interceptors[interceptor.name]
        return Response(status_code=204)

    async def show_counters(self, request: Request) -> Response:
        """What an interceptor and its rules have done."""
        return _json(self._interceptor(request).counters())

    async def put_rule(self, request: Request) -> Response:
        """Set a rule; one of that name is replaced, and its counters begin again."""
        name = _checked_name(request.path_params["rule"])
        rule = self._interceptor(request).put_rule(name, await _object(request))
        return _json(rule.document())

    async def delete_rule(self, request: Request) -> Response:
        """Take a rule off."""
        self._interceptor(request).remove_rule(request.path_params["rule"])
        return Response(status_code=204)

    def _interceptor(self, request: Request) -> Interceptor:
        name = request.path_params["interceptor"]
        if name not in self._interceptors:
            raise ApiError(404, f"no interceptor {name!r}; there are {sorted(self._interceptors)}")
        return self._interceptors[name]


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
