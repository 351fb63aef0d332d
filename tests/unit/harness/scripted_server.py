"""A server for clients' tests: it answers each connection with the same bytes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ScriptedServer:
    """Answers each connection with the same bytes and keeps what it was sent."""

    def __init__(self, answer: bytes, *, hangs: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._hangs = hangs
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._kept: list[socket.socket] = []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        # On Linux a shutdown wakes the accept() that a mere close would leave waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for connection in [*self._kept, self._listener]:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(5)
            if self._tls is not None:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except OSError:
                    connection.close()  # the client does not believe the certificate
                    continue
            self.requests.append(_read_request(connection))
            connection.sendall(self._answer)
            if self._hangs:
                self._kept.append(connection)
            else:
                connection.close()


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    size = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < size:
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    assert received, "the client left in mid-request"
    return received


@contextmanager
def scripted(
    answer: bytes, *, hangs: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    server = ScriptedServer(answer, hangs=hangs, tls=tls)
    try:
        yield server
    finally:
        server.close()


def http(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)
