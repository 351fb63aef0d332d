"""Records enter as syslog: over UDP, TCP, TLS or a Unix datagram socket; the server acknowledges nothing."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from harness.load.syslog_message import FORMATS, FRAMES, json_body
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError, StackError
from harness.model.protocols import EXTRA, MESSAGE, URL, Record

_TIMEOUT_SECONDS_MAX = 60.0
_UNREAD_BYTES_MAX = 4096
_STREAMS = ("tcp", "tls")
_SCHEMES = ("udp", *_STREAMS, "unix")


class NotSentError(StackError):
    """A record did not leave the application whole: no connection, one that ended, or no room in time."""


class Syslog:
    """Sends each record as one syslog message, once; it never sends again.

    Syslog has no answer. A call that returns has handed the whole message to the kernel, and a stack
    promises (`acknowledged_by: return`) to deliver what it was sent. A connection that was closed or reset,
    cannot be made, or takes nothing for `timeout_seconds` is a refusal; the next call connects anew, once.
    Each producer thread keeps a connection of its own.

    Args:
        url: where the server listens: `udp://host:port`, `tcp://host:port`, `tls://host:port`, or
            `unix:///path` for a datagram socket such as /dev/log.
        format: `rfc5424`, which tells time in µs, level, logger and sequence (the last two as structured data
            `logquake@32473`), or `rfc3164`, which tells local time in seconds and level.
        framing: how a stream is divided into messages (RFC 6587); `newline` refuses a line that holds one.
        body: `line`, or `json`: a document on one line with `@timestamp`, `log.level`, `log.logger`,
            `labels.sequence` and `message`.
        timeout_seconds: the longest wait for a connection or for room to send, at most 60.
        ca_file: with `tls`, the certificates that the server's must come from; empty = the system's.
        cert_file: with `tls`, the client's own certificate.
        key_file: the key of `cert_file`, where that does not hold it.

    Raises:
        ScenarioError: the URL, the timeout or a certificate file cannot be used.
    """

    def __init__(
        self,
        url: str,
        format: Literal["rfc5424", "rfc3164"] = "rfc5424",
        framing: Literal["octet_counting", "newline"] = "octet_counting",
        body: Literal["line", "json"] = "line",
        timeout_seconds: float = 10.0,
        ca_file: str = "",
        cert_file: str = "",
        key_file: str = "",
    ) -> None:
        parts = _parts(url)
        if not 0 < timeout_seconds <= _TIMEOUT_SECONDS_MAX:
            raise ScenarioError(
                f"intake.timeout_seconds: {timeout_seconds:g} is not above 0 and at most "
                f"{_TIMEOUT_SECONDS_MAX:g}"
            )
        self._url = url
        self._scheme = parts.scheme
        self._path = unquote(parts.path)
        self._address = (parts.hostname or "", parts.port or 0)
        self._message = FORMATS[format]
        self._frame = FRAMES[framing] if parts.scheme in _STREAMS else _bare
        self._is_json = body == "json"
        self._timeout_seconds = timeout_seconds
        self._tls = _tls(ca_file, cert_file, key_file) if parts.scheme == "tls" else None
        self._mine = threading.local()
        self._sockets: list[socket.socket] = []

    def open(self, acknowledge: Callable[[Iterable[int]], None]) -> None:
        """Do nothing: each producer connects when it first sends, and no server acknowledges anything."""

    def send(self, record: Record) -> None:
        """Hand one message to the kernel, whole.

        Raises:
            NotSentError: there is no connection, it has ended, or there is no room in time.
            ValueError: the framing cannot carry the line.
        """
        now_ns = time.time_ns()
        body = json_body(record, now_ns) if self._is_json else record.line
        message = self._frame(self._message(record, body, now_ns))
        try:
            connection = self._connected()
            try:
                connection.sendall(message)
            except OSError:
                # What is left of a message would spoil the next one.
                self._forget(connection)
                raise
        except OSError as error:
            raise NotSentError(
                f"{self._url}: {len(message):,} bytes not sent: {type(error).__name__}: {error}"
            ) from error

    @staticmethod
    def secret_paths(arguments: Arguments) -> Sequence[str]:
        """Return the line's paths, and a field of its own in a JSON body."""
        return (MESSAGE, EXTRA, URL) if arguments.get("body") == "json" else (MESSAGE, URL)

    def close(self) -> None:
        """Close the connections; the kernel still sends what it holds."""
        for connection in list(self._sockets):
            connection.close()

    def _connected(self) -> socket.socket:
        """Return this thread's connection, a fresh one where there is none or the server has ended it."""
        connection: socket.socket | None = getattr(self._mine, "connection", None)
        if connection is not None and self._scheme in _STREAMS and _ended(connection, self._timeout_seconds):
            self._forget(connection)
            connection = None
        if connection is None:
            connection = self._mine.connection = self._connect()
            self._sockets.append(connection)
        return connection

    def _connect(self) -> socket.socket:
        if self._scheme in _STREAMS:
            stream = socket.create_connection(self._address, self._timeout_seconds)
            if self._tls is None:
                return stream
            try:
                return self._tls.wrap_socket(stream, server_hostname=self._address[0])
            except OSError:
                stream.close()
                raise
        if self._scheme == "unix":
            return _datagrams(socket.AF_UNIX, self._path, self._timeout_seconds)
        family = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0][0]
        return _datagrams(family, self._address, self._timeout_seconds)

    def _forget(self, connection: socket.socket) -> None:
        connection.close()
        self._mine.connection = None
        self._sockets.remove(connection)


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        usable = bool(parts.path if parts.scheme == "unix" else parts.hostname and parts.port)
    except ValueError:
        usable = False
    if parts.scheme not in _SCHEMES or not usable:
        raise ScenarioError(
            f'intake.url "{url}" is no address of a syslog server; write e.g. tcp://127.0.0.1:514, '
            "udp://127.0.0.1:514, tls://logs.example:6514 or unix:///dev/log"
        )
    return parts


def _tls(ca_file: str, cert_file: str, key_file: str) -> ssl.SSLContext:
    for argument, path in (("ca_file", ca_file), ("cert_file", cert_file), ("key_file", key_file)):
        if path and not Path(path).is_file():
            raise ScenarioError(f'intake.{argument}: no file "{path}" is there; mend the path')
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except (OSError, ValueError) as error:
        raise ScenarioError(
            f"intake.ca_file, cert_file, key_file: cannot be used: {error}; they must be PEM files"
        ) from error
    return context


def _datagrams(family: int, address: str | tuple[str, int], timeout_seconds: float) -> socket.socket:
    """Return a connected datagram socket: so the kernel tells when nobody listens there any more."""
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.settimeout(timeout_seconds)
    try:
        datagrams.connect(address)
    except OSError:
        datagrams.close()
        raise
    return datagrams


def _ended(connection: socket.socket, timeout_seconds: float) -> bool:
    """Tell whether the server has ended a connection; what it says otherwise (TLS tickets) is read away."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    connection.settimeout(0)
    try:
        return not connection.recv(_UNREAD_BYTES_MAX)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(timeout_seconds)


def _bare(message: bytes) -> bytes:
    return message
