"""The how-to for TLS is true: its examples run in order against a store with an authority of its own."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logging_system.sinks.elasticsearch.index_template import (
    CUSTOM_NAME,
    LIFECYCLE_NAME,
    MAPPINGS_NAME,
    PRIORITY,
    SETTINGS_NAME,
)
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.certificates import Authority
from tests.repository import REPOSITORY
from tests.unit.logging_system.store_server import ITEMS, StoreServer, http

PAGE = (REPOSITORY / "docs" / "how-to" / "elasticsearch-tls.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SECONDS_MAX = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text("the old one\n")
    return tmp_path


@pytest.fixture
def authority() -> Authority:
    return Authority.make()


@pytest.fixture
def server(authority: Authority, folder: Path) -> Iterator[StoreServer]:
    """A store that knows the new password and its user, and nobody else."""

    def answer(request: bytes) -> Iterator[bytes]:
        known = base64.b64encode(b"shipper:the new one") in request
        yield http(b'{"errors":false,"items":[]}') if known else http(b"{}", b"401 Unauthorized")

    opened = StoreServer(answer, authority.server_context(folder / "server", host="localhost"))
    yield opened
    opened.close()


def run(folder: Path, code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=True
    )
    return done.stdout.strip()


def test_the_examples_of_the_page_do_what_it_says(
    folder: Path, authority: Authority, server: StoreServer
) -> None:
    connect, trust_both, change_password = EXAMPLES
    port = server.address.rpartition(":")[2]
    connect = connect.replace("localhost:9200", f"localhost:{port}")
    other = Authority.make("other")
    (folder / "old-ca.pem").write_bytes(other.pem)
    (folder / "new-ca.pem").write_bytes(authority.pem)
    (folder / "ca.pem").write_bytes(other.pem)
    untrusted = run(folder, connect)
    run(folder, "from pathlib import Path\n" + trust_both)
    trusted_with_the_old_password = run(folder, connect)
    run(folder, "from pathlib import Path\n" + change_password)
    ready = run(folder, connect)

    assert "the server certificate is not trusted: " in untrusted
    assert untrusted.partition("trusted: ")[2].partition(" (ca_certs")[0] in PAGE
    assert "HTTP 401" in trusted_with_the_old_password
    assert ready == "None"


def test_the_page_names_what_is_put_into_the_cluster() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)

    assert rows[-5:] == [
        "logging-system-<stream>",
        MAPPINGS_NAME,
        SETTINGS_NAME,
        LIFECYCLE_NAME,
        CUSTOM_NAME,
    ]
    assert f"priority {PRIORITY}" in PAGE


def test_the_troubles_of_the_page_are_those_that_are_said(folder: Path) -> None:
    ca_certs = folder / "ca.pem"
    authority = Authority.make()
    ca_certs.write_bytes(authority.pem)
    context = authority.server_context(folder / "server", host="elsewhere.example")
    said = []
    with closing(StoreServer(None, context)) as server:
        for url, chosen in ((server.url, ca_certs), (server.url, None)):
            with closing(ElasticsearchSink([url], "logs", ca_certs=chosen)) as sink:
                said.append(str(sink.send(ITEMS)))

    assert "IP address mismatch, " in said[0]
    assert "self-signed certificate in certificate chain" in said[1]
