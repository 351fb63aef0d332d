"""A damaged spool, through the installed command: lawful loss passes, and its known-bad twins are blocked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.machine import REPOSITORY, TIMEOUT_SECONDS, Machine

REFERENCE = (REPOSITORY / "scenarios/stacks/reference.yaml").read_text()
SCENARIO = (REPOSITORY / "scenarios/bit_flip.yaml").read_text()
TWINS = {
    "counts_nothing": ("    destroyed: corrupted\n", "", "`destroyed` was not read"),
    "counts_something_else": (
        "    destroyed: corrupted\n",
        "    destroyed: torn_tails\n",
        "the stack counts 0.",
    ),
    "loses_more_than_it_promises": (
        "corruption_blast_records: 512",
        "corruption_blast_records: 0",
        "each may cost 0, and",
    ),
}


JOURNAL = REPOSITORY / "tests/system/stacks/journal.yaml"
JOURNAL_ROT = """\
version: 1
name: journal_rot
title: A byte of the journal turns over while its shipper is down
hypothesis: What is behind the damage arrives.
schedule: {kind: steady, rate_per_second: 100}
sending_seconds: 6
drain_seconds: 10
checks: [acknowledged_lost]
steps:
  - {fault: killed, target: shipper, at_seconds: 2, for_seconds: 3}
  - fault: bit_flip
    target: journal
    at_seconds: 4
    for_seconds: 0.5
    from_share: 0.6
    to_share: 0.8
    permits: {destroyed: 1}
"""


def acknowledged_lost(result: dict) -> dict:
    verdict: dict
    scenario = result["scenarios"][-1]
    (verdict,) = [each for each in scenario["verdicts"] if each["objective"] == "acknowledged_lost"]
    return verdict


@pytest.mark.timeout(180)
def test_the_reference_stack_loses_no_more_than_the_damaged_block_and_counts_it(machine: Machine):
    process = machine.start("run", "bit_flip", "--out", machine.reports)
    # Long enough for a busy machine, on which a first attempt may be inconclusive.
    said = process.communicate(timeout=150)

    result = machine.result()
    verdict = acknowledged_lost(result)
    assert process.returncode == 0, said
    assert (verdict["status"], verdict["value"], verdict["vetoes"]) == ("PASS", 0, [])
    assert "Destroyed by a fault, permitted and counted" in verdict["summary"]
    assert [band["landed"] for band in result["scenarios"][-1]["bands"]] == [True, True]


@pytest.mark.timeout(120)
def test_its_known_bad_twins_are_blocked_with_a_veto(machine: Machine, tmp_path: Path):
    # What is lost is waited for that long; the counters are written once a second.
    scenario = tmp_path / "short.yaml"
    scenario.write_text(
        SCENARIO.replace("name: bit_flip", "name: short").replace("drain_seconds: 15", "drain_seconds: 5")
        + "checks: [acknowledged_lost, miscounted]\n"
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
        verdict = acknowledged_lost(json.loads(path.read_text()))
        assert (verdict["status"], verdict["vetoes"]) == ("FAIL", ["acknowledged loss"])
        assert any(why in line for line in verdict["evidence"]), verdict


@pytest.mark.timeout(120)
def test_a_shipper_that_gives_up_the_rest_is_told_from_one_that_skips_the_damage(
    machine: Machine, tmp_path: Path
):
    scenario = tmp_path / "journal_rot.yaml"
    scenario.write_text(JOURNAL_ROT)
    giving_up = tmp_path / "giving_up.yaml"
    text = JOURNAL.read_text().replace("name: journal", "name: giving_up").replace(", skip]", ", give-up]")
    giving_up.write_text(text.replace("{stack.folder}", str(JOURNAL.parent)))
    started = [
        machine.start(
            "run", scenario, "--stack", stack, "--out", machine.reports / name, PYTHONPATH=str(REPOSITORY)
        )
        for name, stack in (("skips", JOURNAL), ("gives_up", giving_up))
    ]
    said = [process.communicate(timeout=TIMEOUT_SECONDS) for process in started]

    assert [process.returncode for process in started] == [0, 1], said
    (path,) = machine.reports.glob("gives_up/*/*/result.json")
    verdict = acknowledged_lost(json.loads(path.read_text()))
    assert (verdict["status"], verdict["vetoes"]) == ("FAIL", ["acknowledged loss"])
    assert verdict["value"] > 10
