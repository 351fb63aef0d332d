"""The part of Mailpit's API that is here.

https://mailpit.axllent.org/docs/api-v1/
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parseaddr
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from harness.programs.serving import BrowserStop
from harness.programs.smtp_lite.mailbox import CODE_MAX, CODE_MIN, Chaos, Mailbox, Trigger

BODY_BYTES_MAX = 64 * 1024
LIMIT_MAX = 500
_TRIGGERS = {"Sender": "sender", "Recipient": "recipient"}


class Api:
    """One method a route."""

    def __init__(self, mailbox: Mailbox, chaos: Chaos) -> None:
        self._mailbox = mailbox
        self._chaos = chaos

    def application(self) -> ASGIApp:
        """All of it as an ASGI application."""
        routes = [
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/api/v1/messages", self.messages, methods=["GET"]),
            Route("/api/v1/message/{identity:str}/raw", self.raw, methods=["GET"]),
            Route("/api/v1/chaos", self.chaos, methods=["GET"]),
            Route("/api/v1/chaos", self.set_chaos, methods=["PUT"]),
        ]
        return BrowserStop(Starlette(routes=routes))

    async def ready(self, request: Request) -> Response:
        """200 as soon as anything is answered."""
        return Response(b"ok\n", media_type="text/plain")

    async def messages(self, request: Request) -> Response:
        """What came, newest first."""
        start, limit = (
            int(text) if (text := request.query_params.get(name, str(otherwise))).isdecimal() else -1
            for name, otherwise in (("start", 0), ("limit", 50))
        )
        if start < 0 or limit < 0:
            return _error("start and limit are numbers from 0")
        every = self._mailbox.messages[::-1]
        shown = every[start : start + min(limit, LIMIT_MAX)]
        return _json({"total": len(every), "start": start, "messages": [_summary(each) for each in shown]})

    async def raw(self, request: Request) -> Response:
        """A message as it came."""
        found = self._mailbox.find(request.path_params["identity"])
        if found is None:
            return Response(b"message not found\n", 404, media_type="text/plain")
        return Response(base64.b64decode(found["content"]), media_type="text/plain")

    async def chaos(self, request: Request) -> Response:
        """Who is refused now."""
        triggers = {word: getattr(self._chaos, name) for word, name in _TRIGGERS.items()}
        return _json(
            {word: {"ErrorCode": each.code, "Probability": each.percent} for word, each in triggers.items()}
        )

    async def set_chaos(self, request: Request) -> Response:
        """Refuse whom the body names from now on, and nobody else."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return _error(f"the body is larger than {BODY_BYTES_MAX} bytes")
        try:
            wanted = orjson.loads(body or b"{}")
            if unknown := sorted(set(wanted) - {*_TRIGGERS, "Authentication"}):
                return _error(f"unknown field {unknown[0]!r}")
            fresh = {name: _trigger(wanted.get(word)) for word, name in _TRIGGERS.items()}
        except (ValueError, TypeError, AttributeError) as error:
            return _error(str(error))
        self._chaos.sender, self._chaos.recipient = fresh["sender"], fresh["recipient"]
        return await self.chaos(request)


def _trigger(said: Any) -> Trigger:
    """Return a trigger; one that is not named refuses nobody.

    Raises:
        ValueError: it is out of range.
    """
    if said is None:
        return Trigger()
    code, percent = int(said.get("ErrorCode", 451)), int(said.get("Probability", 0))
    if not CODE_MIN <= code <= CODE_MAX or not 0 <= percent <= 100:
        raise ValueError(f"ErrorCode is {CODE_MIN} to {CODE_MAX}, Probability 0 to 100")
    return Trigger(code, percent)


def _summary(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    content = base64.b64decode(entry["content"])
    message = message_from_bytes(content)
    to = _addresses(message, "To")
    shown = {each["Address"] for each in (*to, *_addresses(message, "Cc"))}
    created = datetime.fromtimestamp(entry["unix_ns"] / 1e9, UTC).isoformat(timespec="milliseconds")
    return {
        "ID": entry["id"],
        "MessageID": str(message.get("Message-ID", "")).strip("<>"),
        "From": _address(*parseaddr(str(message.get("From", entry["sender"])))),
        "To": to,
        "Cc": _addresses(message, "Cc"),
        # Whom the envelope names and no header does.
        "Bcc": [_address("", each) for each in entry["recipients"] if each not in shown],
        "Subject": str(message.get("Subject", "")),
        "Created": created.replace("+00:00", "Z"),
        "Size": len(content),
    }


def _addresses(message: Message, header: str) -> Sequence[Mapping[str, str]]:
    return [_address(*pair) for pair in getaddresses([str(each) for each in message.get_all(header, [])])]


def _address(name: str, address: str) -> Mapping[str, str]:
    return {"Name": name, "Address": address}


def _error(what: str) -> Response:
    return _json({"Error": what}, 400)


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
