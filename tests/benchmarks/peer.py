"""The server behind the proxies, in a process of its own: echoes what it gets, or swallows and counts it.

    python peer.py      prints its port; ends when its input does

A connection's first byte says what it wants: `e` echoes; `s` swallows 8 bytes of length and that much, then
answers one byte.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading

CHUNK_BYTES = 1 << 18


def serve(connection: socket.socket) -> None:
    """Serve one connection until its client leaves."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(ConnectionError):
        if connection.recv(1) == b"e":
            while data := connection.recv(CHUNK_BYTES):
                connection.sendall(data)
            return
        left = struct.unpack(">Q", connection.recv(8, socket.MSG_WAITALL))[0]
        buffer = bytearray(CHUNK_BYTES)
        while left and (size := connection.recv_into(buffer, min(left, CHUNK_BYTES))):
            left -= size
        connection.sendall(b".")


def main() -> None:
    """Accept connections for as long as standard input is open."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
