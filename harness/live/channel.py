"""The desk across processes: a page that Locust serves asks the run through a socket in a private folder.

A request is a line (`shown`, `scorecard NUMBER`, `ask JSON`), the answer is all that follows until the end.
The socket is a file that only its owner may open, so nobody has to be asked who he is.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingMixIn, UnixStreamServer
from typing import Any

import orjson

from harness.live.desk import Answer, Desk, Wish, read_wish
from harness.model.errors import UnavailableError

ANSWER_SECONDS = 5.0
_LINE_BYTES_MAX = 128 * 1024
_PATH_BYTES_MAX = 107


class RemoteDesk:
    """Implements Desk in another process than the run's.

    Args:
        path: of the socket.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def shown(self) -> bytes:
        """Return what there is to show now, as JSON."""
        return self._asked(b"shown")

    def ask(self, wish: Wish) -> Answer:
        """Take a wish, or say why not."""
        told = orjson.loads(self._asked(b"ask " + orjson.dumps(wish)))
        return Answer(bool(told["taken"]), str(told["words"]))

    def scorecard(self, number: int) -> str | None:
        """Return the HTML of a snapshot's scorecard; None where there is none of that number."""
        return self._asked(b"scorecard %d" % number).decode() or None

    def _asked(self, line: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(self._path)
            connection.sendall(line + b"\n")
            parts = []
            while part := connection.recv(1 << 16):
                parts.append(part)
        return b"".join(parts)


class DeskServer:
    """Lets another process ask a desk of this one.

    Args:
        desk: what is asked.
        path: of the socket, in a folder of this user alone.

    Raises:
        UnavailableError: the socket cannot be made there.
    """

    def __init__(self, desk: Desk, path: Path) -> None:
        if len(bytes(path)) > _PATH_BYTES_MAX:
            raise UnavailableError(f"{path}: too long for a socket; set TMPDIR to a shorter folder")
        try:
            self._server = _Server(str(path), _Handler)
        except OSError as error:
            raise UnavailableError(f"{path}: the socket cannot be made: {error.strerror}") from error
        path.chmod(0o600)
        self._server.desk = desk
        self._path = path
        self._thread = threading.Thread(target=self._server.serve_forever, name="live desk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; idempotent."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    desk: Desk

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a page that went away."""


class _Handler(StreamRequestHandler):
    timeout = ANSWER_SECONDS

    def handle(self) -> None:
        """Answer one request."""
        assert isinstance(self.server, _Server)  # noqa: S101 - tells the type checker whose handler this is
        word, _, rest = self.rfile.readline(_LINE_BYTES_MAX).strip().partition(b" ")
        with suppress(BrokenPipeError):
            self.wfile.write(_answer(self.server.desk, word, rest))


def _answer(desk: Desk, word: bytes, rest: bytes) -> bytes:
    if word == b"shown":
        return desk.shown()
    if word == b"scorecard" and rest.isdigit():
        return (desk.scorecard(int(rest)) or "").encode()
    try:
        return orjson.dumps(desk.ask(read_wish(rest)))
    except ValueError as error:
        return orjson.dumps(Answer(False, str(error)))
