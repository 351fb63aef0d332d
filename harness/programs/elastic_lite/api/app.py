"""The ASGI application: bytes and headers in, a handler's answer out, in Elasticsearch's media types."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import sys
import traceback
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers

from harness.programs.elastic_lite.api import (
    blocks_api,
    cat_api,
    cluster_api,
    documents_api,
    field_caps_api,
    health_api,
    indices_api,
    msearch_api,
    rollover_api,
    scroll_api,
    search_api,
    states_api,
    stats_api,
    templates_api,
)
from harness.programs.elastic_lite.api.http import Answer, Call, Server
from harness.programs.elastic_lite.api.routes import OwnReading, Route, Router, check_body, check_parameters
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    PlainError,
    illegal_argument,
    unsupported,
)
from harness.programs.elastic_lite.language.filter_path import apply_filter_path
from harness.programs.elastic_lite.language.spelled_json import loads_whole

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTES: list[Route] = [
    *documents_api.ROUTES,
    *search_api.ROUTES,
    *scroll_api.ROUTES,
    *msearch_api.ROUTES,
    *field_caps_api.ROUTES,
    *stats_api.ROUTES,
    *indices_api.ROUTES,
    *blocks_api.ROUTES,
    *rollover_api.ROUTES,
    *templates_api.ROUTES,
    *cluster_api.ROUTES,
    *health_api.ROUTES,
    *cat_api.ROUTES,
    *states_api.ROUTES,
]
JSON_TYPES = frozenset({"application/json", "application/vnd.elasticsearch+json"})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/vnd.elasticsearch+x-ndjson"})
COMPATIBLE = re.compile(r"compatible-with\s*=\s*(\d+)")
OTHER_FORMS = ("yaml", "cbor", "smile")
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})
GZIP_LEVEL = 3  # Elasticsearch's http.compression_level
# Of a defect's traceback: a reader of the log who is slow must not be flooded.
TRACEBACK_FRAMES = 20
OFF_LOOP_BYTES = 64 * 1024


class BodyTooLargeError(Exception):
    """The body is above the limit; Elasticsearch answers 413 without a body."""


class ClientGoneError(Exception):
    """The client went away before its body was whole: nothing of it may be executed."""


class Application:
    """Serves the API.

    Args:
        server: What handlers work on.
        body_bytes_max: The largest body, as sent and decompressed (http.max_content_length).
    """

    def __init__(self, server: Server, body_bytes_max: int) -> None:
        self.server = server
        self.body_bytes_max = body_bytes_max
        self.router = Router(ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"elastic_lite serves HTTP only, not {scope['type']}")
        headers = Headers(scope=scope)
        parameters = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        try:
            body = await self.read_body(headers, receive)
        except BodyTooLargeError:
            await send_bytes(send, 413, {"connection": "close"}, b"", True)
            return
        except ClientGoneError:
            return
        answer = await self.answer(scope, headers, parameters, body)
        await self.send_answer(scope, headers, parameters, answer, send)

    async def read_body(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body as sent.

        Raises:
            BodyTooLargeError: It is, or says it is, above the limit.
            ClientGoneError: The connection ended first.
        """
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > self.body_bytes_max:
            raise BodyTooLargeError
        parts: list[bytes] = []
        size, more = 0, True
        while more:  # ends with the body, the client or the limit
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            part = message.get("body", b"")
            size += len(part)
            if size > self.body_bytes_max:
                raise BodyTooLargeError
            parts.append(part)
            more = message.get("more_body", False)
        return b"".join(parts)

    async def answer(self, scope: Scope, headers: Headers, parameters: dict[str, str], body: bytes) -> Answer:
        """The handler's answer, or its error's."""
        method = scope["method"]
        raw_path = scope["raw_path"].decode("latin-1").partition("?")[0]
        try:
            check_accept(headers)
            route, names = self.router.find(method, raw_path)
            check_content_type(headers, body, names_ndjson=route.path.endswith(("/_bulk", "/_msearch")))
            check_parameters(route, parameters)
            check_body(route, method, raw_path, body)
            body = await self.decompressed(headers, body)
            keys = None if isinstance(route.body, OwnReading) else route.body
            accept = headers.get("accept", "")
            call = Call(method, names, parameters, body, keys, address_of(scope), accept)
            answer = await route.handler(self.server, call)
            if "filter_path" in parameters and answer.status < 400:
                answer = Answer(
                    filtered(answer.body, parameters["filter_path"]), answer.status, answer.headers
                )
        except ElasticError as error:
            extra = (
                {"allow": ",".join(error.allowed)} if isinstance(error, PlainError) and error.allowed else {}
            )
            return Answer(error.as_body(), error.status, extra)
        except BodyTooLargeError:
            return Answer(b"", 413, {"connection": "close"})
        except Exception as error:
            failed = self.broken(error)
            return Answer(failed.as_body(), failed.status)
        return answer

    def broken(self, error: Exception) -> ElasticError:
        """What is answered to an error that no handler foresaw; a defect leaves its trace in the log."""
        if isinstance(error, sqlite3.Error):
            return ElasticError(500, "i_o_exception", f"{self.server.storage.path}: {error}")
        if isinstance(error, RecursionError):
            return illegal_argument("the request is nested too deeply to be read")
        traceback.print_exception(error, limit=-TRACEBACK_FRAMES, file=sys.stderr)
        return ElasticError(500, "internal_error", f"defect in elastic_lite: {error!r}")

    async def decompressed(self, headers: Headers, body: bytes) -> bytes:
        """The body without its gzip encoding.

        Raises:
            BodyTooLargeError: It grows above the limit.
        """
        if headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip") or not body:
            return body
        return await self.server.on_thread(lambda: gunzip(body, self.body_bytes_max))

    async def send_answer(
        self, scope: Scope, headers: Headers, parameters: dict[str, str], answer: Answer, send: Send
    ) -> None:
        """Serialise, compress where the client takes it, and send."""
        out = {**answer.headers}
        if isinstance(answer.body, str):
            content, out["content-type"] = answer.body.encode(), "text/plain; charset=UTF-8"
        elif answer.body == b"":
            content = b""
        else:
            answer, content = encoded(answer, "pretty" in parameters)
            out["content-type"] = answer_type(headers)
        if content and "gzip" in headers.get("accept-encoding", "").lower():
            out["content-encoding"] = "gzip"
            content = await self.compressed(content)
        await send_bytes(send, answer.status, out, content, scope["method"] != "HEAD")

    async def compressed(self, content: bytes) -> bytes:
        """The content in gzip; large ones off the event loop."""
        if len(content) < OFF_LOOP_BYTES:
            return gzip.compress(content, GZIP_LEVEL)
        return await self.server.on_thread(lambda: gzip.compress(content, GZIP_LEVEL))


