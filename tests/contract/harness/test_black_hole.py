"""A black hole in either direction of an HTTP link is proved by both fault proxies, and gone when healed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from harness.faults.black_hole import BlackHole
from harness.faults.connection_reset import Direction
from harness.targets.link import LinkTarget
from harness.targets.toxiproxy_client import ToxiproxyClient
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import client, proxy_url

__all__ = ["client", "proxy_url"]


class Answers(BaseHTTPRequestHandler):
    """Closes a connection only where the client asks for it, as servers do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_it_is_proved_by_silence_while_it_is_on(
    client: ToxiproxyClient, upstream: str, direction: Direction
) -> None:
    proxy = client.create("run-1-to_store", "127.0.0.1:0", upstream)
    host, _, port = proxy.listen.rpartition(":")
    link = LinkTarget("to_store", client.url, "run-1-to_store", (host, int(port)), client)
    fault = BlackHole(direction)

    before = link.probe().outcome
    with fault.inject(link, Random(1)):
        landed, said = fault.evidence(link)
    after = link.probe().outcome

    assert landed, said
    assert (before, after) == ("answered", "answered")
