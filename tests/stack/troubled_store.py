"""A store that answers over real HTTP as it is told to: with nonsense, drop by drop, or without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = b"x" * 65_536


class TroubledStore(ThreadingHTTPServer):
    """Answers every request with `answer`.

    Attributes:
        status: The HTTP status of each answer.
        headers: Headers of each answer beside its length.
        body: The body of each answer.
        repeats: How often a body comes; of more than once it is chunked, a piece at a time.
        pause_seconds: Between two pieces.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.ending = threading.Event()
        self.answer()

    def answer(
        self,
        body: bytes = b"{}",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        repeats: int = 1,
        pause_seconds: float = 0.0,
    ) -> None:
        """Answer so from now on."""
        self.body, self.status, self.headers = body, status, headers or {}
        self.repeats, self.pause_seconds = repeats, pause_seconds

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Say nothing: whoever asks hangs up on an answer that has no end."""


class _Handler(BaseHTTPRequestHandler):
    server: TroubledStore
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        store = self.server
        self.rfile.read(int(self.headers.get("content-length") or 0))
        store.asked.append(self.path)
        self.send_response(store.status)
        for name, value in {"Content-Type": "application/json", **store.headers}.items():
            self.send_header(name, value)
        if store.repeats == 1:
            self.send_header("Content-Length", str(len(store.body)))
            self.end_headers()
            self.wfile.write(store.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(store.repeats):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(store.body), store.body))
            if store.ending.wait(store.pause_seconds):
                break
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - as `http.server` calls them

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def troubled_store() -> Iterator[TroubledStore]:
    """A store that answers as it is told to, as long as the block lasts."""
    with TroubledStore() as store:
        thread = threading.Thread(target=store.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield store
        finally:
            store.ending.set()
            store.shutdown()
            thread.join(10)
