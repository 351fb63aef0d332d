import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness.deployments.versions import service_versions

ANSWERS = {
    "/_nodes/_local": {"nodes": {"abc": {"version": "8.19.0", "build_type": "tar"}}},
    "/version": {"version": "2.12.0"},
    "/broken/version": ["no version here"],
}


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_each_service_is_asked_for_its_version(url):
    assert service_versions({"elasticsearch": url, "proxy": url}) == {
        "elasticsearch service": "8.19.0 (tar)",
        "proxy service": "2.12.0",
    }


def test_a_service_that_cannot_be_asked_says_so_and_one_of_another_kind_is_left_out(url):
    told = service_versions({"proxy": f"{url}/broken", "elasticsearch": "http://127.0.0.1:1", "mail": url})

    assert told == {
        "proxy service": "not told (TypeError)",
        "elasticsearch service": "not told (UnreachableError)",
    }
