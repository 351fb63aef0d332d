"""Serves the live page from a thread of this process, where there is no Locust to serve it."""

from __future__ import annotations

import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from harness.live.desk import Desk
from harness.live.guard import Environ, Guard, StartResponse, allowed_hosts, new_token
from harness.live.page import PATH, ChaosPage, beside
from harness.model.errors import UnavailableError

LOOPBACK = "127.0.0.1"
REQUEST_SECONDS = 15.0
REQUESTS_MAX = 32


class _Handler(WSGIRequestHandler):
    """One request; a connection that says nothing for a while is closed."""

    timeout = REQUEST_SECONDS

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing: a request a second is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request, a bounded number of them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._free = threading.BoundedSemaphore(REQUESTS_MAX)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it, or hang up where too many are being served."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve it on this thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away."""


class PageServer:
    """The page on an address of this machine.

    Args:
        desk: what is shown and asked.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        names: further names that the page may be asked under.

    Raises:
        UnavailableError: the address is taken, or not this machine's.
    """

    def __init__(self, desk: Desk, host: str = LOOPBACK, port: int = 0, names: tuple[str, ...] = ()) -> None:
        try:
            self._server = make_server(host, port, _nothing, server_class=_Server, handler_class=_Handler)
        except OSError as error:
            raise UnavailableError(
                f"{host}:{port}: cannot listen: {error.strerror}; name another port with --web-port"
            ) from error
        self.port = self._server.server_port
        self.url = f"http://{host}:{self.port}{PATH}"
        self.token = new_token()
        page = ChaosPage(desk, self.token, beside_locust=False)
        hosts = allowed_hosts(host, self.port, names)
        self._server.set_app(Guard(beside(_nothing, page, self.token), hosts, self.token))
        self._thread = threading.Thread(target=self._server.serve_forever, name="live page", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is being answered may go on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)


def _nothing(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Lead to the page, which is all there is."""
    start_response("302 Found", [("Location", PATH), ("Content-Length", "0")])
    return []
