"""Installs the real key servers into the cache folder; what cannot be had is told, and costs only its tests.

python -m tests.key_servers
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from harness.deployments.installed import cache_folder
from harness.deployments.installer import publish, staging_folder
from harness.model.errors import UnavailableError
from tests.commands import run_or_unavailable
from tests.key_servers.installed import program_of, softhsm_library

COMMAND_SECONDS_MAX = 900.0


def build(name: str) -> str:
    """Build a server of Go, unless it is there."""
    if program_of(name).is_file():
        return f"already in {program_of(name).parent}"
    go = shutil.which("go")
    if go is None:
        raise UnavailableError('no "go" on PATH; install Go 1.25 or newer')
    with staging_folder(name, cache_folder()) as staging:
        home = staging / "server"
        home.mkdir()
        COMMANDS[name](go, home)
        publish(home, program_of(name).parent)
    return f"built in {program_of(name).parent}"


def _built(folder: str, name: str, go: str, home: Path) -> None:
    # The versions and checksums are those of go.sum, or there is no build.
    run_or_unavailable(
        [go, "build", "-mod=readonly", "-o", str(home / name), "."],
        Path(__file__).parent / folder,
        COMMAND_SECONDS_MAX,
    )


COMMANDS: Mapping[str, Callable[[str, Path], None]] = {
    "transit": partial(_built, "transit", "transit"),
    "local-kms": partial(_built, "local_kms", "local-kms"),
}


def softhsm() -> str:
    """Install SoftHSM by apt-get, unless it is there."""
    if (library := softhsm_library()) is not None:
        return f"already in {library}"
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise UnavailableError("not installed; as root: apt-get install softhsm2")
    run_or_unavailable(
        [apt, "install", "--yes", "--no-install-recommends", "softhsm2"], Path("/"), COMMAND_SECONDS_MAX
    )
    return "installed by apt-get"


def main() -> int:
    """Install each; 7 where one cannot be had."""
    missing = 0
    for name, install in (
        ("transit", lambda: build("transit")),
        ("local-kms", lambda: build("local-kms")),
        ("softhsm", softhsm),
    ):
        try:
            print(f"{name}: {install()}", flush=True)
        except UnavailableError as error:
            missing += 1
            print(f"{name}: {error}; the tests that need it skip", flush=True)
    return 7 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
