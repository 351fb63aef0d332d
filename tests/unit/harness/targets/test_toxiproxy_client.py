from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model.errors import FaultError
from harness.processes.ports import free_port
from harness.targets.toxiproxy_client import (
    Proxy,
    ProxyAnswerError,
    ProxyInputError,
    ProxyTimeoutError,
    ProxyUnreachableError,
    Toxic,
    ToxiproxyClient,
)
from tests.unit.harness.scripted_server import http, scripted

PROXY = b'{"name":"a b","listen":"127.0.0.1:5","upstream":"x:1","enabled":true,"Logger":{},"toxics":[%s]}'
TOXIC = b'{"attributes":{"latency":5},"name":"t","type":"latency","stream":"upstream","toxicity":0.5}'


def test_proxy_and_toxics_are_read_and_foreign_fields_ignored() -> None:
    with scripted(http("200 OK", PROXY % TOXIC)) as server:
        proxy = ToxiproxyClient(server.url).get("a b")

    toxic = Toxic("t", "latency", "upstream", 0.5, {"latency": 5})
    assert proxy == Proxy("a b", "127.0.0.1:5", "x:1", enabled=True, toxics=(toxic,))


def test_names_are_quoted_in_the_path() -> None:
    with scripted(http("204 No Content", b"")) as server:
        ToxiproxyClient(server.url).remove_toxic("a b?", "ü#%")

    assert server.requests[0].startswith(b"DELETE /proxies/a%20b%3F/toxics/%C3%BC%23%25 HTTP/1.1\r\n")


def test_call_ignores_the_http_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with scripted(http("200 OK", b'{"version": "git"}\n')) as server:
        assert ToxiproxyClient(server.url).version() == "git"


def test_update_is_sent_as_patch_with_toxicity_and_attributes_only() -> None:
    with scripted(http("200 OK", TOXIC)) as server:
        ToxiproxyClient(server.url).update_toxic(
            "a", Toxic("t", "latency", toxicity=0.5, attributes={"latency": 5})
        )
        head, body = server.requests[0].split(b"\r\n\r\n")

    assert head.startswith(b"PATCH /proxies/a/toxics/t ")
    assert body == b'{"toxicity":0.5,"attributes":{"latency":5}}'


@pytest.mark.parametrize("partial", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_server_that_hangs_is_reported_within_the_timeout_with_the_remedy(partial: bytes) -> None:
    with scripted(partial, hangs=True) as server, pytest.raises(ProxyTimeoutError, match="Restart") as hung:
        ToxiproxyClient(server.url, timeout_seconds=0.1).reset()

    assert isinstance(hung.value, FaultError)
    assert f"POST {server.url}/reset" in str(hung.value)


def test_nothing_listening_is_unreachable() -> None:
    port = free_port()
    with pytest.raises(ProxyUnreachableError, match=f"127.0.0.1:{port}/proxies: no answer"):
        ToxiproxyClient(f"http://127.0.0.1:{port}").list()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"SSH-2.0-x\r\n"]
)
def test_connection_that_breaks_off_is_unreachable(answer: bytes) -> None:
    with scripted(answer) as server, pytest.raises(ProxyUnreachableError):
        ToxiproxyClient(server.url).list()


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("404 Not Found", "List the proxies"),
        ("409 Conflict", "another name"),
        ("503 Service Unavailable", "restart"),
    ],
)
def test_refusal_carries_status_reason_and_remedy(status: str, remedy: str) -> None:
    with (
        scripted(http(status, b'{"error":"said so"}')) as server,
        pytest.raises(ProxyAnswerError, match=f"said so.*{remedy}") as refused,
    ):
        ToxiproxyClient(server.url).get("a")

    assert refused.value.status == int(status[:3])


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"a": 1}', b'{"a": {"name": "a"}}', b'{"a": %s}' % (PROXY % b'{"toxicity": "x"}')],
)
def test_answer_of_something_else_is_recognised(body: bytes) -> None:
    with (
        scripted(http("200 OK", body)) as server,
        pytest.raises(ProxyAnswerError, match="not Toxiproxy's API"),
    ):
        ToxiproxyClient(server.url).list()


def test_redirect_is_an_error_and_not_followed() -> None:
    with scripted(b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") as server:
        with pytest.raises(ProxyAnswerError, match="HTTP 301"):
            ToxiproxyClient(server.url).list()

        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.create("a/b", "127.0.0.1:0", "x:1"),
        lambda client: client.create("", "127.0.0.1:0", "x:1"),
        lambda client: client.get(".."),
        lambda client: client.delete("."),
        lambda client: client.set_enabled("x" * 256, True),
        lambda client: client.remove_toxic("a", "b/c"),
        lambda client: client.populate([Proxy("a/b", "127.0.0.1:0", "x:1")]),
    ],
)
def test_name_that_could_never_be_deleted_is_not_sent(call: Callable[[ToxiproxyClient], object]) -> None:
    with scripted(http("200 OK", b"{}")) as server:
        with pytest.raises(ProxyInputError, match="deleted"):
            call(ToxiproxyClient(server.url))

        assert server.requests == []


@pytest.mark.parametrize(
    "toxic",
    [
        Toxic("t", "latency", "sideways"),
        Toxic("t", "latency", toxicity=1.1),
        Toxic("t", "latency", toxicity=float("nan")),
        Toxic("t", "latency", attributes={"latency": -1}),
        Toxic("t", "latency", attributes={"jitter": 1 << 62}),
        Toxic("t", "latency", attributes={"latency": 1.5}),
        Toxic("t", "latency", attributes={"latency": True}),
        Toxic("t", "latency", attributes={"latencyy": 5}),
        Toxic("t", "bandwidth", attributes={"rate": -1}),
        Toxic("t", "slicer"),
        Toxic("t", "slicer", attributes={"average_size": 0}),
        Toxic("t", "slicer", attributes={"average_size": 10, "size_variation": 11}),
        Toxic("a/b", "latency"),
    ],
)
def test_toxic_that_could_crash_the_server_is_neither_added_nor_updated(toxic: Toxic) -> None:
    with scripted(http("200 OK", TOXIC)) as server:
        client = ToxiproxyClient(server.url)
        with pytest.raises(ProxyInputError):
            client.add_toxic("a", toxic)
        with pytest.raises(ProxyInputError):
            client.update_toxic("a", toxic)

        assert server.requests == []


@pytest.mark.parametrize(
    "toxic",
    [
        Toxic("t", "slicer", attributes={"average_size": 10, "size_variation": 10, "delay": 5}),
        Toxic("t", "bandwidth", attributes={"rate": 0}),
        Toxic("t", "status_of_another_server", attributes={"share": 0.5, "reason": "busy"}),
    ],
)
def test_toxic_that_harms_nobody_is_sent(toxic: Toxic) -> None:
    with scripted(http("200 OK", TOXIC)) as server:
        ToxiproxyClient(server.url).add_toxic("a", toxic)

        assert len(server.requests) == 1
