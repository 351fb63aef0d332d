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
from harness.onboarding.drafts.draft import Draft, FirstFault
from harness.onboarding.scaffold import files, requirement_of
from harness.onboarding.seen import Ci
from tests.unit.harness.reporting.example_result import passing_result, vetoed_result

SHIPPED = shipped_folder()
RELEASED = requirement_of("1.0", "")
STACKS = {FirstFault.STORE: "reference", FirstFault.APPLICATION: "file_handler"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("fault", FirstFault)
def test_every_scenario_that_is_named_next_has_its_targets_in_such_a_stack(fault):
    told = first_check_told("mine", fault, RELEASED, passing_result()).partition("\nNext\n")[2]
    stack = load_stack(SHIPPED / "stacks" / f"{STACKS[fault]}.yaml")
    commands = re.findall(r"logquake run (.*?) ?--stack mine", told)
    scenarios = [word for command in commands for word in command.split()]

    assert len(commands) == 2
    assert scenarios
    for word in scenarios:
        assert check_targets(load_scenario(SHIPPED / f"{word}.yaml"), stack) == []


def test_only_a_green_check_says_how_little_was_tried():
    green, red = (
        first_check_told("mine", FirstFault.STORE, RELEASED, each)
        for each in (passing_result(), vetoed_result())
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
    told = first_check_told("mine", FirstFault.STORE, RELEASED, replace(result, scenarios=(one,)))

    assert told.count("No steady state.") == 1
    assert f"{verdict.objective}: not decided, see above (All is stored.)" in told


def test_git_is_told_of_once(folder):
    told = first_check_told("mine", FirstFault.STORE, RELEASED, passing_result())
    (folder / ".gitignore").write_text("*.pyc\n/reports/\n")
    ignored = first_check_told("mine", FirstFault.STORE, RELEASED, passing_result())

    assert "Add reports/ to .gitignore" in told
    assert ".gitignore" not in ignored


def test_what_builds_cannot_install_by_its_name_is_put_beside_the_files(folder):
    """A name that no index has would be installed from whoever takes it."""
    cloned = requirement_of("1.0", "/home/me/my clones/logquake")
    told = first_check_told("mine", FirstFault.STORE, cloned, passing_result())
    (folder / "wheels").mkdir()
    (folder / cloned.text).touch()
    there = first_check_told("mine", FirstFault.STORE, cloned, passing_result())

    assert cloned.text == "./wheels/logquake-1.0-py3-none-any.whl"
    assert "pip wheel --no-deps --wheel-dir wheels '/home/me/my clones/logquake'" in told
    assert "pip wheel" not in there
    assert "pip wheel" not in first_check_told("mine", FirstFault.STORE, RELEASED, passing_result())


@pytest.mark.parametrize("ci", Ci)
def test_the_workflow_installs_what_its_builds_can_have(ci, tmp_path):
    draft = Draft(stack="", fault=FirstFault.STORE)
    (workflow,) = (
        file.text
        for file in files("mine", draft, ci, "", requirement_of("1.0", "/clone"), "3.12")
        if "LOGQUAKE" in file.text
    )

    assert "./wheels/logquake-1.0-py3-none-any.whl" in workflow
    assert "logquake==" not in workflow
