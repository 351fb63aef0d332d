"""How each key server is started: the embedded one, Vault's own transit engine, and local-kms."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from harness.deployments.installed import InstalledServer, require
from harness.deployments.server_specs import NICENESS, own_program
from harness.model.declarations import Ready
from harness.model.errors import UnavailableError
from harness.processes.managed import ProcessSpec
from harness.processes.ports import LOOPBACK
from harness.processes.scratch import subfolder

VAULT_TOKEN = "root"  # noqa: S105 - counts only for a server of this run, as that of Vault's own dev mode
"""The token that stack files give to whoever asks a key server that a run started itself."""
REGION = "eu-west-2"
"""The region of a run's own AWS KMS, which is part of each signature."""


def transit_lite(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the embedded key server starts; its keys stay in the scratch folder over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback; Vault's HTTP API is served there.

    Raises:
        UnavailableError: cryptography, which it is made of, is not installed.
    """
    if importlib.util.find_spec("cryptography") is None:
        raise UnavailableError("vault: cryptography is not installed; pip install 'logquake[keys]'")
    folder = subfolder(scratch, name)
    command = ("harness.programs.transit_lite", "--port", str(port), "--data", str(folder / "keys"))
    ready = Ready(http=f"http://{LOOPBACK}:{port}/v1/sys/health")
    return own_program(name, folder, command, ready, {"TRANSIT_TOKEN": VAULT_TOKEN})


def transit(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how Vault's own transit engine starts; raises UnavailableError where it is not built.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder; its keys stay there over restarts.
        port: free on loopback; Vault's HTTP API is served there.
    """
    server, folder = require("transit"), subfolder(scratch, name)
    command = (f"{LOOPBACK}:{port}", str(folder / "keys"))
    return _of_go(name, server, folder, command, port, {"TRANSIT_TOKEN": VAULT_TOKEN})


def local_kms(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how local-kms starts, which answers as AWS KMS does; raises UnavailableError without it.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder; its keys stay there over restarts.
        port: free on loopback; the API of AWS KMS is served there.
    """
    server, folder = require("local-kms"), subfolder(scratch, name)
    return _of_go(name, server, folder, (f"{LOOPBACK}:{port}", str(folder / "keys"), REGION), port, {})


def _of_go(
    name: str,
    server: InstalledServer,
    folder: Path,
    arguments: tuple[str, ...],
    port: int,
    environment: dict[str, str],
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=(str(server.path), *arguments),
        folder=folder,
        log=folder / "output.log",
        environment=environment,
        # Neither answers a request without a login, so a connection has to do.
        ready=Ready(listens=f"{LOOPBACK}:{port}"),
        niceness=NICENESS,
    )
