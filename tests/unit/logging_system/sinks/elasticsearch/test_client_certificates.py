from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from logging_system.config.loading import load_settings
from logging_system.connections.tls import Trust
from logging_system.delivery.outcomes import Delivered, OneForEach, Unknown
from logging_system.monitoring.event_words import log_in_words
from logging_system.shipping.sink_factory import sink_opener
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.certificates import Authority
from tests.outcomes import kinds
from tests.unit.logging_system.store_server import CREATED, ITEMS, StoreServer, http


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("the store's")


@pytest.fixture
def ca_certs(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[StoreServer]:
    """A store that serves nobody without a certificate of its authority."""
    opened = StoreServer(http(CREATED), authority.demanding_context(tmp_path / "server"))
    yield opened
    opened.close()


def sent(sink: ElasticsearchSink) -> str:
    """Whether a request was answered, or why not."""
    outcome = sink.send(ITEMS)
    if isinstance(outcome, Unknown):
        return outcome.reason
    assert set(kinds(outcome, len(ITEMS))) == {Delivered}
    return "answered"


def renew(certificate: Path, key: Path, authority: Authority, folder: Path) -> None:
    for fresh, path in zip(authority.issue(folder), (certificate, key), strict=True):
        fresh.rename(path)


def test_a_store_that_demands_a_certificate_takes_ours(
    server: StoreServer, authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    certificate, key = authority.issue(tmp_path / "ours")
    loaded = load_settings(
        {
            "elasticsearch": [server.url],
            "ca_certs": ca_certs,
            "client_certificate": certificate,
            "client_key": key,
        }
    )
    with closing(sink_opener(loaded.settings, log_in_words)()) as sink:
        assert isinstance(sink.send(ITEMS), OneForEach)


def test_certificate_and_key_may_stand_in_one_file(
    server: StoreServer, authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    certificate, key = authority.issue(tmp_path / "ours")
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    with closing(
        ElasticsearchSink([server.url], "logs", ca_certs=ca_certs, client_certificate=certificate)
    ) as sink:
        assert sent(sink) == "answered"


@pytest.mark.parametrize("shown", [False, True], ids=["none", "one of another authority"])
def test_without_the_right_certificate_nothing_arrives_and_the_trouble_says_why(
    server: StoreServer, ca_certs: Path, tmp_path: Path, shown: bool
) -> None:
    certificate, key = Authority.make("another").issue(tmp_path / "ours") if shown else (None, None)
    with closing(
        ElasticsearchSink(
            [server.url], "logs", ca_certs=ca_certs, client_certificate=certificate, client_key=key
        )
    ) as sink:
        reason = sent(sink)

    assert "the server rejected our client_certificate, or requires one: " in reason
    assert server.requests == []


def test_a_store_that_speaks_the_newest_tls_alone_takes_ours_and_no_other(
    server: StoreServer, authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    assert server.context is not None
    server.context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    server.context.minimum_version = ssl.TLSVersion.TLSv1_3
    outcomes = []
    for signing in (Authority.make("another"), authority):
        certificate, key = signing.issue(tmp_path / "ours")
        with closing(
            ElasticsearchSink(
                [server.url], "logs", ca_certs=ca_certs, client_certificate=certificate, client_key=key
            )
        ) as sink:
            outcomes.append(sent(sink) == "answered")

    assert outcomes == [False, True]


def test_a_certificate_is_replaced_without_a_restart(
    server: StoreServer, authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    certificate, key = Authority.make("an expired one").issue(tmp_path / "ours")
    with closing(
        ElasticsearchSink(
            [server.url], "logs", ca_certs=ca_certs, client_certificate=certificate, client_key=key
        )
    ) as sink:
        before = sent(sink)
        renew(certificate, key, authority, tmp_path / "fresh")
        after = sent(sink)

    assert "rejected our client_certificate" in before
    assert after == "answered"


def test_a_certificate_whose_key_is_not_there_yet_leaves_the_old_one_in_use_until_both_fit(
    server: StoreServer,
    authority: Authority,
    ca_certs: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    certificate, key = authority.issue(tmp_path / "ours")
    new_certificate, new_key = authority.issue(tmp_path / "fresh")
    trust = Trust(ca_certs, client_certificate=certificate, client_key=key)
    before = trust.context()
    new_certificate.rename(certificate)
    meanwhile, trouble = trust.context(), trust.trouble
    new_key.rename(key)
    after = trust.context()

    assert meanwhile is before
    assert f"client_certificate {certificate}: " in trouble
    assert trouble.endswith("the certificate read before stays in use")
    assert after is not before
    assert trust.trouble == ""


def test_an_encrypted_key_is_refused_at_the_start_and_nobody_is_asked_for_its_password(
    authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    certificate, key = authority.issue(tmp_path / "ours")
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(ValueError, match="the key is encrypted; store it without a password"):
        Trust(ca_certs, client_certificate=certificate, client_key=key)


def test_files_that_are_no_certificate_are_refused_at_the_start(
    authority: Authority, ca_certs: Path, tmp_path: Path
) -> None:
    certificate, _key = authority.issue(tmp_path / "ours")
    (tmp_path / "text").write_text("no certificate")
    cases: dict[str, dict[str, Path]] = {
        "client_key goes with client_certificate": {"client_key": certificate},
        "client_certificate .*text: .*; name a readable file": {"client_certificate": tmp_path / "text"},
        "client_certificate .*server.crt: .*; name a readable file": {"client_certificate": certificate},
        "client_key .*missing: No such file": {
            "client_certificate": certificate,
            "client_key": tmp_path / "missing",
        },
    }

    for message, files in cases.items():
        with pytest.raises(ValueError, match=message):
            Trust(ca_certs, True, **files)
