"""The sink against a real Elasticsearch with a password and TLS, both replaced while documents flow."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import Conflict, Delivered, Unknown
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.certificates import Authority
from tests.contract.elasticsearch_fixture import eventually
from tests.contract.logging_system.sinks.secured_elasticsearch import (
    RELOAD_SECONDS_MAX,
    USER,
    SecuredServer,
    secured_server,
)
from tests.outcomes import outcome_of_one

pytestmark = pytest.mark.servers

EPOCH = bytes(range(16))


@pytest.fixture(scope="module")
def authorities() -> list[Authority]:
    """The first is that of the server's present certificate."""
    return [Authority.make("first"), Authority.make("second")]


@pytest.fixture(scope="module")
def server(authorities: list[Authority]) -> Iterator[SecuredServer]:
    with secured_server(authorities[0]) as started:
        yield started


@dataclass
class Client:
    """A sink with files for its secret and its authorities."""

    server: SecuredServer
    folder: Path
    stream: str
    authority: Authority
    sink: ElasticsearchSink = field(init=False)

    def __post_init__(self) -> None:
        self.ca_certs, self.password_file = self.folder / "ca.pem", self.folder / "password"
        self.ca_certs.write_bytes(self.authority.pem)
        self.password_file.write_text("first-secret\n")
        self.set_password("first-secret")
        self.sink = ElasticsearchSink(
            [self.server.url],
            self.stream,
            ca_certs=self.ca_certs,
            username=USER,
            password_file=self.password_file,
        )

    def set_password(self, password: str) -> None:
        """Change it on the server and wait until it counts."""
        self.server.set_password(USER, password)
        probe = {"username": USER, "password": password}
        sink = ElasticsearchSink([self.server.url], self.stream, ca_certs=self.ca_certs, **probe)  # type: ignore[arg-type]
        with closing(sink):
            assert eventually(RELOAD_SECONDS_MAX, lambda: sink.prepare() is None)

    def stored(self) -> list[str]:
        self.server.call("POST", f"/{self.stream}/_refresh", self.authority)
        found = self.server.call("GET", f"/{self.stream}/_search?size=10000&_source=false", self.authority)
        return sorted((hit["_id"] for hit in found["hits"]["hits"]), key=lambda name: int(name[33:]))


@contextmanager
def flow(client: Client) -> Iterator[list[str]]:
    """Send documents one after the other, each until it is proved; yields the troubles met on the way."""
    ending, troubles, sent = threading.Event(), [], []  # type: ignore[var-annotated]

    def run() -> None:
        while not ending.is_set() or not sent:
            document = Item(EPOCH, len(sent) + 1, b'{"@timestamp":"2026-01-01T00:00:00Z","message":"m"}')
            while isinstance(outcome := client.sink.send([document]), Unknown):
                troubles.append(outcome.reason)
                time.sleep(0.05)
            assert isinstance(outcome_of_one(outcome), Delivered | Conflict)
            sent.append(document.id)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield troubles
    finally:
        time.sleep(0.3)
        ending.set()
        thread.join(RELOAD_SECONDS_MAX)
    assert not thread.is_alive()
    assert client.stored() == sent


def test_documents_arrive_over_tls_with_a_password(
    server: SecuredServer, authorities: list[Authority], tmp_path: Path
) -> None:
    client = Client(server, tmp_path, "logs-plain-test", authorities[0])
    with closing(client.sink):
        trouble = client.sink.prepare()
        with flow(client) as troubles:
            pass

    assert trouble is None
    assert troubles == []


@pytest.mark.parametrize("password", ["wrong-secret", None], ids=["wrong", "none"])
def test_without_the_password_nothing_is_acknowledged_or_refused_for_good(
    server: SecuredServer, authorities: list[Authority], tmp_path: Path, password: str | None
) -> None:
    ca_certs = tmp_path / "ca.pem"
    ca_certs.write_bytes(authorities[0].pem)
    document = Item(EPOCH, 1, b"{}")
    login = {"username": "nobody", "password": password} if password else {}
    with closing(ElasticsearchSink([server.url], "logs", ca_certs=ca_certs, **login)) as sink:  # type: ignore[arg-type]
        trouble, outcome = sink.prepare(), sink.send([document])

    assert "401" in str(trouble)
    assert isinstance(outcome, Unknown)
    assert "wrong-secret" not in f"{trouble} {outcome}"


def test_a_password_is_replaced_while_documents_flow_and_none_is_lost(
    server: SecuredServer, authorities: list[Authority], tmp_path: Path
) -> None:
    client = Client(server, tmp_path, "logs-password-test", authorities[0])
    with closing(client.sink), flow(client) as troubles:
        client.set_password("second-secret")
        assert eventually(RELOAD_SECONDS_MAX, lambda: len(troubles) > 0)
        client.password_file.write_text("second-secret\n")

    assert all("401" in trouble for trouble in troubles)
    assert not any("secret" in trouble for trouble in troubles)


def test_authorities_are_replaced_while_documents_flow_and_none_is_lost(
    server: SecuredServer, authorities: list[Authority], tmp_path: Path
) -> None:
    first, second = authorities
    client = Client(server, tmp_path, "logs-authority-test", first)
    with closing(client.sink), flow(client) as troubles:
        client.ca_certs.write_bytes(first.pem + second.pem)
        server.use_certificate_of(second)
        assert eventually(RELOAD_SECONDS_MAX, lambda: server.issuer_is(second))
        with_both = list(troubles)
        client.authority = second
        authorities.reverse()
        client.ca_certs.write_bytes(second.pem)

    assert with_both == []
    assert troubles == []


def test_a_server_whose_new_authority_is_not_known_yet_is_waited_for(
    server: SecuredServer, authorities: list[Authority], tmp_path: Path
) -> None:
    present, coming = authorities
    client = Client(server, tmp_path, "logs-unknown-authority-test", present)
    with closing(client.sink), flow(client) as troubles:
        server.use_certificate_of(coming)
        assert eventually(RELOAD_SECONDS_MAX, lambda: server.issuer_is(coming))
        # Connections made before stay good; a change of the file has them made anew.
        client.ca_certs.write_bytes(present.pem + Authority.make("a third").pem)
        assert eventually(RELOAD_SECONDS_MAX, lambda: len(troubles) > 0)
        client.authority = coming
        authorities.reverse()
        client.ca_certs.write_bytes(coming.pem)

    assert all("certificate is not trusted" in trouble for trouble in troubles)
