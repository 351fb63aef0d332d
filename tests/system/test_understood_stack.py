"""The harness examines what the logging system beside it finds and answers: a smoke list here.

Three faults, half a minute of honest bursts and a dashboard without its store, side by side, so nothing that
neighbours change is looked at. What it would catch is shown by the self-test, and by the script of the page
on judging findings.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SECONDS_MAX = 150
FINDINGS = ("findings_missed", "findings_late", "findings_misnamed", "findings_false")
ANSWERS = ("answers_wrong", "answers_missing")
EXPECTED = {
    ("findings_quiet", "reference_findings"): ("findings_false",),
    ("black_hole", "reference_findings"): FINDINGS,
    ("requests_refused", "reference_findings"): FINDINGS,
    ("dashboard_store_down", "reference_dashboard"): ANSWERS,
}


def examined(folder: Path, scenario: str, stack: str) -> dict[str, str]:
    """Run a scenario; return the status of each check of findings and answers."""
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [logquake, "run", scenario, "--stack", stack, "--repeats", "0", "--out", scenario]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS_MAX, check=False)
    (path,) = folder.glob(f"{scenario}/*/*/result.json")
    (result,) = json.loads(path.read_text())["scenarios"]
    verdicts = {each["objective"]: each["status"] for each in result["verdicts"]}
    return {word: verdicts[word] for word in (*FINDINGS, *ANSWERS) if word in verdicts}


@pytest.mark.alone
@pytest.mark.timeout(SECONDS_MAX + 10)
def test_faults_are_found_in_time_and_by_name_and_answers_stay_true(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda run: examined(tmp_path, *run), EXPECTED)

    assert dict(zip(EXPECTED, found, strict=True)) == {
        run: dict.fromkeys(words, "PASS") for run, words in EXPECTED.items()
    }
