"""A damaged spool, through the installed command: lawful loss passes, and its known-bad twins are blocked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.machine import REPOSITORY, TIMEOUT_SECONDS, Machine

REFERENCE = (REPOSITORY / "scenarios/stacks/reference.yaml").read_text()
SCENARIO = (REPOSITORY / "scenarios/bit_rot.yaml").read_text()
TWINS = {
    "counts_nothing": ("    destroyed: corrupted\n", "", "`destroyed` was not read"),
    "counts_something_else": (
        "    destroyed: corrupted\n",
        "    destroyed: torn_tails\n",
        "counted by the stack: 0",
    ),
    "loses_more_than_it_promises": (
        "corruption_blast_records: 512",
        "corruption_blast_records: 0",
        "records each may cost: 0",
    ),
}


def conservation(result: dict) -> dict:
    (scenario,) = result["scenarios"]
    (verdict,) = [each for each in scenario["verdicts"] if each["objective"] == "delivery.acknowledged_lost"]
    return verdict


@pytest.mark.timeout(120)
def test_the_reference_stack_loses_no_more_than_the_damaged_block_and_counts_it(machine: Machine):
    code, out, err = machine.call("run", "--suite", "disk", "--out", machine.reports)

    result = machine.result()
    verdict = conservation(result)
    assert code == 0, (out, err)
    assert (verdict["status"], verdict["value"], verdict["vetoes"]) == ("PASS", 0, [])
    assert "destroyed by a fault, permitted and counted" in verdict["summary"]
    assert [band["landed"] for band in result["scenarios"][0]["bands"]] == [True, True]


@pytest.mark.timeout(120)
def test_its_known_bad_twins_are_blocked_with_a_veto(machine: Machine, tmp_path: Path):
    # What is lost is waited for that long; the counters are written once a second.
    scenario = tmp_path / "short.yaml"
    scenario.write_text(
        SCENARIO.replace("name: bit_rot", "name: short").replace("drain_seconds: 15", "drain_seconds: 5")
        + "checks: [conservation, accounting]\n"
    )
    started = {}
    for name, (old, new, _) in TWINS.items():
        assert old in REFERENCE
        stack = tmp_path / f"{name}.yaml"
        stack.write_text(REFERENCE.replace("name: reference", f"name: {name}").replace(old, new))
        started[name] = machine.start("run", scenario, "--stack", stack, "--out", machine.reports / name)
    said = {name: process.communicate(timeout=TIMEOUT_SECONDS) for name, process in started.items()}

    assert {name: process.returncode for name, process in started.items()} == dict.fromkeys(TWINS, 1), said
    for name, (_, _, why) in TWINS.items():
        (path,) = (machine.reports / name).glob("*/*/result.json")
        verdict = conservation(json.loads(path.read_text()))
        assert (verdict["status"], verdict["vetoes"]) == ("FAIL", ["acknowledged loss"])
        assert any(why in line for line in verdict["evidence"]), verdict
