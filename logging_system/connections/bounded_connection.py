"""HTTP connections with one time limit for the whole request and one size limit for its answer.

A socket's own timeout starts again with every read, so a server that drips a byte now and then can hold a
thread for hours, in the status line, a chunk's size or the body alike. Here every operation gets what is left
of the request's time, and every byte counts.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError


class AnswerTooLargeError(OSError):
    """The answer is larger than any answer to our requests can be."""


@dataclass(slots=True)
class _Budget:
    deadline_seconds: float
    answer_bytes_left: int


class _Running(threading.local):
    budget: _Budget | None = None


_running = _Running()


@contextmanager
def bounded(seconds_max: float, answer_bytes_max: int) -> Iterator[None]:
    """Bound what this thread does on these connections until the block ends.

    Looking a host name up is the one step left out: the system's resolver has a bound of its own.

    Args:
        seconds_max: From connecting to the answer's last byte.
        answer_bytes_max: What may be read from the wire, headers included.

    Returns:
        A context. What takes longer in it raises TimeoutError, and what reads more AnswerTooLargeError.
    """
    # What this thread was in the middle of, such as a delivery that needs a key, keeps its own bound.
    outer, _running.budget = _running.budget, _Budget(time.monotonic() + seconds_max, answer_bytes_max)
    try:
        yield
    finally:
        _running.budget = outer


def seconds_left() -> float | None:
    """Return what is left of the running request's time; None outside of one.

    Raises:
        TimeoutError: Nothing is left.
    """
    budget = _running.budget
    if budget is None:
        return None
    left_seconds = budget.deadline_seconds - time.monotonic()
    if left_seconds <= 0:
        raise TimeoutError("the request took longer than it may in all")
    return left_seconds


def _count_read(read_bytes: int) -> int:
    budget = _running.budget
    if budget is not None:
        budget.answer_bytes_left -= read_bytes
        if budget.answer_bytes_left < 0:
            raise AnswerTooLargeError("the answer is larger than an answer can be")
    return read_bytes


class _Bounded(socket.socket):
    """The three operations that http.client uses once a connection is there."""

    def recv_into(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(seconds_left())
        return _count_read(super().recv_into(*arguments, **named))

    def send(self, *arguments: Any, **named: Any) -> int:
        self.settimeout(seconds_left())
        return super().send(*arguments, **named)

    def sendall(self, *arguments: Any, **named: Any) -> None:
        # For a plain socket the timeout is that of the whole call; TLS comes back to `send` for each part.
        self.settimeout(seconds_left())
        super().sendall(*arguments, **named)


class _BoundedTls(_Bounded, ssl.SSLSocket):
    """As above, over TLS; its handshake takes the timeout set before as that of the whole handshake."""


def obey_bounds(context: ssl.SSLContext) -> ssl.SSLContext:
    """Make the sockets that `context` wraps bounded ones.

    Args:
        context: It is changed.

    Returns:
        The same context.
    """
    context.sslsocket_class = _BoundedTls
    return context


def open_socket(host: str, port: int) -> socket.socket:
    """Connect to one of a host's addresses; each gets its share of the time, so the last is tried too.

    Args:
        host: Name or address.
        port: TCP port.

    Returns:
        A connected socket that obeys the bounds of this thread.

    Raises:
        socket.gaierror: The name has no address, or can be none.
        TimeoutError: Connecting took too long.
        OSError: No address could be connected to.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "no host can have this name") from error
    for number, (family, kind, protocol, _name, address) in enumerate(found):
        left_seconds = seconds_left()
        opened = _Bounded(family, kind, protocol)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(None if left_seconds is None else left_seconds / (len(found) - number))
            opened.connect(address)
            opened.settimeout(seconds_left())
        except OSError:
            opened.close()
            # Not kept in a variable: an exception and the frame that it names would hold each other.
            if number + 1 == len(found):
                raise
            continue
        return opened
    raise OSError("the name has no address")


def _connect(connection: HTTPConnection) -> socket.socket:
    try:
        return open_socket(connection._dns_host, connection.port or 0)
    except socket.gaierror as error:
        raise NameResolutionError(connection._dns_host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "connecting took too long") from error
    except OSError as error:
        raise NewConnectionError(connection, f"cannot connect: {error}") from error


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class BoundedPool(urllib3.HTTPConnectionPool):
    """Plain connections to one node, bounded."""

    ConnectionCls = _Connection


class BoundedTlsPool(urllib3.HTTPSConnectionPool):
    """TLS connections to one node, bounded; their context must have been through `obey_bounds`."""

    ConnectionCls = _TlsConnection

    def _validate_conn(self, conn: Any) -> None:
        # Without urllib3's warning for an unverified connection: whoever chose that has said so, and where
        # warnings are errors it would keep every request from being sent.
        if conn.is_closed:
            conn.connect()
