"""Where the real key servers are, and how a test does without one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.deployments.installed import KEY_SERVERS, cache_folder

VERSIONS = {name: kind.version for name, kind in KEY_SERVERS.items()}
SOFTHSM_LIBRARIES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
)


def program_of(name: str) -> Path:
    """Where a server's program is kept, whether or not it is there."""
    return cache_folder() / f"{name}-{VERSIONS[name]}" / name


def need_server(name: str) -> Path:
    """A server's program; skips the test without it, fails where servers are required."""
    program = program_of(name)
    if os.access(program, os.X_OK):
        return program
    return _do_without(f"{name} is not built; run `make kms` (needs Go)")


def softhsm_library() -> Path | None:
    """SoftHSM's PKCS#11 library, or None where it is not installed."""
    return next((path for path in SOFTHSM_LIBRARIES if path.is_file()), None)


def need_softhsm() -> Path:
    """SoftHSM's PKCS#11 library; skips the test without it, fails where servers are required."""
    return softhsm_library() or _do_without("SoftHSM is not installed; run `make kms` (Debian: softhsm2)")


def _do_without(reason: str) -> Path:
    if os.environ.get("LOGQUAKE_REQUIRE_KEY_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
