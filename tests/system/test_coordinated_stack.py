"""The harness examines what the logging system beside it does about what it finds: a smoke list here.

What acts is killed in the middle of it, and the store by which engines agree is out of reach: side by side,
so nothing that these change for one another is looked at. What it would catch is shown by the self-test.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

SECONDS_MAX = 150
SCENARIOS = ("workflow_engine_killed", "workflow_store_down")
ACTIONS = ("actions_missed", "actions_repeated")


def examined(folder: Path, scenario: str) -> dict[str, Any]:
    """Run a scenario; return its result."""
    logquake = str(Path(sys.executable).parent / "logquake")
    command = [logquake, "run", scenario, "--stack", "reference_coordinated", "--repeats", "0"]
    subprocess.run(
        [*command, "--out", scenario], cwd=folder, capture_output=True, timeout=SECONDS_MAX, check=False
    )
    (path,) = folder.glob(f"{scenario}/*/*/result.json")
    (result,) = json.loads(path.read_text())["scenarios"]
    found: dict[str, Any] = result
    return found


@pytest.mark.alone
@pytest.mark.timeout(SECONDS_MAX + 10)
def test_what_is_found_is_acted_on_once_whoever_is_killed_and_told_as_a_timeline(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda name: examined(tmp_path, name), SCENARIOS))
    statuses = [{each["objective"]: each["status"] for each in result["verdicts"]} for result in results]
    moments = [[each["kind"] for each in result["incident"]] for result in results]

    assert [[status[word] for word in ACTIONS] for status in statuses] == [["PASS"] * len(ACTIONS)] * 2
    for told in moments:
        assert told.index("injected") < told.index("found") < told.index("acted")
