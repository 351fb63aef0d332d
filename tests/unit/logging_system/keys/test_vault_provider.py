"""What Vault answers is judged strictly, in time, and shown to nobody."""

from __future__ import annotations

import base64
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from logging_system.keys.provider import (
    FORM_PROVIDER,
    KeyMissingError,
    KeyProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
    WrapInvalidError,
    WrappedKey,
)
from logging_system.keys.providers import open_provider
from logging_system.keys.providers.key_server import ANSWER_BYTES_MAX, KeyServer
from logging_system.keys.providers.vault import VaultProvider, VaultToken
from logging_system.keys.secret import Secret
from tests.certificates import Authority
from tests.unit.logging_system.store_server import StoreServer, http

TOKEN = "hvs.canary-of-the-token"  # noqa: S105  # no server knows it
CANARY = "canary-of-the-answer"
KEY = {
    "type": "aes256-gcm96",
    "latest_version": 2,
    "min_available_version": 0,
    "min_decryption_version": 1,
    "min_encryption_version": 0,
    "keys": {"1": 0, "2": 0},
}
WRAPPED = WrappedKey("logs", 1, FORM_PROVIDER, b"wrapped bytes")


@pytest.fixture
def server() -> Iterator[StoreServer]:
    with closing(StoreServer(b"")) as started:
        yield started


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def provider(server: StoreServer, token: Path) -> Iterator[VaultProvider]:
    with closing(VaultProvider(KeyServer(server.url, timeout_seconds=10), VaultToken(token))) as opened:
        yield opened


def data(**content: object) -> bytes:
    return http(orjson.dumps({"data": content}))


def errors(status: bytes, *texts: str) -> bytes:
    return http(orjson.dumps({"errors": [*texts]}), status)


def shown(error: BaseException) -> str:
    """All that a log line, a traceback or an error report could show of an error."""
    seen = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    inner = error.__context__ or error.__cause__
    return seen + (shown(inner) if inner is not None else "")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(CANARY.encode()), ProviderRefusedError),
        (http(b""), ProviderRefusedError),
        (http(b"[1]"), ProviderRefusedError),
        (data(message=CANARY), ProviderRefusedError),
        (data(**{**KEY, "latest_version": CANARY}), ProviderRefusedError),
        (data(**{**KEY, "min_decryption_version": True}), ProviderRefusedError),
        (http(b"\xff\x00" + CANARY.encode(), headers=b"Content-Encoding: gzip\r\n"), ProviderRefusedError),
        (CANARY.encode() + b"\r\n\r\n", ProviderUnavailableError),
        (errors(b"403 Forbidden", f"permission denied {CANARY}"), ProviderRefusedError),
        (errors(b"401 Unauthorized", CANARY), ProviderRefusedError),
        (http(CANARY.encode(), b"404 Not Found"), ProviderRefusedError),
        (errors(b"404 Not Found", f"no handler for route {CANARY}"), ProviderRefusedError),
        (errors(b"404 Not Found"), KeyMissingError),
        (errors(b"429 Too Many Requests", CANARY), ProviderUnavailableError),
        (errors(b"500 Internal Server Error", CANARY), ProviderUnavailableError),
        (errors(b"503 Service Unavailable", f"Vault is sealed {CANARY}"), ProviderUnavailableError),
        (http(CANARY.encode(), b"502 Bad Gateway"), ProviderUnavailableError),
        (http(CANARY.encode(), b"418 I am a teapot"), ProviderRefusedError),
    ],
)
def test_each_kind_of_answer_has_its_error_and_none_shows_the_answer_or_the_token(
    server: StoreServer, provider: VaultProvider, answer: bytes, expected: type[KeyProviderError]
) -> None:
    server.answer = answer

    with pytest.raises(expected) as raised:
        provider.versions("logs")
    assert type(raised.value) is expected
    text = shown(raised.value) + repr(provider) + repr(vars(provider))
    assert [canary for canary in (CANARY, TOKEN) if canary in text] == []


@pytest.mark.parametrize(
    ("plaintext", "expected"),
    [
        (CANARY, ProviderRefusedError),
        (7, ProviderRefusedError),
        (None, ProviderRefusedError),
        (base64.b64encode(b"canary-of-the-answer, short").decode(), WrapInvalidError),
    ],
)
def test_a_data_key_that_is_none_is_not_taken_for_one(
    server: StoreServer, provider: VaultProvider, plaintext: object, expected: type[KeyProviderError]
) -> None:
    server.answer = data(plaintext=plaintext)

    with pytest.raises(expected) as raised:
        provider.unwrap(WRAPPED, b"context")
    assert CANARY not in shown(raised.value)


@pytest.mark.parametrize("ciphertext", ["vault:v1:AAAA", "vault:v2:%%%%", "AAAA", 3, None])
def test_an_answer_that_holds_no_wrapped_key_of_the_version_asked_for_is_refused(
    server: StoreServer, provider: VaultProvider, ciphertext: object
) -> None:
    def say(request: bytes) -> Iterator[bytes]:
        yield data(ciphertext=ciphertext) if b"/encrypt/" in request else data(**KEY)

    server.answer = say

    with pytest.raises(ProviderRefusedError):
        provider.wrap("logs", 2, Secret(bytes(32)), b"context")


def test_a_redirect_is_refused_and_the_token_goes_nowhere_else(
    server: StoreServer, provider: VaultProvider
) -> None:
    with closing(StoreServer(data(**KEY))) as other:
        location = b"Location: %b/v1/transit/keys/logs\r\n" % other.url.encode()
        server.answer = http(b"", b"307 Temporary Redirect", location)

        with pytest.raises(ProviderRefusedError, match="another server"):
            provider.versions("logs")
        assert other.requests == []


