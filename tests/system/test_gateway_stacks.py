"""The harness examines the gateway shipped beside it: a smoke list here, the default suite by hand.

What it would catch is shown by the gateways of the self-test.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

SECONDS_MAX = 100
STACKS = ("gateway", "gateway_otlp")
SMOKE = ("requests_refused",)
NEEDS_QUIET = frozenset({"response_p99_ms"})
"""What neighbours on the machine would change, so that only a run by hand decides on it."""


def start(folder: Path, stack: str) -> subprocess.Popen[str]:
    """Start a run of the smoke list; its reports lie below the folder."""
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [logquake, "run", *SMOKE, "--stack", stack, "--out", "reports"]
    folder.mkdir()
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def statuses(folder: Path) -> dict[str, str]:
    """Return the status of each objective, the worst of all scenarios."""
    (result,) = folder.glob("reports/*/*/result.json")
    order = ("PASS", "WARN", "INCONCLUSIVE", "ERROR", "FAIL")
    found: dict[str, str] = {}
    for scenario in json.loads(result.read_text())["scenarios"]:
        for verdict in scenario["verdicts"]:
            worst = max(found.get(verdict["objective"], "PASS"), verdict["status"], key=order.index)
            found[verdict["objective"]] = worst
    return found


@pytest.mark.timeout(SECONDS_MAX + 10)
def test_a_gateway_keeps_what_it_answered_with_200(tmp_path: Path) -> None:
    runs = {stack: start(tmp_path / stack, stack) for stack in STACKS}
    said = {stack: run.communicate(timeout=SECONDS_MAX)[0] for stack, run in runs.items()}

    for stack in STACKS:
        found = statuses(tmp_path / stack)
        assert {"acknowledged_lost", "duplicated", "corrupted", "miscounted"} <= found.keys(), said[stack]
        others = {word for word, status in found.items() if status != "PASS"}
        assert others <= NEEDS_QUIET, said[stack]
