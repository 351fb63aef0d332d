"""Requests to AWS KMS are signed as AWS has it; its answers are judged strictly and shown to nobody."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from logging_system.keys.provider import (
    KeyMissingError,
    KeyProviderError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from logging_system.keys.providers import open_provider
from logging_system.keys.providers.aws_signature import AwsCredentials, signed
from logging_system.keys.secret import Secret
from tests.unit.logging_system.store_server import StoreServer, http

SECRET = "canary-of-the-secret"  # noqa: S105  # no server knows it
CANARY = "canary-of-the-answer"
CREDENTIALS = f"[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {SECRET}\n"


@pytest.fixture
def server() -> Iterator[StoreServer]:
    with closing(StoreServer(b"")) as started:
        yield started


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.touch(0o600)
    path.write_text(CREDENTIALS)
    return path


def no(name: str, status: bytes = b"400 Bad Request") -> bytes:
    return http(orjson.dumps({"__type": name, "message": CANARY}), status)


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_signatures_are_those_of_the_suite_that_aws_published(method: str, signature: str) -> None:
    """get-vanilla and post-vanilla of aws4_testsuite."""
    secret = Secret(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    headers = signed(
        {"Host": "example.amazonaws.com"},
        b"",
        AwsCredentials("AKIDEXAMPLE", secret),
        region="us-east-1",
        service="service",
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        method=method,
    )

    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(CANARY.encode()), ProviderRefusedError),
        (http(b"[1]"), ProviderRefusedError),
        (http(b""), ProviderRefusedError),
        (http(orjson.dumps({"KeyMetadata": {"Arn": CANARY}})), ProviderRefusedError),
        (no("NotFoundException"), KeyMissingError),
        (no("com.amazonaws.kms#NotFoundException"), KeyMissingError),
        (no("AccessDeniedException"), ProviderRefusedError),
        (no("ExpiredTokenException"), ProviderRefusedError),
        (no("UnrecognizedClientException"), ProviderRefusedError),
        (no("InvalidSignatureException", b"403 Forbidden"), ProviderRefusedError),
        (no("ThrottlingException"), ProviderUnavailableError),
        (no("KMSInternalException", b"500 Internal Server Error"), ProviderUnavailableError),
        (http(CANARY.encode(), b"502 Bad Gateway"), ProviderUnavailableError),
        (http(CANARY.encode(), b"302 Found"), ProviderRefusedError),
    ],
)
def test_each_kind_of_answer_has_its_error_and_none_shows_the_answer_or_the_secret(
    server: StoreServer, credentials: Path, answer: bytes, expected: type[KeyProviderError]
) -> None:
    server.answer = answer
    arguments = {"url": server.url, "region": "eu-west-2", "credentials_file": str(credentials)}
    with closing(open_provider("aws_kms", arguments)) as provider:
        with pytest.raises(expected) as raised:
            provider.versions("logs")
        error = raised.value
        text = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error.__context__)
        text += repr(provider) + repr(vars(provider))
    assert type(error) is expected
    assert [canary for canary in (CANARY, SECRET) if canary in text] == []
    assert [request for request in server.requests if SECRET.encode() in request] == []


def test_credentials_are_read_again_for_each_request_and_kept_from_others(
    server: StoreServer, credentials: Path
) -> None:
    server.answer = no("NotFoundException")
    arguments = {"url": server.url, "region": "eu-west-2", "credentials_file": str(credentials)}
    with closing(open_provider("aws_kms", arguments)) as provider:
        for content, mode, expected in (
            (CREDENTIALS.replace("AKIDEXAMPLE", "AKIDRENEWED"), 0o600, KeyMissingError),
            (f"{CREDENTIALS}aws_session_token = temporary\n", 0o600, KeyMissingError),
            ("[other]\n", 0o600, ProviderRefusedError),
            (f"no file of this kind {SECRET}", 0o600, ProviderRefusedError),
            (CREDENTIALS, 0o644, ProviderRefusedError),
        ):
            credentials.write_text(content)
            credentials.chmod(mode)
            with pytest.raises(expected) as raised:
                provider.versions("logs")
            assert SECRET not in "".join(traceback.format_exception(raised.value))
    heads = [request.lower() for request in server.requests]
    assert [(b"akidrenewed" in head, b"x-amz-security-token: temporary" in head) for head in heads] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"region": None}, "region: not given"),
        ({"region": "Frankfurt"}, "region: is none"),
        ({"prefix": "a.b"}, "prefix: has other"),
        ({"url": "http://kms.example"}, "use https"),
        ({"url": "https://kms.example/kms"}, "url: has a path"),
        ({"token": "x"}, "token: no such key"),
    ],
)
def test_a_mistake_in_the_setting_is_told_with_its_remedy(change: dict[str, object], wrong: str) -> None:
    arguments: dict[str, object] = {"region": "eu-central-1", **change}
    with pytest.raises(ValueError, match=wrong):
        open_provider("aws_kms", {name: value for name, value in arguments.items() if value is not None})
