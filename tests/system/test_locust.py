"""Locust drives the gateways: its workers, one of them killed, a Locust file of a user's own, and OTLP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.repository import REPOSITORY

pytestmark = pytest.mark.alone

SECONDS_MAX = 100
SCENARIOS = Path(__file__).parent / "scenarios"
JUDGED = {"acknowledged_lost", "duplicated", "corrupted", "miscounted", "fresh_record_seconds"}
HOW_TO = REPOSITORY / "docs" / "how-to" / "load-with-locust.md"


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a run; its reports lie below the folder."""
    logquake = str(Path(sys.executable).parent / "logquake")
    folder.mkdir()
    (shoppers,) = re.findall(r"^```python\n(.*?)^```", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "shoppers.py").write_text(shoppers)
    return subprocess.Popen(
        [logquake, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def scenario_of(folder: Path) -> dict[str, Any]:
    (result,) = folder.glob("reports/*/*/result.json")
    scenario: dict[str, Any]
    (scenario,) = json.loads(result.read_text())["scenarios"]
    return scenario


@pytest.mark.timeout(SECONDS_MAX + 10)
def test_every_record_that_locust_sends_is_judged(tmp_path: Path) -> None:
    killed = start(
        tmp_path / "killed",
        *("run", "--repeats", "0"),
        *("--stack", "gateway"),
        str(SCENARIOS / "worker_killed.yaml"),
    )
    otlp = start(
        tmp_path / "otlp",
        *("load", "--headless", "--repeats", "0", "--stack", "gateway_otlp"),
        *("--shape", "soak"),
        *("--seconds", "6"),
    )
    said = {run: run.communicate(timeout=SECONDS_MAX)[0] for run in (killed, otlp)}

    for run, folder in ((killed, "killed"), (otlp, "otlp")):
        scenario = scenario_of(tmp_path / folder)
        statuses = {verdict["objective"]: verdict["status"] for verdict in scenario["verdicts"]}
        assert statuses.items() >= dict.fromkeys(JUDGED, "PASS").items(), said[run]
        assert scenario["tally"]["sent"] == scenario["tally"]["due"], said[run]
        assert scenario["generator"]["tool"] == "Locust"

    scenario = scenario_of(tmp_path / "killed")
    (band,) = scenario["bands"]
    assert band["landed"]
    assert "was killed" in band["proof"]
    counted = {each["name"]: each for each in scenario["generator"]["requests"]}
    assert counted.keys() == {"/orders", "send()"}
    # What a killed worker had counted and not yet reported, Locust does not know; the harness does.
    assert 0 < counted["send()"]["requests"] <= scenario["tally"]["sent"]
    assert counted["send()"]["failures"] == 0
    assert counted["/orders"]["requests"] > 0
