"""A check that asks is told when each record was first seen; beside a check of latency it is not planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository import REPOSITORY
from tests.system.machine import Machine

pytestmark = pytest.mark.alone

CHECK = "tests.system.seen_in_time:SeenInTime"
SCENARIO = """\
version: 1
name: seen
title: Seen
hypothesis: Every record is seen in time.
schedule: {kind: steady, rate_per_second: 50}
sending_seconds: 4
checks: [acknowledged_lost, __CHECKS__]
"""


def scenario(folder: Path, *checks: str) -> Path:
    path = folder / "seen.yaml"
    path.write_text(SCENARIO.replace("__CHECKS__", ", ".join(f"'{check}'" for check in checks)))
    return path


def test_a_check_of_times_first_seen_judges_every_record(machine: Machine, tmp_path: Path) -> None:
    path = scenario(tmp_path, CHECK)
    code, out, err = machine.call("run", path, "--out", machine.reports, PYTHONPATH=str(REPOSITORY))

    assert code == 0, f"{out}\n{err}"
    (judged,) = machine.result()["scenarios"]
    (verdict,) = [each for each in judged["verdicts"] if each["objective"] == "seen_in_time"]
    assert (verdict["status"], verdict["summary"]) == ("PASS", f"0 of {judged['tally']['acknowledged']} late")
    # Over four seconds of sending, not by the last reading alone.
    assert verdict["value"] >= 3


def test_beside_a_check_of_latency_it_is_not_planned_and_plan_says_why(
    machine: Machine, tmp_path: Path
) -> None:
    path = scenario(tmp_path, CHECK, "response_p99_ms")
    code, out, _ = machine.call("plan", path, PYTHONPATH=str(REPOSITORY))

    assert code == 0
    assert (
        "seen_in_time: judged only where no other check measures what polling the archive would change" in out
    )
