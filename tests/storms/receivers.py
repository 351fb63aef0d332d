"""A mail server (aiosmtpd) and a webhook receiver with outages by a timetable, and what each of them took.

Both run on one event loop of one thread. A receiver that is down has no socket; one that cuts has taken the
message and says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import h11
import orjson
from aiosmtpd.smtp import SMTP

Mode = Literal["down", "4xx", "5xx", "busy", "slow", "cut", "parks"]
MODES: tuple[Mode, ...] = ("down", "4xx", "5xx", "busy", "slow", "cut")
"""What may pass; `parks` refuses for good, by 400 or 554."""
RETRY_AFTER_SECONDS = 1
TIMEOUT_SECONDS = 3.0
"""How long a channel of a storm waits for an answer."""
SLOW_SECONDS = 4.0
_SURELY_SECONDS = 1.0
"""An answer that took a busy machine longer may not have come in time."""
_HTTP_STATUS: dict[Mode, int] = {"4xx": 404, "5xx": 503, "busy": 429, "parks": 400}
_MAIL_ANSWER: dict[Mode, str] = {
    "4xx": "451 not now",
    "5xx": "421 service not available",
    "busy": "452 too much at once",
    "parks": "554 never",
}
_TAKING: frozenset[Mode | None] = frozenset({None, "cut", "slow"})
"""In these a receiver takes the message, whatever it says."""
_SILENT: frozenset[Mode | None] = frozenset({"cut", "down"})
"""In these a connection ends without an answer; one that goes down may have accepted it just before."""
_BODY_BYTES_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a receiver is not well, in seconds of the monotonic clock.

    Attributes:
        start_seconds: Its beginning.
        end_seconds: Its end.
        mode: What it does.
    """

    start_seconds: float
    end_seconds: float
    mode: Mode


@dataclass(frozen=True, slots=True)
class Took:
    """A message that a receiver took.

    Attributes:
        at_seconds: When, by the monotonic clock.
        key: The deduplication key.
        body: What `generic` posts, or the text of a mail.
        is_answered: Whether the sender was told so.
    """

    at_seconds: float
    key: str
    body: Any
    is_answered: bool


@dataclass(slots=True)
class Receiver:
    """One receiver.

    Attributes:
        name: The channel's name.
        port: Where it listens.
        outages: Its timetable, in order.
        took: What it took.
        answered: How often it did what, by mode.
    """

    name: str
    port: int = 0
    outages: tuple[Outage, ...] = ()
    took: list[Took] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)

    def mode(self) -> Mode | None:
        """Return what it does now; None where it is well."""
        now_seconds = time.monotonic()
        for outage in self.outages:
            if outage.start_seconds <= now_seconds < outage.end_seconds:
                return outage.mode
        return None

    def note(self, mode: Mode | None) -> None:
        """Count what it did."""
        self.answered[mode or "well"] = self.answered.get(mode or "well", 0) + 1

    def take(self, key: str, body: Any, *, is_answered: bool) -> None:
        """Take a message."""
        self.took.append(Took(time.monotonic(), key, body, is_answered))


_Serve = Callable[[Receiver, socket.socket], Coroutine[Any, Any, asyncio.Server]]


@contextmanager
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    """Run a webhook receiver and a mail server; yields both."""
    hook, mail = Receiver("hook"), Receiver("mail")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="storm-receivers", daemon=True)
    thread.start()
    tasks = [
        asyncio.run_coroutine_threadsafe(_keep(receiver, serve), loop)
        for receiver, serve in ((hook, _serve_http), (mail, _serve_mail))
    ]
    try:
        while not (hook.port and mail.port):
            time.sleep(0.005)
        yield hook, mail
    finally:
        for task in tasks:
            task.cancel()
        loop.call_soon_threadsafe(lambda: loop.create_task(_end(loop)))
        thread.join(10)
        loop.close()


async def _end(loop: asyncio.AbstractEventLoop) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop.stop()


async def _keep(receiver: Receiver, serve: _Serve) -> None:
    """Keep a server up, and its socket away while it is down."""
    server: asyncio.Server | None = None
    try:
        while True:
            is_down = receiver.mode() == "down"
            if is_down and server is not None:
                server.close()
                server = None
            elif not is_down and server is None:
                listening = socket.socket()
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(("127.0.0.1", receiver.port))
                receiver.port = listening.getsockname()[1]
                server = await serve(receiver, listening)
            await asyncio.sleep(0.02)
    finally:
        if server is not None:
            server.close()


async def _serve_http(receiver: Receiver, listening: socket.socket) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError):
            await _answer_http(receiver, reader, writer)
        writer.transport.abort()

    return await asyncio.start_server(answer, sock=listening)


async def _answer_http(
    receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    began_seconds = time.monotonic()
    connection = h11.Connection(h11.SERVER)
    key, body = await _request(connection, reader)
    mode = receiver.mode()
    receiver.note(mode)
    if mode in _TAKING:
        is_answered = mode is None and time.monotonic() - began_seconds < _SURELY_SECONDS
        receiver.take(key, orjson.loads(body), is_answered=is_answered)
    if mode in _SILENT:
        return
    if mode == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    status = 200 if mode is None else _HTTP_STATUS.get(mode, 200)
    headers = [("content-length", "0"), ("connection", "close")]
    if mode == "busy":
        headers.append(("retry-after", str(RETRY_AFTER_SECONDS)))
    writer.write(connection.send(h11.Response(status_code=status, headers=headers)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return the key and the body of a request; a connection that ends before raises."""
    key, body = "", b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            key = dict(event.headers)[b"webhook-id"].decode()
        elif isinstance(event, h11.Data):
            body = (body + event.data)[:_BODY_BYTES_MAX]
        elif isinstance(event, h11.EndOfMessage):
            return key, body
        else:
            raise h11.RemoteProtocolError("no whole request")


class _MailHandler:
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._began_seconds = time.monotonic()

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        receiver, mode = self._receiver, self._receiver.mode()
        receiver.note(mode)
        if mode in _TAKING:
            text = envelope.content.decode()
            key = text.partition("Message-ID: <")[2].partition("@")[0]
            is_answered = mode is None and time.monotonic() - self._began_seconds < _SURELY_SECONDS
            receiver.take(key, text, is_answered=is_answered)
        if mode in _SILENT:
            server.transport.abort()
        if mode == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        return "250 OK" if mode is None else _MAIL_ANSWER.get(mode, "250 OK")


async def _serve_mail(receiver: Receiver, listening: socket.socket) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SMTP(_MailHandler(receiver), loop=loop), sock=listening)
