"""Unpacks Debian's package `prometheus` into the cache folder; without it a few tests skip.

python -m tests.prometheus_server

It is not installed on this machine: the package would start a server of its own.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from harness.deployments.installed import cache_folder
from harness.deployments.installer import publish, staging_folder
from harness.model.errors import UnavailableError
from tests.commands import run_or_unavailable
from tests.prometheus_server.installed import NAME, program

COMMAND_SECONDS_MAX = 60.0
# A registry that does not answer is not waited for: only tests depend on it.
_PATIENCE = (
    "-o",
    "Acquire::Retries=0",
    "-o",
    "Acquire::http::Timeout=10",
    "-o",
    "Acquire::https::Timeout=10",
)


def install() -> str:
    """Fetch and unpack it, unless both programs are there; returns what was done."""
    if program("prometheus") is not None and program("promtool") is not None:
        return f"already in {program('promtool')}"
    for needed in ("apt-get", "dpkg"):
        if shutil.which(needed) is None:
            raise UnavailableError(
                f'no "{needed}" on PATH; with prometheus and promtool on PATH tests use those'
            )
    begun_seconds = time.monotonic()
    with staging_folder(NAME, cache_folder()) as staging:
        root = staging / "root"
        _fetch(staging)
        for package in staging.glob("*.deb"):
            run_or_unavailable(["dpkg", "-x", str(package), str(root)], staging, COMMAND_SECONDS_MAX)
        run_or_unavailable(
            [str(root / "usr" / "bin" / "promtool"), "--version"], staging, COMMAND_SECONDS_MAX
        )
        publish(root, cache_folder() / NAME)
    return f"unpacked in {cache_folder() / NAME} within {time.monotonic() - begun_seconds:.0f} s"


def _fetch(folder: Path) -> None:
    download = ["apt-get", *_PATIENCE, "-o", "APT::Sandbox::User=root", "download", NAME]
    try:
        run_or_unavailable(download, folder, COMMAND_SECONDS_MAX)
    except UnavailableError:
        # The machine's package lists are missing or old.
        run_or_unavailable(["apt-get", *_PATIENCE, "update"], folder, COMMAND_SECONDS_MAX)
        run_or_unavailable(download, folder, COMMAND_SECONDS_MAX)


def main() -> int:
    """Install it; 7 where it cannot be had."""
    try:
        print(f"{NAME}: {install()}", flush=True)
    except UnavailableError as error:
        print(f"{NAME}: {error}; the tests that need it skip", flush=True)
        return 7
    return 0


if __name__ == "__main__":
    sys.exit(main())