def encoded(answer: Answer, pretty: bool) -> tuple[Answer, bytes]:
    """An answer with its JSON; one with half a surrogate pair becomes a refusal, an error has it escaped."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if pretty else 0
    try:
        return answer, orjson.dumps(answer.body, option=option)
    except orjson.JSONEncodeError:
        if answer.status >= 400:
            return answer, json.dumps(answer.body).encode()
    refused = unsupported("half a surrogate pair in an answer")
    return Answer(refused.as_body(), refused.status), orjson.dumps(refused.as_body(), option=option)


def address_of(scope: Scope) -> str:
    """Where this server was reached."""
    host, port = scope.get("server") or ("127.0.0.1", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def filtered(body: Any, filter_path: str) -> Any:
    """An answer cut to a `filter_path`; documents in it are opened for that."""
    if isinstance(body, str):
        return body
    try:
        content = orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise unsupported("half a surrogate pair in an answer") from error
    return apply_filter_path(loads_whole(content), filter_path)


def gunzip(body: bytes, bytes_max: int) -> bytes:
    """A gzip body decompressed, never beyond a limit; what is not gzip gives nothing, as in Elasticsearch.

    Raises:
        BodyTooLargeError: The limit is reached.
    """
    opener = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = opener.decompress(body, bytes_max + 1)
    except zlib.error:
        return b""
    if len(content) > bytes_max:
        raise BodyTooLargeError
    return content


def compatible_version(value: str) -> str | None:
    """The major version that a media type asks to be compatible with."""
    found = COMPATIBLE.search(value)
    return found[1] if found else None


def check_accept(headers: Headers) -> None:
    """Refuse an answer form of a version that 8.19 cannot speak, and forms that only Elasticsearch speaks.

    Raises:
        ElasticError: 400 that names the header.
    """
    for name in ("accept", "content-type"):
        value = headers.get(name, "")
        if any(form in value.lower() for form in OTHER_FORMS):
            raise unsupported(f"`{name.title()}: {value}`")
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise unsupported(f"`Content-Encoding: {encoding}`")
    for name in ("accept", "content-type"):
        value = headers.get(name, "")
        version = compatible_version(value)
        if version not in (None, "7", "8"):
            shown = name.title()
            reason = f"{shown} version must be either version 8 or 7, but found {version}. {shown}={value}"
            cause = {"type": "status_exception", "reason": reason}
            kind = "media_type_header_exception"
            raise ElasticError(
                400, kind, "Invalid media-type value on headers [Accept, Content-Type]", cause=cause
            )


def check_content_type(headers: Headers, body: bytes, names_ndjson: bool) -> None:
    """Refuse a body in a form that the route cannot read."""
    if not body:
        return
    value = headers.get("content-type", "")
    kind = value.partition(";")[0].strip().lower()
    if kind in JSON_TYPES or (names_ndjson and kind in NDJSON_TYPES):
        return
    raise PlainError(406, f"Content-Type header [{value}] is not supported")


def answer_type(headers: Headers) -> str:
    """The media type of a JSON answer: the versioned one for a client that asks for it."""
    accept = headers.get("accept", "")
    if "vnd.elasticsearch+json" in accept:
        return f"application/vnd.elasticsearch+json;compatible-with={compatible_version(accept) or '8'}"
    return "application/json"


async def send_bytes(
    send: Send, status: int, headers: dict[str, str], content: bytes, with_body: bool
) -> None:
    """Send a response; one to HEAD has the headers of its body only."""
    listed = [(b"x-elastic-product", b"Elasticsearch"), (b"content-length", str(len(content)).encode())]
    listed += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": content if with_body else b""})
