"""Key servers as services of a stack: each serves the provider, and has its keys after it was killed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from harness.deployments import key_server_specs, server_specs
from harness.deployments.service_set import INTERCEPTOR, PROXY, Program, ServiceSet
from harness.processes.clock import SystemClock
from harness.processes.scratch import make_scratch, remove_scratch
from harness.targets.process import ProcessTarget
from logging_system.keys.provider import KeyProvider
from logging_system.keys.providers import open_provider
from logging_system.keys.secret import Secret
from tests.key_servers.installed import need_server

OWN = {PROXY: server_specs.tcp_proxy, INTERCEPTOR: server_specs.http_interceptor}
READY_SECONDS_MAX = 60.0
RUN_ID = f"keys-{uuid4().hex[:12]}"
LISTENS = "0A"
KEY = Secret(bytes(range(32)))


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for servers, as a run makes it."""
    folder = make_scratch(RUN_ID)
    yield folder
    remove_scratch(folder)


def secret_file(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def in_vault(folder: Path, url: str) -> KeyProvider:
    token = secret_file(folder, key_server_specs.VAULT_TOKEN)
    return open_provider("vault", {"url": url, "token_file": token, "timeout_seconds": "30"})


def in_aws_kms(folder: Path, url: str) -> KeyProvider:
    text = "[default]\naws_access_key_id = run\naws_secret_access_key = run\n"
    login = {"credentials_file": secret_file(folder, text), "region": key_server_specs.REGION}
    return open_provider("aws_kms", {"url": url, **login, "timeout_seconds": "30"})


@pytest.mark.parametrize(
    ("installed", "program", "opened"),
    [
        pytest.param(None, key_server_specs.transit_lite, in_vault, id="vault, embedded"),
        pytest.param("transit", key_server_specs.transit, in_vault, id="vault, local"),
        pytest.param("local-kms", key_server_specs.local_kms, in_aws_kms, id="aws_kms"),
    ],
)
def test_a_key_server_serves_and_keeps_its_keys_over_a_kill(
    installed: str | None,
    program: Program,
    opened: Callable[[Path, str], KeyProvider],
    scratch: Path,
    tmp_path: Path,
) -> None:
    if installed is not None:
        need_server(installed)
    aliases = {"key_server": "keys"}
    services = ServiceSet({**OWN, "keys": program}, scratch, RUN_ID, SystemClock(), ("keys",), aliases)
    try:
        services.start()
        services.wait_ready(READY_SECONDS_MAX)
        assert listening_addresses(services.urls()["keys"]) == {"127.0.0.1"}
        provider = opened(tmp_path, services.urls()["keys"])
        key_id = f"k{uuid4().hex[:8]}"
        provider.create(key_id)
        wrapped = provider.wrap(key_id, 1, KEY, b"context")
        server = services.targets()["key_server"]
        assert isinstance(server, ProcessTarget)
        server.kill()
        server.restart()
        unwrapped = provider.unwrap(wrapped, b"context")
        provider.close()
    finally:
        services.stop()

    assert unwrapped == KEY


def listening_addresses(url: str) -> set[str]:
    """Return at which addresses of this machine somebody listens at a URL's port."""
    port = urlsplit(url).port or 0
    found = set()
    for table, family, words in (("tcp", AF_INET, 1), ("tcp6", AF_INET6, 4)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, hexadecimal = local.partition(":")
            if state == LISTENS and int(hexadecimal, 16) == port:
                # Each 32-bit word of an address is shown as this machine holds it.
                numbers = [int(address[at : at + 8], 16) for at in range(0, 8 * words, 8)]
                found.add(inet_ntop(family, struct.pack(f"={words}I", *numbers)))
    return found
