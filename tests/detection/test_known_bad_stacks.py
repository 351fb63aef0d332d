"""Each known-bad stack is run for real and caught by the check meant for it; the honest twin passes."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.selftest.cases import CASES
from harness.selftest.examination import OutcomeFile

LOGQUAKE = str(Path(sys.executable).parent / "logquake")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_self_test_comes_out_as_it_must(case, tmp_path):
    kept = tmp_path / "outcomes.jsonl"
    command = [LOGQUAKE, "gate", "selftest", case.name, "--resume", str(kept)]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=220, check=False)

    (outcome,) = OutcomeFile(kept).read()
    assert outcome.problem == "", finished.stderr[-2000:]
    assert (case.catch in outcome.failed) is bool(case.catch)
    assert finished.returncode == 0
