"""The harness examines the gateway shipped beside it: a smoke list here, the default suite by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

pytestmark = pytest.mark.alone

SECONDS_MAX = 100
SMOKE = ("requests_refused",)
BRIEF = "drain_seconds: 3\nliveness_seconds: 2\nrecovery_seconds: 2\n"
NEEDS_QUIET = frozenset({"response_p99_ms"})
"""What neighbours on the machine would change, so that only a run by hand decides on it."""


def run(folder: Path, stack: str, *scenarios: str) -> dict[str, str]:
    """Return the status of each objective, the worst of all scenarios."""
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [logquake, "run", *scenarios, "--stack", stack, "--out", str(folder / "reports")]
    finished = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    (result,) = folder.glob("reports/*/*/result.json")
    order = ("PASS", "WARN", "INCONCLUSIVE", "ERROR", "FAIL")
    found: dict[str, str] = {}
    for scenario in json.loads(result.read_text())["scenarios"]:
        assert scenario["verdicts"], finished.stdout
        for verdict in scenario["verdicts"]:
            worst = max(found.get(verdict["objective"], "PASS"), verdict["status"], key=order.index)
            found[verdict["objective"]] = worst
    return found


@pytest.mark.timeout(SECONDS_MAX + 10)
@pytest.mark.parametrize("stack", ["gateway", "gateway_otlp"])
def test_a_gateway_keeps_what_it_answered_with_200(tmp_path: Path, stack: str) -> None:
    found = run(tmp_path, stack, *SMOKE)

    assert {"acknowledged_lost", "duplicated", "corrupted", "miscounted"} <= found.keys()
    assert {word: status for word, status in found.items() if status != "PASS"}.keys() <= NEEDS_QUIET


@pytest.mark.timeout(SECONDS_MAX + 10)
def test_a_gateway_that_answers_200_and_keeps_only_a_part_is_caught(tmp_path: Path) -> None:
    """It takes records of at most 400 bytes; that others are gone stands in `partialSuccess` alone."""
    text = (REPOSITORY / "scenarios" / "stacks" / "gateway.yaml").read_text()
    text = text.replace("name: gateway\n", "name: forgetful\n")
    text = text.replace('"{gateway.port}"\n', '"{gateway.port}"\n      - --record-bytes-max\n      - "400"\n')
    stack = tmp_path / "forgetful.yaml"
    stack.write_text(
        text.replace("/v1/ndjson", "/v1/logs").replace(
            "  # One request a record",
            "  content_type: application/json\n"
            '  template: \'{{"resourceLogs": [{{"scopeLogs": [{{"logRecords": "$records"}}]}}]}}\'\n'
            '  record: \'{{"body": {{"stringValue": "$line"}}}}\'\n'
            "  # One request a record",
        )
    )

    scenario = tmp_path / "quick.yaml"
    no_fault = (REPOSITORY / "scenarios" / "no_fault.yaml").read_text()
    scenario.write_text(no_fault.replace("name: no_fault", "name: quick") + BRIEF)

    assert run(tmp_path, str(stack), str(scenario))["acknowledged_lost"] == "FAIL"
