"""`--fail-fast` and `--require` through the installed command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.repository import REPOSITORY
from tests.system.machine import Machine
from tests.system.test_reports import SCENARIO, STACK

EXAMPLE = REPOSITORY / "reports" / "example"


@pytest.fixture
def folder(machine: Machine) -> Path:
    folder = machine.temporary / "project"
    folder.mkdir(mode=0o755)
    (folder / "changing.yaml").write_text(STACK)
    for name in ("one", "two", "three"):
        text = SCENARIO.replace("name: short", f"name: {name}")
        (folder / f"{name}.yaml").write_text(f"{text}checks: [corrupted]\n")
    return folder


def test_side_by_side_too_what_has_not_begun_does_not_run(machine, folder):
    names = ("one", "two", "three", "four")
    for name in names:
        text = SCENARIO.replace("name: short", f"name: {name}")
        (folder / f"{name}.yaml").write_text(f"{text}exclusive: false\nchecks: [corrupted]\n")
    options = ("--stack", folder / "changing.yaml", "--out", machine.reports, "--fail-fast", "--jobs", "2")
    code, _, err = machine.call("run", *(folder / f"{name}.yaml" for name in names), *options)
    result = machine.result()
    statuses = [one["status"] for one in result["scenarios"]]

    assert code == 1, err
    assert set(statuses) == {"FAIL", "NOT_RUN"}
    assert statuses[2:] == ["NOT_RUN", "NOT_RUN"]
    assert all("--fail-fast: " in one["remarks"][0] for one in result["scenarios"][2:])
    assert result["broke"] == []


def test_the_first_failure_is_the_last_scenario_that_runs(machine, folder):
    scenarios = [folder / f"{name}.yaml" for name in ("one", "two", "three")]
    options = ("--stack", folder / "changing.yaml", "--out", machine.reports, "--fail-fast")
    code, _, err = machine.call("run", *scenarios, *options)
    result = machine.result()
    one, *others = result["scenarios"]

    assert code == 1, err
    assert (one["status"], one["attempts"]) == ("FAIL", [])
    for other in others:
        assert other["status"] == "NOT_RUN"
        assert other["remarks"][0].startswith('--fail-fast: scenario "one" failed: corrupted: ')
    assert result["gate"]["status"] == "FAIL"
    assert json.loads((machine.reports / "latest" / "badge.json").read_text())["color"] == "red"


@pytest.mark.parametrize(
    ("required", "code", "said"),
    [
        (("score>=98",), 0, 'Required "score>=98": score 100.00.'),
        (("score>=98", "response_p99_ms<1us"), 1, 'Required "response_p99_ms<1us": '),
        (("respons_p99_ms<1",), 4, 'Did you mean "response_p99_ms"?'),
        (("score",), 4, "cannot be read"),
    ],
)
def test_a_finished_run_is_judged_by_requirements(machine, required, code, said):
    options = [word for text in required for word in ("--require", text)]
    ended, out, err = machine.call("gate", EXAMPLE, *options)

    assert ended == code, err
    assert said in out + err


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_requirement_that_the_plan_cannot_answer_is_refused_before_anything_starts(machine, command):
    ended, _, err = machine.call(command, "no_fault", "--require", "corupted==0")

    assert ended == 4
    assert 'Did you mean "corrupted"?' in err
