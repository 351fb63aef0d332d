"""The harness examines the alerts of the logging system beside it: a smoke list here, the suite by hand.

What it would catch is shown by the alerts of the self-test, and by the script of the page on judging alerts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS_MAX = 100
SMOKE = ("mail_refused",)
ALERTS = frozenset({"alerts_missed", "alerts_late", "alerts_repeated", "alerts_false"})


@pytest.mark.alone
@pytest.mark.timeout(SECONDS_MAX + 10)
def test_a_mail_server_that_refuses_delays_one_alert_and_loses_none(tmp_path: Path) -> None:
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [logquake, "run", *SMOKE, "--stack", "reference_alerts", "--out", "reports"]
    finished = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )

    (path,) = tmp_path.glob("reports/*/*/result.json")
    (scenario,) = json.loads(path.read_text())["scenarios"]
    found = {verdict["objective"]: verdict["status"] for verdict in scenario["verdicts"]}
    assert found.keys() >= ALERTS
    assert {word: status for word, status in found.items() if word in ALERTS} == dict.fromkeys(
        ALERTS, "PASS"
    ), finished.stdout
