"""Where Prometheus and promtool are, and how a test does without them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.deployments.installed import cache_folder

NAME = "prometheus"


def program(name: str) -> Path | None:
    """`prometheus` or `promtool` in the cache folder or on PATH; None where it is in neither."""
    kept = cache_folder() / NAME / "usr" / "bin" / name
    if os.access(kept, os.X_OK):
        return kept
    found = shutil.which(name)
    return None if found is None else Path(found)


def need(name: str) -> Path:
    """The same; skips the test without it."""
    found = program(name)
    if found is None:
        import pytest  # what installs Prometheus runs without it

        pytest.skip(f"{name} is not installed; run `make servers` (Debian's package prometheus)")
    return found
