"""What the embedded key server can be made to do, as the provider sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from logging_system.keys.provider import ProviderRefusedError, ProviderUnavailableError
from logging_system.keys.providers.key_server import KeyServer
from logging_system.keys.providers.vault import VaultProvider, VaultToken
from logging_system.keys.secret import Secret
from tests.contract.logging_system.keys.kept_by_vault import ROOT_TOKEN, transit_lite

SECONDS_MAX = 30.0
CONTEXT = b"stream"


def ask(method: str, path: str, body: object = None, token: str = ROOT_TOKEN) -> requests.Response:
    return requests.request(
        method, transit_lite().url + path, json=body, headers={"X-Vault-Token": token}, timeout=SECONDS_MAX
    )


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text(ask("POST", "/v1/auth/token/create", {"ttl": "1h"}).json()["auth"]["client_token"])
    return path


@pytest.fixture
def provider(token: Path) -> Iterator[VaultProvider]:
    server = KeyServer(transit_lite().url, timeout_seconds=SECONDS_MAX)
    opened = VaultProvider(server, VaultToken(token), prefix=f"f{uuid4().hex[:8]}_")
    opened.create("logs")
    yield opened
    opened.close()


def test_an_expired_token_is_refused_until_it_is_renewed(provider: VaultProvider, token: Path) -> None:
    wrapped = provider.wrap("logs", 1, key := Secret(bytes(range(32))), CONTEXT)
    assert ask("GET", "/v1/auth/token/lookup-self", token=token.read_text()).json()["data"]["ttl"] > 3000
    assert ask("POST", "/lite/expire_tokens").json()["expired"] >= 1
    with pytest.raises(ProviderRefusedError, match="expired"):
        provider.unwrap(wrapped, CONTEXT)
    token.write_text(ask("POST", "/v1/auth/token/create").json()["auth"]["client_token"])

    assert provider.unwrap(wrapped, CONTEXT) == key


def test_a_revoked_token_is_refused(provider: VaultProvider, token: Path) -> None:
    ask("POST", "/v1/auth/token/revoke", {"token": token.read_text()})

    with pytest.raises(ProviderRefusedError):
        provider.versions("logs")


def test_a_sealed_server_is_an_outage_also_after_a_restart(provider: VaultProvider) -> None:
    wrapped = provider.wrap("logs", 1, key := Secret(bytes(range(32))), CONTEXT)
    ask("PUT", "/v1/sys/seal")
    try:
        with pytest.raises(ProviderUnavailableError, match="sealed"):
            provider.unwrap(wrapped, CONTEXT)
        transit_lite().kill()
        transit_lite().start()
        assert ask("GET", "/v1/sys/health").status_code == 503
        assert ask("PUT", "/v1/sys/unseal", {"key": "wrong"}).status_code == 400
        with pytest.raises(ProviderUnavailableError, match="sealed"):
            provider.versions("logs")
    finally:
        assert ask("PUT", "/v1/sys/unseal", {"key": ROOT_TOKEN}).json()["sealed"] is False

    assert provider.unwrap(wrapped, CONTEXT) == key


@pytest.mark.parametrize("answers", ["garbage", "empty", "foreign"])
def test_an_answer_that_makes_no_sense_is_refused(provider: VaultProvider, answers: str) -> None:
    wrapped = provider.wrap("logs", 1, key := Secret(bytes(range(32))), CONTEXT)
    assert ask("PUT", "/lite/answers", {"answers": answers}).status_code == 204
    try:
        for request in (
            lambda: provider.versions("logs"),
            lambda: provider.wrap("logs", 1, key, CONTEXT),
            lambda: provider.unwrap(wrapped, CONTEXT),
            lambda: provider.rotate("logs", newest=1),
        ):
            with pytest.raises(ProviderRefusedError):
                request()
    finally:
        ask("PUT", "/lite/answers", {"answers": "honest"})

    assert provider.unwrap(wrapped, CONTEXT) == key


def test_a_wrong_data_key_looks_like_a_right_one(provider: VaultProvider) -> None:
    """The provider cannot tell; the data key's commitment does, where blocks are opened."""
    wrapped = provider.wrap("logs", 1, key := Secret(bytes(range(32))), CONTEXT)
    ask("PUT", "/lite/answers", {"answers": "wrong_key"})
    try:
        assert provider.unwrap(wrapped, CONTEXT) != key
    finally:
        ask("PUT", "/lite/answers", {"answers": "honest"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/secret/data/x", None, 404),
        ("POST", "/v1/transit/sign/logs", {"input": ""}, 404),
        ("POST", "/v1/transit/keys/logs", {"type": "ed25519"}, 400),
        ("POST", "/v1/transit/keys/logs", {"derived": True}, 400),
        ("POST", "/v1/transit/encrypt/logs", {"plaintext": "", "context": ""}, 400),
        ("PUT", "/lite/answers", {"answers": "so-so"}, 400),
        ("PATCH", "/v1/transit/keys/logs", None, 405),
    ],
)
def test_what_the_embedded_server_cannot_do_is_refused_rather_than_ignored(
    method: str, path: str, body: object, status: int
) -> None:
    answer = ask(method, path, body)

    assert (answer.status_code, len(answer.json()["errors"])) == (status, 1)
