"""Real receivers for the tests of channels: an HTTP and an SMTP server, which can be told to refuse."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from aiosmtpd.smtp import SMTP, AuthResult

from logging_system.alerting.facts import AlertNotice, Labels, Notification
from logging_system.alerting.messages import Letter, letter_of
from tests.repository import REPOSITORY

LABELS: Labels = (("service.name", "checkout"),)


def notification(**changes: Any) -> Notification:
    facts: dict[str, Any] = {
        "fingerprint": "f00d",
        "rule": "errors",
        "labels": LABELS,
        "severity": "critical",
        "is_firing": True,
        "since_seconds": 1_700_000_000.0,
        "until_seconds": None,
        "times": 1,
        "summary": "12 records of level error or above",
        "examples": ("error shop: <!channel> <b>bold</b> ``` @here",),
        "runbook": "https://runbook.example/errors",
        "query": 'log.level: error and service.name: "checkout"',
    }
    notice = AlertNotice(**{**facts, **changes})
    return Notification("k" * 32, (("rule", "errors"),), (notice,), 1_700_000_010.0)


def letter(**changes: Any) -> Letter:
    return letter_of(notification(**changes), REPOSITORY / "spool")


@dataclass
class HttpReceiver:
    """What a webhook receiver got; `answers` are used up first, then it says 200."""

    url: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(body) for _, body in self.requests]

    @property
    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = HttpReceiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class MailReceiver:
    """What a mail server got; `answers` are used up first, one a message, then it takes all."""

    host: str = "127.0.0.1"
    port: int = 0
    refused_recipients: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("250"):
                return answer
        self.messages.append(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_receiver(
    context: ssl.SSLContext | None = None, login: tuple[str, str] | None = None
) -> Iterator[MailReceiver]:
    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        is_right = login is not None and (given.login.decode(), given.password.decode()) == login
        return AuthResult(success=is_right, handled=is_right)

    receiver = MailReceiver()
    # Not by its Controller: that one connects to the port it was asked for, and 0 is none.
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            receiver,
            tls_context=context,
            require_starttls=context is not None,
            authenticator=authenticate if login else None,
            auth_required=login is not None,
            loop=loop,
        )

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0))
    receiver.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(_cancel_all, loop)
        thread.join(10)
        loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        loop.stop()

    loop.create_task(end())
