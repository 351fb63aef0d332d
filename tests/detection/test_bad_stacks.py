"""Each known-bad stack is caught by the checker meant for it, and the good one passes on the same path."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SCENARIO = HERE / "scenarios" / "cut_then_silent.yaml"
EXIT_PASS = 0
EXIT_GATE_FAILED = 1

PRIMARY_CATCHES = {
    "losing": "delivery.acknowledged_lost",
    "blocking": "caller.response_p99_ms",
    "duplicating": "integrity.duplicated",
}


def _run(stack: str, out: Path) -> tuple[int, dict[str, str], dict]:
    """Run the installed command; return its exit code, the status of each objective, and the result."""
    command = [Path(sys.executable).parent / "logquake", "run", SCENARIO, "--stack", stack, "--out", out]
    finished = subprocess.run(
        list(map(str, command)), cwd=REPOSITORY, capture_output=True, text=True, timeout=110, check=False
    )
    results = list(out.glob("*/*/result.json"))
    assert len(results) == 1, finished.stderr
    result = json.loads(results[0].read_text())
    verdicts = {v["objective"]: v["status"] for s in result["scenarios"] for v in s["verdicts"]}
    return finished.returncode, verdicts, result


@pytest.mark.parametrize("stack", PRIMARY_CATCHES)
def test_a_bad_stack_is_caught_by_the_checker_meant_for_it_and_by_no_other(stack, tmp_path):
    code, verdicts, _ = _run(str(HERE / "stacks" / f"{stack}.yaml"), tmp_path)

    failed = {objective for objective, status in verdicts.items() if status == "FAIL"}
    assert failed == {PRIMARY_CATCHES[stack]}
    assert code == EXIT_GATE_FAILED


def test_the_good_stack_passes_beside_them(tmp_path):
    code, verdicts, result = _run("reference", tmp_path)

    assert set(verdicts.values()) == {"PASS"}
    assert result["score"]["low"] == 100
    assert code == EXIT_PASS
