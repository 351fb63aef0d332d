"""Asks an ASGI application one thing, as a server would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def asked(
    application: Any, method: str, path: str, headers: dict[str, str], body: bytes = b"", query: str = ""
) -> Answer:
    """Return the answer; a stream is read until it ends."""
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method},
        **{"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode()},
        **{"root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8710)},
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    told: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await application(scope, receive, send)
    start = told[0]
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(each.get("body", b"") for each in told[1:]))
