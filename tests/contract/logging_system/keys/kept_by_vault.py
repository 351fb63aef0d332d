"""Keys in Vault: its own transit engine where that is built, and transit_lite."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from harness.processes.ports import free_port
from logging_system.keys.providers.key_server import KeyServer
from logging_system.keys.providers.vault import VaultProvider, VaultToken
from tests.contract.logging_system.keys.kept import KeptKeys
from tests.key_servers.installed import need_server
from tests.key_servers.process import KeyServerProcess

ROOT_TOKEN = "hvs.root-of-these-tests"  # noqa: S105  # counts only for servers started here
TIMEOUT_SECONDS = 30.0


@functools.cache
def transit() -> KeyServerProcess:
    """The real engine, started once."""
    program, port = need_server("transit"), free_port()
    folder = tempfile.TemporaryDirectory(prefix="transit-")
    command = [str(program), f"127.0.0.1:{port}", folder.name]
    server = KeyServerProcess(command, port, {"TRANSIT_TOKEN": ROOT_TOKEN})
    server.folder = folder  # type: ignore[attr-defined]  # goes with the server
    server.start()
    return server


@functools.cache
def transit_lite() -> KeyServerProcess:
    """The embedded key server, started once."""
    folder, port = tempfile.TemporaryDirectory(prefix="transit-"), free_port()
    options = ["--port", str(port), "--data", str(Path(folder.name) / "keys"), "--lifeline"]
    command = [sys.executable, "-m", "harness.programs.transit_lite", *options]
    server = KeyServerProcess(command, port, {**os.environ, "TRANSIT_TOKEN": ROOT_TOKEN})
    server.folder = folder  # type: ignore[attr-defined]  # goes with the server
    server.start()
    return server


def _kept(server: KeyServerProcess, folder: Path, *, offline: bool) -> Iterator[KeptKeys]:
    token = folder / "token"
    token.touch(0o600)
    token.write_text(f"{ROOT_TOKEN}\n")
    prefix = f"t{uuid4().hex[:8]}_"

    def opened() -> VaultProvider:
        at = KeyServer(server.url, timeout_seconds=TIMEOUT_SECONDS)
        # Shorter keys than a setting makes, since each takes a while to find.
        return VaultProvider(at, VaultToken(token), prefix=prefix, offline=offline, rsa_bits=2048)

    taken = False

    def take_away() -> None:
        nonlocal taken
        taken = True
        server.kill()

    def bring_back() -> None:
        nonlocal taken
        taken = False
        server.start()

    try:
        yield KeptKeys(opened, take_away, bring_back)
    finally:
        if taken:
            server.start()


def _of(
    start: Callable[[], KeyServerProcess], *, offline: bool
) -> Callable[[Path], contextlib.AbstractContextManager[KeptKeys]]:
    @contextlib.contextmanager
    def kept(folder: Path) -> Iterator[KeptKeys]:
        yield from _kept(start(), folder, offline=offline)

    return kept


vault = _of(transit, offline=False)
vault_offline = _of(transit, offline=True)
vault_transit_lite = _of(transit_lite, offline=False)
vault_transit_lite_offline = _of(transit_lite, offline=True)
