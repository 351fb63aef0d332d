"""A key server behind a link: out of reach or talking garbage for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from threading import Thread

import pytest

from harness.faults.kms_unavailable import KmsUnavailable
from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.processes.ports import free_port
from harness.targets.capabilities import Interceptable, KeyProviding
from harness.targets.key_link import KeyLinkTarget
from harness.targets.link import LinkTarget


class Server:
    """A server whose link can be cut, and whose answers can be changed."""

    def __init__(self) -> None:
        self.mark = ""
        self.port = free_port()
        self._serving: HTTPServer | None = None
        self.set_enabled("", True)

    def set_enabled(self, name: str, enabled: bool) -> None:
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.shutdown()
            serving.server_close()
        if enabled:
            self._serving = HTTPServer(("127.0.0.1", self.port), self._handler())
            Thread(target=self._serving.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(404)
                self.end_headers()
                self.wfile.write(server.mark.encode() + b"not here")

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Link(LinkTarget):
    """A link of which nothing can be changed but whether it is there."""

    def __init__(self, server: Server) -> None:
        super().__init__("to_kms", "http://proxy", "proxy-name", ("127.0.0.1", server.port), server)  # type: ignore[arg-type]  # no toxics are put on it here
        self.server = server


class HttpLink(Link):
    """A link whose answers can be changed as well."""

    sequence_path = ""

    def add_rule(self, name, kind, arguments, share, seed):
        assert (kind, share) == ("garbage_answers", 1.0)
        self.server.mark = arguments["mark"]

    def remove_rule(self, name):
        self.server.mark = ""

    def undo_rule(self, name):
        return Undo("remove_rule", {"rule": name})

    def altered(self, name, counters, timeout_seconds=5.0):
        raise NotImplementedError


@contextmanager
def provider(link_class: type[Link]) -> Iterator[KeyLinkTarget]:
    server = Server()
    try:
        yield KeyLinkTarget("key_provider", link_class(server), f"http://127.0.0.1:{server.port}")
    finally:
        server.set_enabled("", False)


def test_the_fake_link_has_the_capability_that_the_target_asks_for():
    with provider(HttpLink) as target:
        assert isinstance(target._link, Interceptable)
        assert isinstance(target, KeyProviding)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ("none", "key_provider cannot be reached over to_kms"),
        ("garbage", "key_provider answers over to_kms with garbage"),
    ],
)
def test_a_key_server_is_out_of_reach_only_while_the_fault_is_on(answer, seen):
    fault = KmsUnavailable(answer)
    with provider(HttpLink) as target:
        with fault.inject(target, Random(1)):
            assert fault.evidence(target) == (True, seen)

        assert fault.evidence(target) == (False, "key_provider answers over to_kms")


def test_what_takes_the_fault_back_later_is_what_was_done():
    with provider(HttpLink) as target:
        assert KmsUnavailable("none").undo(target).action == "enable_proxy"
        assert KmsUnavailable("garbage").undo(target) == Undo("remove_rule", {"rule": "garbage_answers"})


def test_answers_within_tls_cannot_be_turned_into_garbage():
    fault = KmsUnavailable("garbage")
    with provider(Link) as target:
        with pytest.raises(FaultError, match="speaks TLS"):
            fault.undo(target)
        with pytest.raises(FaultError, match="speaks TLS"), fault.inject(target, Random(1)):
            pass
        assert not target.out_of_reach()
