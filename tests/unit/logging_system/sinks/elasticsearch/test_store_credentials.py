from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logging_system.delivery.outcomes import OneForEach, Unknown
from logging_system.sinks.elasticsearch.credentials import Credentials
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.unit.logging_system.store_server import CREATED, ITEMS, StoreServer, http


def basic(login: str) -> bytes:
    return b"basic " + base64.b64encode(login.encode())


def asking_for(*accepted: bytes) -> StoreServer:
    """A store that answers 401 to all but these headers and repeats what it was sent, as some proxies do."""

    def answer(request: bytes) -> Iterator[bytes]:
        (header,) = [
            line.partition(b": ")[2]
            for line in request.partition(b"\r\n\r\n")[0].splitlines()
            if line.lower().startswith(b"authorization: ")
        ]
        known = header.lower() in [each.lower() for each in server_accepts]
        yield http(CREATED) if known else http(b'{"you sent":"%b"}' % header, b"401 Unauthorized")

    server_accepts = list(accepted)
    return StoreServer(answer)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("password_file", basic("shipper:first-secret"), basic("shipper:second-secret")),
        ("api_key_file", b"ApiKey first-secret", b"ApiKey second-secret"),
    ],
)
def test_a_secret_that_is_refused_is_read_again_and_the_next_request_has_the_new_one(
    tmp_path: Path, kind: str, first: bytes, second: bytes
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first-secret\n")
    with closing(asking_for(second)) as server:
        user = {"username": "shipper"} if kind == "password_file" else {}
        sink = ElasticsearchSink([server.url], "logs", **{kind: secret}, **user)  # type: ignore[arg-type]
        refused = sink.send(ITEMS)
        secret.write_text("second-secret\n")
        still_the_old = sink.send(ITEMS)
        accepted = sink.send(ITEMS)
        sink.close()
    sent = [request.lower().partition(b"authorization: ")[2].split(b"\r\n")[0] for request in server.requests]

    assert isinstance(refused, Unknown)
    assert isinstance(still_the_old, Unknown)
    assert isinstance(accepted, OneForEach)
    assert sent == [first.lower(), first.lower(), second.lower()]


@pytest.mark.parametrize(
    "login",
    [
        {"username": "shipper", "password": "open-sesame"},
        {"api_key": "b3Blbi1zZXNhbWU6b3Blbg=="},
    ],
    ids=["password", "api key"],
)
def test_secrets_appear_nowhere_even_when_the_server_repeats_them(
    login: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with closing(asking_for()) as server:
        sink = ElasticsearchSink([server.url], "logs", **login)  # type: ignore[arg-type]
        trouble, verdict = sink.prepare(), sink.send(ITEMS)
        sink.close()
    shown = f"{trouble} {verdict} {caplog.text} {sink!r} {sink._nodes[0].place!r}"

    assert "you sent" in shown
    assert "***" in shown
    for secret in ("open-sesame", "b3Blbi1zZXNhbWU6b3Blbg==", basic("shipper:open-sesame").decode()[6:]):
        assert secret not in shown


def test_a_password_that_is_a_word_of_every_answer_breaks_none() -> None:
    with closing(asking_for(basic("me:errors"))) as server:
        word = "errors"
        sink = ElasticsearchSink([server.url], "logs", username="me", password=word)
        verdict = sink.send(ITEMS)
        sink.close()

    assert isinstance(verdict, OneForEach)


def test_credentials_of_the_url_are_hidden_too() -> None:
    with closing(asking_for()) as server:
        sink = ElasticsearchSink([server.url.replace("//", "//me:open%2Dsesame@")], "logs")
        trouble = sink.prepare()
        sink.close()

    assert "***" in str(trouble)
    assert "open-sesame" not in f"{trouble} {sink._nodes[0].place!r} {sink._nodes[0].place}"


def test_a_secret_file_that_went_away_leaves_the_old_secret_in_use(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "key"
    secret.write_text("first-secret")
    with closing(asking_for()) as server:
        sink = ElasticsearchSink([server.url], "logs", api_key_file=secret)
        secret.unlink()
        for _ in range(3):
            sink.send(ITEMS)
        sink.close()
    troubles = [record.message for record in caplog.records if str(secret) in record.message]

    assert all(b"ApiKey first-secret" in request for request in server.requests)
    assert len(troubles) == 1
    assert "No such file" in troubles[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"username": "me"}, "username goes with"),
        ({"password": "secret-word"}, "username goes with"),
        ({"api_key": "secret-word", "api_key_file": Path("f")}, "give one of"),
        ({"username": "me", "password": "secret-word", "api_key": "k"}, "give one of"),
        ({"api_key_file": Path("does-not-exist")}, "does-not-exist: No such file"),
        ({"api_key": "secret-word\nX-Other: 1"}, "cannot be sent"),
        ({"api_key": "secret-word…"}, "cannot be sent"),
        ({"username": "me", "password": "secret-word\n"}, "cannot be sent"),
        ({"api_key": "k", "authorization": "Basic bWU6eW91"}, "give one of"),
    ],
)
def test_half_or_doubled_credentials_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Credentials(**given)  # type: ignore[arg-type]

    assert "secret-word" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"two\nlines"])
def test_a_file_without_one_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)

    with pytest.raises(ValueError, match="secret"):
        Credentials(api_key_file=path)


def test_nodes_with_different_logins_are_refused() -> None:
    with pytest.raises(ValueError, match="different credentials"):
        ElasticsearchSink(["http://a:b@localhost:1", "http://c:d@localhost:2"], "logs")
