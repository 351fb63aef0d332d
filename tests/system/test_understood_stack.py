"""The harness examines what the logging system beside it finds: a smoke list here, the suite by hand.

Three faults and half a minute of honest bursts, side by side, so nothing that neighbours change is looked at.
What it would catch is shown by the findings of the self-test, and by the script of the page on judging them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SECONDS_MAX = 150
QUIET = "findings_quiet"
FAULTS = ("black_hole", "requests_refused")
FINDINGS = frozenset({"findings_missed", "findings_late", "findings_misnamed", "findings_false"})


def examined(folder: Path, scenario: str) -> dict[str, str]:
    """Run a scenario; return the status of each check of findings."""
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [
        logquake,
        "run",
        scenario,
        "--stack",
        "reference_findings",
        "--repeats",
        "0",
        "--out",
        scenario,
    ]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS_MAX, check=False)
    (path,) = folder.glob(f"{scenario}/*/*/result.json")
    (result,) = json.loads(path.read_text())["scenarios"]
    verdicts = {each["objective"]: f"{each['status']} {each['summary']}" for each in result["verdicts"]}
    return {word: verdicts[word].split(" ", 1)[0] for word in FINDINGS & verdicts.keys()}


@pytest.mark.timeout(SECONDS_MAX + 10)
def test_faults_are_found_in_time_and_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda scenario: examined(tmp_path, scenario), (QUIET, *FAULTS)))

    assert found == [{"findings_false": "PASS"}, *[dict.fromkeys(FINDINGS, "PASS")] * len(FAULTS)]
