from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness import http_client
from harness.http_client import HttpAnswer, TimedOutError, TooLongError, UnreachableError
from harness.processes.ports import free_port
from tests.certificates import Authority
from tests.unit.harness.scripted_server import http, scripted

OK = http("200 OK", b"hello")


def get(url: str, *, timeout_seconds: float = 5.0, answer_bytes_max: int = 100) -> HttpAnswer:
    return http_client.call("GET", url, timeout_seconds=timeout_seconds, answer_bytes_max=answer_bytes_max)


@contextmanager
def dribbling(head: bytes, drop: bytes) -> Iterator[str]:
    """A server that sends a beginning at once and then a few bytes every 20 ms."""
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(head)
                while not left.wait(0.02):
                    connection.sendall(drop)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            left.set()
            thread.join(5)


def test_an_answer_comes_back_whatever_its_status() -> None:
    with scripted(http("404 Not Found", b"no")) as server:
        assert get(f"{server.url}/a?b=1") == HttpAnswer(f"GET {server.url}/a?b=1", 404, b"no")
        head = server.requests[0].decode()

    assert head.startswith("GET /a?b=1 HTTP/1.1\r\n")
    assert f"Host: {server.url.removeprefix('http://')}\r\n" in head
    assert "Connection: close\r\n" in head


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
def test_every_framing_of_a_body_is_understood(answer: bytes) -> None:
    with scripted(answer) as server:
        assert get(server.url).body == b"hello"


def test_a_body_is_sent_with_its_type_and_length() -> None:
    with scripted(OK) as server:
        http_client.call(
            "POST",
            server.url,
            timeout_seconds=5,
            answer_bytes_max=100,
            body=b"x" * 300_000,
            content_type="a/b",
        )
        head, _, body = server.requests[0].partition(b"\r\n\r\n")

    assert b"Content-Type: a/b\r\n" in head
    assert body == b"x" * 300_000


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silent", "slow headers", "slow body", "endless continue"],
)
def test_a_slow_answer_ends_at_the_deadline_however_often_a_byte_comes(head: bytes, drop: bytes) -> None:
    began = time.monotonic()
    with (
        dribbling(head, drop) as url,
        pytest.raises(TimedOutError, match=f"GET {url}: no answer within 0.3 s"),
    ):
        get(url, timeout_seconds=0.3, answer_bytes_max=10_000)

    assert time.monotonic() - began < 3


def test_an_answer_may_be_as_long_as_allowed_and_no_longer() -> None:
    with scripted(http("500 Oops", b"x" * 101)) as server:
        assert len(get(server.url, answer_bytes_max=101).body) == 101
        with pytest.raises(TooLongError, match="exceeds 100 bytes") as long:
            get(server.url)

    assert long.value.status == 500


def test_an_endless_answer_is_given_up_at_the_bound() -> None:
    with dribbling(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000) as url, pytest.raises(TooLongError):
        get(url, answer_bytes_max=200_000)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
    ],
)
def test_an_answer_that_breaks_off_or_is_no_http_is_no_answer(answer: bytes) -> None:
    with scripted(answer) as server, pytest.raises(UnreachableError, match=f"GET {server.url}: no answer"):
        get(server.url)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://", "127.0.0.1:80", "http://127.0.0.1:port/", "http://127.0.0.1/a b"]
)
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(UnreachableError):
        get(url)


def test_nothing_that_listens_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="refused"):
        get(f"http://127.0.0.1:{free_port()}")


def test_every_address_of_a_name_is_tried() -> None:
    with scripted(OK) as server:
        assert get(server.url.replace("127.0.0.1", "localhost")).body == b"hello"


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with scripted(b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") as server:
        assert get(server.url).status == 301
        assert len(server.requests) == 1


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with scripted(OK) as server:
        assert get(server.url).body == b"hello"


def test_a_user_in_the_address_is_sent_and_never_shown() -> None:
    with scripted(OK) as server:
        answer = get(server.url.replace("//", "//me:p%40ss@"))
        head = server.requests[0]

    assert f"Authorization: Basic {base64.b64encode(b'me:p@ss').decode()}".encode() in head
    assert answer.where == f"GET {server.url}/".removesuffix("/")


def test_a_server_is_believed_only_where_the_system_trusts_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.make()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(tmp_path))
    with scripted(OK, tls=context) as server:
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            get(server.url)
        (tmp_path / "ca.pem").write_bytes(authority.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

        assert get(server.url).body == b"hello"