def test_an_answer_that_drips_is_given_up_within_the_bound(server: StoreServer, token: Path) -> None:
    def drip(_request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while not server.wait(0.05):
            yield b" "

    server.answer = drip
    provider = VaultProvider(KeyServer(server.url, timeout_seconds=0.5), VaultToken(token))
    began = time.monotonic()

    with pytest.raises(ProviderUnavailableError, match=r"within 0\.5 s"):
        provider.versions("logs")
    assert time.monotonic() - began < 10


def test_an_answer_without_an_end_is_refused_before_it_fills_the_memory(
    server: StoreServer, provider: VaultProvider
) -> None:
    server.answer = http(b" " * (ANSWER_BYTES_MAX + 1))

    with pytest.raises(ProviderRefusedError, match="answers more than"):
        provider.versions("logs")


def test_a_server_that_nobody_vouches_for_is_refused_and_gets_no_token(tmp_path: Path, token: Path) -> None:
    ours, theirs = Authority.make(), Authority.make("theirs")
    ca_certs = tmp_path / "ca.pem"
    ca_certs.write_bytes(ours.pem)
    with closing(StoreServer(data(**KEY), theirs.server_context(tmp_path))) as server:
        provider = VaultProvider(KeyServer(server.url, ca_certs=ca_certs), VaultToken(token))
        with pytest.raises(ProviderRefusedError, match="not trusted"):
            provider.versions("logs")
        assert server.requests == []
        ca_certs.write_bytes(theirs.pem)
        assert provider.versions("logs").newest == 2
        provider.close()


def test_the_token_is_read_again_for_each_request_and_its_file_kept_from_others(
    server: StoreServer, provider: VaultProvider, token: Path
) -> None:
    server.answer = data(**KEY)
    provider.versions("logs")
    token.write_text("hvs.renewed")
    provider.versions("logs")
    assert [b"hvs.renewed" in request for request in server.requests] == [False, True]

    for content, mode, expected in (
        ("", 0o600, ProviderRefusedError),
        ("two words", 0o600, ProviderRefusedError),
        ("a\r\nX-Vault-Namespace: other", 0o600, ProviderRefusedError),
        (TOKEN, 0o604, ProviderRefusedError),
        (None, 0, ProviderUnavailableError),
    ):
        token.unlink()
        if content is not None:
            token.write_text(content)
            token.chmod(mode)
        with pytest.raises(expected) as raised:
            provider.versions("logs")
        assert str(token) in str(raised.value)
        assert TOKEN not in shown(raised.value)
    assert len(server.requests) == 2


def test_the_token_may_come_from_the_environment(
    server: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = data(**KEY)
    arguments = {"url": server.url, "token_variable": "TOKEN_OF_THIS_TEST"}
    provider = open_provider("vault", arguments)
    with pytest.raises(ProviderRefusedError, match="TOKEN_OF_THIS_TEST"):
        provider.versions("logs")
    monkeypatch.setenv("TOKEN_OF_THIS_TEST", TOKEN)

    assert provider.versions("logs").newest == 2
    assert TOKEN.encode() in server.requests[0]
    provider.close()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"url": None}, "url: not given"),
        ({"url": "vault:8200"}, "url: names no server"),
        ({"url": "https://"}, "url: names no server"),
        ({"url": "https://vault:x"}, "url: names no server"),
        ({"url": "https://user:pass@vault"}, "url: holds a user or password"),
        ({"url": "http://vault:8200"}, "use https"),
        ({"ur": "x"}, "ur: no such key"),
        ({"timeout_seconds": "0"}, "timeout_seconds: not from"),
        ({"timeout_seconds": 61}, "timeout_seconds: not from"),
        ({"timeout_seconds": "nan"}, "timeout_seconds: not from"),
        ({"timeout_seconds": "soon"}, "timeout_seconds: not from"),
        ({"timeout_seconds": []}, "timeout_seconds: no text"),
        ({"offline": "yes"}, "offline: neither"),
        ({"mount": "../sys"}, "mount: no path"),
        ({"mount": "a/../sys"}, "mount: no path"),
        ({"prefix": "a/b"}, "prefix: has other"),
        ({"token_file": 7}, "token_file: no path"),
        ({"ca_certs": "/nowhere/ca.pem"}, "ca_certs /nowhere/ca.pem"),
    ],
)
def test_a_mistake_in_the_setting_is_told_with_its_remedy(change: dict[str, object], wrong: str) -> None:
    arguments: dict[str, object] = {"url": "https://vault.example:8200", **change}
    with pytest.raises(ValueError, match=wrong):
        open_provider("vault", {name: value for name, value in arguments.items() if value is not None})


def test_a_key_id_that_is_no_name_at_vault_is_refused_and_unknown_ids_are_missing(
    server: StoreServer, provider: VaultProvider
) -> None:
    with pytest.raises(ValueError, match="ends in"):
        provider.create("logs-")
    with pytest.raises(KeyMissingError):
        provider.versions("../sys/seal")
    assert server.requests == []


@pytest.mark.parametrize(
    ("offline", "kind"), [("true", "rsa-3072"), (True, "rsa-3072"), ("false", "aes256-gcm96")]
)
def test_settings_come_as_text_from_the_environment(
    server: StoreServer, token: Path, offline: object, kind: str
) -> None:
    def say(request: bytes) -> Iterator[bytes]:
        yield data(**KEY) if request.startswith(b"POST") else errors(b"404 Not Found")

    server.answer = say
    arguments = {"url": server.url, "token_file": str(token), "timeout_seconds": "10", "offline": offline}
    with closing(open_provider("vault", arguments)) as provider, pytest.raises(KeyMissingError):
        provider.create("logs")

    assert f'"type":"{kind}"'.encode() in server.requests[2]
