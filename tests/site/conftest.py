"""Where the built site is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository import REPOSITORY


@pytest.fixture(scope="session")
def site() -> Path:
    built = REPOSITORY / "build" / "site"
    if not (built / "index.html").exists():
        pytest.fail("build/site is not there; `make docs` builds it and then runs these tests")
    return built
