"""What needs no run imports none of what runs need, so that it answers at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.repository import REPOSITORY

RESULT = "reports/example"
RUN_MACHINERY = (
    "harness.runs.request",
    "harness.deployments",
    "harness.faults",
    "harness.config",
    "harness.runs.runner",
    "harness.selftest",
    "harness.runs.suite",
    "harness.targets",
    "elasticsearch",
    "pydantic",
    "harness.http_client",
    "starlette",
    "uvicorn",
    "yaml",
)
WHAT_WAS_IMPORTED = """
import sys
from harness.cli.main import exit_code
code = exit_code(sys.argv[1:])
sys.stderr.write(" ".join(sorted(sys.modules)))
sys.exit(code)
"""


def _imported(*arguments: str) -> set[str]:
    finished = subprocess.run(
        [sys.executable, "-c", WHAT_WAS_IMPORTED, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("--help",),
        ("--version",),
        ("gate", "--help"),
        ("gate", RESULT),
        ("gate", RESULT, "--require", "score>=98"),
        ("diff", RESULT, RESULT),
        ("report", RESULT),
        ("report", RESULT, "--format", "markdown"),
        ("report", RESULT, "--format", "junit"),
        ("report", RESULT, "--format", "json"),
        ("report", RESULT, "--format", "html"),
        ("report", RESULT, "--format", "ctrf"),
        ("report", RESULT, "--format", "prometheus"),
    ],
    ids=" ".join,
)
def test_what_needs_no_run_imports_none_of_what_runs_need(command):
    assert _imported(*command).isdisjoint(RUN_MACHINERY)


@pytest.mark.slow
def test_a_command_that_plans_a_run_does_import_it():
    assert {"harness.runs.request", "harness.config", "pydantic", "yaml"} <= _imported("plan", "no_fault")
