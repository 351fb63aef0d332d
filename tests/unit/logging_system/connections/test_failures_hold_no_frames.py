"""A request that failed leaves nothing behind that waits for the garbage collector.

A shipper lets that look rarely, and asks a key server that is out of reach forty times a second, with a
megabyte of the spool in its hands.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logging_system.alerting.channels.http_posting import HttpTarget, PostingError
from logging_system.keys.provider import FORM_PROVIDER, KeyProviderError, WrappedKey
from logging_system.keys.providers import open_provider
from logging_system.sinks.elasticsearch.http_answer import NoAnswer
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.certificates import Authority
from tests.unit.logging_system.connections.frames import outlives
from tests.unit.logging_system.store_server import ITEMS, StoreServer, http

TIMEOUT_SECONDS = 0.2
WRAPPED = WrappedKey("logs", 1, FORM_PROVIDER, b"wrapped bytes")
PROVIDERS = ["vault", "aws_kms"]
ANSWERS = {
    "nothing": None,
    "garbage": http(b"garbage"),
    "no HTTP": b"garbage\r\n\r\n",
    "half an answer": http(b"{", length=100) + b"Connection: close",
    "403": http(b'{"errors":["permission denied"]}', b"403 Forbidden"),
    "503": http(b'{"errors":["sealed"]}', b"503 Service Unavailable"),
}


@pytest.fixture(params=ANSWERS)
def server(request: pytest.FixtureRequest) -> Iterator[StoreServer]:
    with closing(StoreServer(ANSWERS[request.param])) as started:
        yield started


@pytest.fixture
def refusing() -> str:
    """The address of a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[tuple[StoreServer, Path]]:
    ours, theirs = Authority.make(), Authority.make("theirs")
    ca_certs = tmp_path / "ca.pem"
    ca_certs.write_bytes(ours.pem)
    with closing(StoreServer(http(b"{}"), theirs.server_context(tmp_path))) as started:
        yield started, ca_certs


def unwrapping(word: str, url: str, folder: Path, **more: object) -> Callable[[], object]:
    token = folder / "login"
    token.touch(0o600)
    token.write_text(
        "[default]\naws_access_key_id = id\naws_secret_access_key = key\n" if word == "aws_kms" else "token"
    )
    named = (
        {"region": "eu-west-1", "credentials_file": str(token)}
        if word == "aws_kms"
        else {"token_file": str(token)}
    )
    provider = open_provider(word, {"url": url, "timeout_seconds": TIMEOUT_SECONDS, **named, **more})
    return lambda: provider.unwrap(WRAPPED, b"context")


def sending(url: str, ca_certs: Path | None = None) -> Callable[[], object]:
    sink = ElasticsearchSink([url], "logs", request_timeout_seconds=TIMEOUT_SECONDS, ca_certs=ca_certs)

    def send() -> None:
        assert isinstance(
            sink.request("POST", "/_bulk", ITEMS[0].document * 1000, "application/x-ndjson"), NoAnswer
        )

    return send


def posting(url: str, ca_certs: Path | None = None) -> Callable[[], object]:
    target = HttpTarget(url, TIMEOUT_SECONDS, ca_certs)
    return lambda: target.post(b"{}", {})


@pytest.mark.parametrize("word", PROVIDERS)
def test_a_key_server_that_does_not_answer_as_it_should(
    server: StoreServer, word: str, tmp_path: Path
) -> None:
    unwrap = unwrapping(word, server.url, tmp_path)

    assert not outlives(unwrap, KeyProviderError)
    assert not outlives(unwrap, KeyProviderError)  # now it may be left alone for a while


@pytest.mark.parametrize("word", PROVIDERS)
def test_a_key_server_that_nobody_is_at(refusing: str, word: str, tmp_path: Path) -> None:
    assert not outlives(unwrapping(word, refusing, tmp_path), KeyProviderError)


@pytest.mark.parametrize("word", PROVIDERS)
def test_a_key_server_that_nobody_vouches_for(
    untrusted: tuple[StoreServer, Path], word: str, tmp_path: Path
) -> None:
    server, ca_certs = untrusted

    assert not outlives(unwrapping(word, server.url, tmp_path, ca_certs=str(ca_certs)), KeyProviderError)


def test_a_store_or_receiver_that_gives_no_answer() -> None:
    with closing(StoreServer(None)) as silent:
        assert not outlives(sending(silent.url))
        assert not outlives(posting(silent.url), PostingError)


def test_a_store_or_receiver_that_nobody_is_at(refusing: str) -> None:
    assert not outlives(sending(refusing))
    assert not outlives(posting(refusing), PostingError)


def test_a_store_or_receiver_that_nobody_vouches_for(untrusted: tuple[StoreServer, Path]) -> None:
    server, ca_certs = untrusted

    assert not outlives(sending(server.url, ca_certs=ca_certs))
    assert not outlives(posting(server.url, ca_certs), PostingError)


def test_a_name_without_an_address() -> None:
    assert not outlives(sending("http://nowhere.invalid:9200"))
    assert not outlives(posting("http://nowhere.invalid"), PostingError)


def test_an_exception_in_a_circle_is_found() -> None:
    """The look itself: this is what all of the above must not do."""

    def fails() -> None:
        trouble = ValueError()
        raise trouble

    assert outlives(fails, ValueError)
