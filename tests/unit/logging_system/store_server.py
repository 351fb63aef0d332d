"""A store on a real socket that says exactly what a test tells it to, plainly or over TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

from logging_system.delivery.machine import Item

ITEMS = [Item(b"e" * 16, 1, b'{"message":"a"}'), Item(b"e" * 16, 2, b'{"message":"b"}')]
CREATED = b'{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}'

Answering = Callable[[bytes], Iterable[bytes]]
"""From a whole request to the parts of the answer."""


def http(body: bytes, status: bytes = b"200 OK", headers: bytes = b"", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, size, headers, body)


class StoreServer:
    """Serves connections side by side and keeps them open; `answer` None never answers.

    Attributes:
        requests: Every request, head and body, in the order they came.
        connections: How many connections were accepted.
    """

    def __init__(self, answer: bytes | Answering | None, context: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.context = context
        self.requests: list[bytes] = []
        self.connections = 0
        self._closing = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if context is None else "https"
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{scheme}://{self.address}"
        self._start(self._accept)

    def close(self) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def wait(self, seconds: float) -> bool:
        """Wait, for an answer that drips; true when the server is closing."""
        return self._closing.wait(seconds)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            self.requests.append(request)
            if self.answer is None:
                self._closing.wait()
                return
            parts = [self.answer] if isinstance(self.answer, bytes) else self.answer(request)
            said = b""
            for part in parts:
                connection.sendall(part)
                said += part[:1024]
            if b"Content-Length" not in said or b"Connection: close" in said:
                return


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return b""
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
