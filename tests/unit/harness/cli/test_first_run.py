"""What `init` says after its first check: how little was tried, and commands that can be given."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.cli.first_run import first_check_told
from harness.config.library import shipped_folder
from harness.config.scenario import check_targets, load_scenario
from harness.config.stack import load_stack
from harness.model.protocols import Status
from harness.onboarding.drafts.draft import FirstFault
from tests.unit.harness.reporting.example_result import passing_result, vetoed_result

SHIPPED = shipped_folder()
STACKS = {FirstFault.STORE: "reference", FirstFault.APPLICATION: "file_handler"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("fault", FirstFault)
def test_every_scenario_that_is_named_next_has_its_targets_in_such_a_stack(fault):
    told = first_check_told("mine", fault, passing_result()).partition("\nNext\n")[2]
    stack = load_stack(SHIPPED / "stacks" / f"{STACKS[fault]}.yaml")
    commands = re.findall(r"logquake run (.*?) ?--stack mine", told)
    scenarios = [word for command in commands for word in command.split()]

    assert len(commands) == 2
    assert scenarios
    for word in scenarios:
        assert check_targets(load_scenario(SHIPPED / f"{word}.yaml"), stack) == []


def test_only_a_green_check_says_how_little_was_tried():
    green, red = (
        first_check_told("mine", FirstFault.STORE, each) for each in (passing_result(), vetoed_result())
    )

    assert "GREEN" in green
    assert "Only this was tried: " in green
    assert "RED" in red
    assert "Only this was tried" not in red


def test_a_remark_is_not_said_again_with_every_verdict():
    result = passing_result()
    one = result.scenarios[0]
    verdict = replace(
        one.verdicts[0], status=Status.INCONCLUSIVE, summary="No steady state. (All is stored.)"
    )
    one = replace(one, remarks=("No steady state.",), verdicts=(verdict,))
    told = first_check_told("mine", FirstFault.STORE, replace(result, scenarios=(one,)))

    assert told.count("No steady state.") == 1
    assert f"{verdict.objective}: not decided, see above (All is stored.)" in told


def test_git_is_told_of_once(folder):
    told = first_check_told("mine", FirstFault.STORE, passing_result())
    (folder / ".gitignore").write_text("*.pyc\n/reports/\n")
    ignored = first_check_told("mine", FirstFault.STORE, passing_result())

    assert "Add reports/ to .gitignore" in told
    assert ".gitignore" not in ignored
