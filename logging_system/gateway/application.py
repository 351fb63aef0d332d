"""The gateway's HTTP side: what is asked, who may ask, and which answer means what.

| answer | meaning |
| --- | --- |
| 200 | every record is durable in the spool; `partialSuccess` tells of those that never can be |
| 400 413 415 | this request can never be taken; nothing of it was kept |
| 401 | no token, or a wrong one |
| 408 | the body did not arrive in time |
| 429 + Retry-After | there is no room now; nothing of it is acknowledged |
| 503 + Retry-After | the disk refuses, or the gateway is shutting down; nothing of it is acknowledged |

OTLP clients send again after 429, 502, 503 and 504 and after nothing else:
https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError, unpack
from logging_system.gateway.intake import DiskError, Intake, NoRoomError
from logging_system.gateway.limits import Limits
from logging_system.gateway.ndjson import read_ndjson
from logging_system.gateway.otlp import iso8601, read_records
from logging_system.gateway.otlp_json import parse_json
from logging_system.gateway.tokens import Tokens
from logging_system.monitoring.counters import both_content
from logging_system.monitoring.prometheus import GatewayCollector, exposition
from logging_system.records.processors import Chain

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
_NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain", ""})


_Answer = Callable[[Request], Awaitable[Response]]


class _UnauthorizedError(Exception):
    """A request without a token that is known here."""


class _SlowBodyError(Exception):
    """A body that did not arrive in time."""


_STATUS_OF: dict[type[Exception], int] = {
    _UnauthorizedError: 401,
    _SlowBodyError: 408,
    NoRoomError: 429,
    DiskError: 503,
    TimeoutError: 503,
    ClientDisconnect: 400,  # nobody is there to read it
}


@dataclass(slots=True)
class Gateway:
    """What the routes share.

    Attributes:
        intake: The way into the spool.
        limits: How much a client may ask.
        tokens: Who may send; None: everybody who can connect.
        chain: What is done to every record before it is kept.
        draining: Whether the gateway is shutting down, which readiness tells a balancer.
    """

    intake: Intake
    limits: Limits
    tokens: Tokens | None
    chain: Chain
    draining: bool = False

    def routes(self) -> Starlette:
        """Return the application to serve."""
        return Starlette(
            routes=[
                Route("/v1/logs", self._guarded(self._otlp), methods=["POST"]),
                Route("/v1/ndjson", self._guarded(self._ndjson), methods=["POST"]),
                Route("/stats", self._guarded(self._stats), methods=["GET"]),
                Route("/metrics", self._guarded(self._metrics), methods=["GET"]),
                Route("/healthz", self._healthy, methods=["GET"]),
                Route("/readyz", self._ready, methods=["GET"]),
            ],
            exception_handlers=dict.fromkeys((BodyError, *_STATUS_OF), self._refuse),
        )

    def _guarded(self, answer: _Answer) -> _Answer:
        async def guarded(request: Request) -> Response:
            request.state.namespace = ""
            if self.tokens is not None:
                grant = self.tokens.allow(request.headers.get("authorization", ""))
                if grant is None:
                    raise _UnauthorizedError("missing or unknown token; send Authorization: Bearer TOKEN")
                request.state.namespace = grant.namespace
            return await answer(request)

        return guarded

    async def _otlp(self, request: Request) -> Response:
        kind = _content_type(request)
        if kind not in (JSON, PROTOBUF):
            raise BodyError(415, f'Content-Type "{kind}" is not supported; send {PROTOBUF} or {JSON}')
        received_ns = time.time_ns()
        body = await self._body(request)
        batch = self._batch(request)
        await asyncio.to_thread(_read_otlp, kind, body, received_ns, batch)
        await self._keep(batch)
        return _export_response(kind, batch)

    async def _ndjson(self, request: Request) -> Response:
        kind = _content_type(request)
        if kind not in _NDJSON:
            raise BodyError(415, f'Content-Type "{kind}" is not supported; send application/x-ndjson')
        received = iso8601(time.time_ns())
        body = await self._body(request)
        batch = self._batch(request)
        await asyncio.to_thread(read_ndjson, body, received, batch)
        await self._keep(batch)
        return _json(
            200,
            {
                "accepted": len(batch.documents),
                "rejected": batch.rejected,
                "why_rejected": batch.why_rejected,
            },
        )

    async def _stats(self, _request: Request) -> Response:
        return _json(200, {**both_content(*self.intake.moment()), "trouble": self.intake.trouble})

    async def _metrics(self, request: Request) -> Response:
        collector = GatewayCollector(self.intake.moment, self.intake.events.counts)
        page, content_type = exposition(collector, request.headers.get("accept", ""))
        return Response(page, 200, media_type=content_type)

    async def _healthy(self, _request: Request) -> Response:
        return _json(200, {"healthy": True})

    async def _ready(self, _request: Request) -> Response:
        why = "the gateway is shutting down" if self.draining else self.intake.trouble
        return _json(503 if why else 200, {"ready": not why, "why": why})

    def _batch(self, request: Request) -> Batch:
        return Batch(self.chain, self.limits.record_bytes_max, request.state.namespace)

    async def _body(self, request: Request) -> bytes:
        limit = self.limits.body_bytes_max
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise _too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds_max):
                async for part in request.stream():
                    body += part
                    if len(body) > limit:
                        raise _too_large(limit)
        except TimeoutError as error:
            seconds = self.limits.body_seconds_max
            raise _SlowBodyError(f"the body did not arrive within {seconds:g} s") from error
        encoding = request.headers.get("content-encoding", "")
        return await asyncio.to_thread(unpack, encoding, bytes(body), limit)

    async def _keep(self, batch: Batch) -> None:
        self.intake.count_dropped(batch.dropped)
        if batch.documents:
            done = asyncio.wrap_future(self.intake.offer(batch.documents))
            async with asyncio.timeout(self.limits.durable_seconds_max):
                # Shielded: the intake goes on with a request that nobody waits for any more.
                await asyncio.shield(done)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, BodyError) else _STATUS_OF[type(error)]
        reason = str(error) or "writing to disk takes too long"
        headers = {}
        if status in (429, 503):
            headers["Retry-After"] = str(self.limits.retry_after_seconds)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"  # RFC 6750, section 3
        if status in (401, 408, 413):
            headers["Connection"] = "close"  # the rest of the body is not read
        if _content_type(request) == PROTOBUF and (encoded := _encoded_status(reason)) is not None:
            return Response(encoded, status, headers, PROTOBUF)
        return _json(status, {"message": reason}, headers)


def _read_otlp(kind: str, body: bytes, received_ns: int, batch: Batch) -> None:
    if kind == JSON:
        read_records(parse_json(body), received_ns, batch)
        return
    try:
        from logging_system.gateway.otlp_protobuf import parse_protobuf
    except ImportError as error:
        raise BodyError(
            415, f"protobuf is not installed here; pip install 'logquake[gateway]', or send {JSON}"
        ) from error
    read_records(parse_protobuf(body), received_ns, batch)


def _export_response(kind: str, batch: Batch) -> Response:
    if kind == PROTOBUF:
        from logging_system.gateway.otlp_protobuf import encode_response

        return Response(encode_response(batch.rejected, batch.why_rejected), 200, media_type=PROTOBUF)
    if not batch.rejected:
        return _json(200, {})
    # 64-bit integers are strings in OTLP's JSON.
    partial = {"rejectedLogRecords": str(batch.rejected), "errorMessage": batch.why_rejected}
    return _json(200, {"partialSuccess": partial})


def _encoded_status(reason: str) -> bytes | None:
    try:
        from logging_system.gateway.otlp_protobuf import encode_status
    except ImportError:
        return None
    return encode_status(reason)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large(limit: int) -> BodyError:
    return BodyError(413, f"the body has more than {limit} bytes; send smaller batches")


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, JSON)
