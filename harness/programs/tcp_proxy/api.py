"""Toxiproxy's HTTP API: paths, status codes and error bodies as the real server answers them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import orjson
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.programs.serving import BrowserStop
from harness.programs.tcp_proxy.collection import Collection, object_of
from harness.programs.tcp_proxy.errors import ApiError, bad_request
from harness.programs.tcp_proxy.proxy import Proxy

# The release whose API this is; a server built with `go install` calls itself "git".
VERSION = "2.12.0"
BODY_BYTES_MAX = 1024 * 1024
REQUEST_ID_HEADER = "X-Toxiproxy-Request-Id"
_REQUEST_ID_CHARACTERS = 20
# What Go's http.Error adds to plain text.
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
# Where a request's scope notes that no route answers it.
_UNROUTED = "toxiproxy_unrouted"

_Handler = Callable[[Request], Awaitable[Response]]


class Api:
    """One method a route. Changes wait for each other, so no two of them see a proxy half done."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._change = asyncio.Lock()

    def application(self) -> ASGIApp:
        """The whole API as an ASGI application."""
        proxy, toxics, toxic = (
            "/proxies/{proxy}",
            "/proxies/{proxy}/toxics",
            "/proxies/{proxy}/toxics/{toxic}",
        )
        routes: list[tuple[str, list[str], _Handler]] = [
            ("/version", ["GET"], self.version),
            ("/reset", ["POST"], self.reset),
            ("/populate", ["POST"], self.populate),
            ("/proxies", ["GET"], self.list_proxies),
            ("/proxies", ["POST"], self.create_proxy),
            (proxy, ["GET"], self.show_proxy),
            (proxy, ["POST", "PATCH"], self.update_proxy),
            (proxy, ["DELETE"], self.delete_proxy),
            (toxics, ["GET"], self.list_toxics),
            (toxics, ["POST"], self.create_toxic),
            (toxic, ["GET"], self.show_toxic),
            (toxic, ["POST", "PATCH"], self.update_toxic),
            (toxic, ["DELETE"], self.delete_toxic),
        ]
        application = Starlette(
            routes=[_route(path, methods, handler) for path, methods, handler in routes],
            exception_handlers={ApiError: _api_error, HTTPException: _no_route},
        )
        # A path with a slash at its end is another path, and there is nothing.
        application.router.redirect_slashes = False
        return _RequestIds(BrowserStop(application))

    async def version(self, request: Request) -> Response:
        """The version, on a line of its own."""
        return Response(f'{{"version": "{VERSION}"}}\n', media_type="application/json;charset=utf-8")

    async def reset(self, request: Request) -> Response:
        """Enable all proxies, remove all toxics."""
        async with self._change:
            await self._collection.reset()
        return Response(status_code=204)

    async def populate(self, request: Request) -> Response:
        """Create or replace several proxies; on an error the answer still tells which ones are there."""
        done: list[Proxy] = []
        error: ApiError | None = None
        try:
            bodies = await _json_body(request)
            if not isinstance(bodies, list | None):
                raise bad_request("expected a list of proxies")
            async with self._change:
                await self._collection.populate(bodies or [], done)
        except ApiError as refused:
            error = refused
        document = error.document() if error is not None else {}
        # Go writes an empty slice that was never allocated as null.
        document["proxies"] = [proxy.document() for proxy in done] or None
        return _json(document, 201 if error is None else error.status)

    async def list_proxies(self, request: Request) -> Response:
        """All proxies by name."""
        return _json(self._collection.documents())

    async def create_proxy(self, request: Request) -> Response:
        """A new proxy."""
        body = object_of(await _json_body(request))
        async with self._change:
            proxy = await self._collection.create(body)
        return _json(proxy.document(), 201)

    async def show_proxy(self, request: Request) -> Response:
        """One proxy."""
        return _json(self._proxy(request).document())

    async def update_proxy(self, request: Request) -> Response:
        """Change listen, upstream or enabled."""
        self._proxy(request)
        body = object_of(await _json_body(request))
        async with self._change:
            proxy = await self._collection.update(request.path_params["proxy"], body)
        return _json(proxy.document())

    async def delete_proxy(self, request: Request) -> Response:
        """Stop and forget a proxy."""
        async with self._change:
            await self._collection.remove(request.path_params["proxy"])
        return Response(status_code=204)

    async def list_toxics(self, request: Request) -> Response:
        """A proxy's toxics."""
        return _json([toxic.document() for toxic in self._proxy(request).toxics()])

    async def create_toxic(self, request: Request) -> Response:
        """Add a toxic; answered with 200, not 201."""
        self._proxy(request)
        body = object_of(await _json_body(request))
        async with self._change:
            return _json(self._proxy(request).add_toxic(body).document())

    async def show_toxic(self, request: Request) -> Response:
        """One toxic."""
        return _json(self._proxy(request).toxic(request.path_params["toxic"]).document())

    async def update_toxic(self, request: Request) -> Response:
        """Change attributes or toxicity."""
        self._proxy(request)
        body = object_of(await _json_body(request))
        async with self._change:
            return _json(self._proxy(request).update_toxic(request.path_params["toxic"], body).document())

    async def delete_toxic(self, request: Request) -> Response:
        """Remove a toxic."""
        async with self._change:
            self._proxy(request).remove_toxic(request.path_params["toxic"])
        return Response(status_code=204)

    def _proxy(self, request: Request) -> Proxy:
        return self._collection.get(request.path_params["proxy"])


class _RequestIds:
    """Gives each answer a request id, as Toxiproxy does wherever it knows path and method."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_identified(message: Message) -> None:
            if message["type"] == "http.response.start" and not scope.get(_UNROUTED):
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = secrets.token_hex(_REQUEST_ID_CHARACTERS // 2)
            await send(message)

        await self._application(scope, receive, send_identified)


def _route(path: str, methods: list[str], handler: _Handler) -> Route:
    """One route that answers these methods alone; Starlette would add HEAD to GET."""
    route = Route(path, handler, methods=methods)
    route.methods = set(methods)
    return route


async def _json_body(request: Request) -> object:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ApiError(413, f"request body is larger than {BODY_BYTES_MAX} bytes")
    try:
        value: object = orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise bad_request(str(error)) from error
    return value


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def _api_error(request: Request, error: Exception) -> Response:
    """Toxiproxy sends its errors through Go's http.Error: JSON, a newline, and text/plain as its type."""
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return PlainTextResponse(orjson.dumps(error.document()) + b"\n", error.status, _NO_SNIFFING)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    request.scope[_UNROUTED] = True
    if error.status_code == 404:
        return PlainTextResponse("404 page not found\n", 404, _NO_SNIFFING)
    return Response(status_code=error.status_code)
