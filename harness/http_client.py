"""The HTTP client of the harness's own calls: one request, one bounded answer, on a connection of its own.

It asks the address directly, whatever proxy the environment names, and follows no redirect. The load's intake
(`load/intakes/http.py`) measures its calls and keeps its connections, so it has a client of its own.
"""

from __future__ import annotations

import base64
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

import h11

_CHUNK_BYTES = 65_536
_PORTS = {"http": 80, "https": 443}


class HttpError(Exception):
    """A call has no answer that can be used; the message begins with the call."""


class TimedOutError(HttpError):
    """The whole answer is not there in time."""


class UnreachableError(HttpError):
    """Nothing answers HTTP at the address, or the answer breaks off."""


class TooLongError(HttpError):
    """The answer is longer than the caller allows.

    Attributes:
        status: the HTTP status it had.

    Args:
        message: one line with the call and the bound that its answer exceeds.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whatever its status; `where` names the call, for messages."""

    where: str
    status: int
    body: bytes


def call(
    method: str,
    url: str,
    *,
    timeout_seconds: float,
    answer_bytes_max: int,
    body: bytes | None = None,
    content_type: str = "application/json",
) -> HttpAnswer:
    """Make one call.

    Args:
        method: `GET`, `POST` and so on.
        url: http or https; a user and password in it are sent as basic authentication and never shown.
        timeout_seconds: bound of the whole call, from connecting to the last byte. Only the look-up of a name
            may take longer, as long as the system's resolver does.
        answer_bytes_max: bound of the answer's body.
        body: what to send, if anything.
        content_type: what the body is.

    Returns:
        The answer, whatever its status; a redirect is not followed.

    Raises:
        TimedOutError: the whole answer is not there in time.
        UnreachableError: there is none to be had.
        TooLongError: there is too much of it.
    """
    deadline = time.monotonic() + timeout_seconds
    where = f"{method} {_without_user(url)}"
    try:
        parts = urlsplit(url)
        with _connected(parts, deadline) as connection:
            exchange = h11.Connection(h11.CLIENT)
            request = h11.Request(
                method=method, target=_target(parts), headers=_headers(parts, body, content_type)
            )
            sent = exchange.send(request) or b""
            if body:
                sent += exchange.send(h11.Data(data=body)) or b""
            sent += exchange.send(h11.EndOfMessage()) or b""
            connection.settimeout(_left(deadline))
            connection.sendall(sent)
            return _answer(where, exchange, connection, deadline, answer_bytes_max)
    except TimeoutError as error:
        raise TimedOutError(f"{where}: no answer within {timeout_seconds:g} s.") from error
    except (OSError, ValueError, h11.ProtocolError) as error:
        raise UnreachableError(f"{where}: no answer ({error}).") from error


def _answer(
    where: str, exchange: h11.Connection, connection: socket.socket, deadline: float, bytes_max: int
) -> HttpAnswer:
    """Return the answer, as far as it comes before the deadline and fits into memory."""
    status = 0
    body = bytearray()
    while not isinstance(event := exchange.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            # Time is looked at before each read: a server that sends a byte now and then cannot outwait it.
            connection.settimeout(_left(deadline))
            exchange.receive_data(connection.recv(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > bytes_max:
                raise TooLongError(f"{where}: the answer exceeds {bytes_max} bytes.", status)
        elif not isinstance(event, h11.InformationalResponse):
            raise ConnectionError("it spoke another protocol")
    return HttpAnswer(where, status, bytes(body))


def _connected(parts: SplitResult, deadline: float) -> socket.socket:
    """Return a connection to the first of the host's addresses that takes one."""
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an http or https address")
    port = parts.port or _PORTS[parts.scheme]
    tls_host = parts.hostname if parts.scheme == "https" else None
    refused: OSError = ConnectionError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        parts.hostname, port, type=socket.SOCK_STREAM
    ):
        try:
            return _opened(socket.socket(family, kind, protocol), address, tls_host, deadline)
        except OSError as error:
            refused = error
    raise refused


def _opened(
    connection: socket.socket, address: tuple[object, ...], tls_host: str | None, deadline: float
) -> socket.socket:
    try:
        connection.settimeout(_left(deadline))
        connection.connect(address)
        if tls_host is None:
            return connection
        connection.settimeout(_left(deadline))
        context = ssl.create_default_context()
        # From Python 3.13 on, the default refuses authorities that Elasticsearch 8.0 to 8.17 made for itself.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context.wrap_socket(connection, server_hostname=tls_host)
    except BaseException:
        connection.close()
        raise


def _left(deadline: float) -> float:
    """Return how many seconds are left, more than none."""
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError("the time is up")
    return left


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _headers(parts: SplitResult, body: bytes | None, content_type: str) -> list[tuple[str, str]]:
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "User-Agent": "logquake",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    if body is not None:
        headers |= {"Content-Type": content_type, "Content-Length": str(len(body))}
    return list(headers.items())


def _without_user(url: str) -> str:
    scheme, slashes, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{authority.rpartition('@')[2]}{slash}{path}"
