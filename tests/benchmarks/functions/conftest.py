"""Only `make bench-functions` collects these; it prints the ratios, and writes them where asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks.functions.measured import Measured
from tests.benchmarks.page import provenance, write

collect_ignore_glob = [] if os.environ.get("LOGQUAKE_BENCH") == "functions" else ["test_*.py"]
MEASURED = pytest.StashKey[Measured]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write", type=Path, help="a page whose table of functions is replaced")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURED] = Measured()


@pytest.fixture
def measured(pytestconfig: pytest.Config) -> Measured:
    return pytestconfig.stash[MEASURED]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash[MEASURED].table()
    if not table:
        return
    terminalreporter.section("ratios")
    terminalreporter.line(table)
    if (page := config.getoption("write")) is not None:
        source = provenance("make bench-functions", ("orjson", "google-crc32c", "pytest-benchmark"))
        write(page, {"functions": f"{table}\n\n{source}"})
