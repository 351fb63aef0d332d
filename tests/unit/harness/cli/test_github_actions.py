"""What a step of GitHub Actions is told, and that nothing that is quoted can speak to its runner."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.github_actions import Places, tell_github
from harness.config.library import open_library
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_report
from harness.reporting.result_json import read_result
from harness.reporting.workflow_commands import error_commands
from tests.unit.harness.reporting.example_result import passing_result, scenario_result, vetoed_result
from tests.unit.harness.reporting.test_workflow_commands import obeyed

LOGQUAKE = str(Path(sys.executable).parent / "logquake")
SCENARIO = """version: 1
name: mine
title: A moment
hypothesis: It holds.
schedule: {kind: steady, rate_per_second: 50}
sending_seconds: 5
checks:
  - corrupted
  - {check: backlog_seconds, limit_seconds: 5}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.yaml").write_text(SCENARIO)
    (tmp_path / "stack.yaml").write_text("version: 1\nname: s\npromises: {copies_max: 1}\n")
    return tmp_path


@pytest.fixture
def step(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(repository / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(repository / "output"))
    return repository


def found(repository: Path, source: str, objective: str, stack: str = "") -> tuple[str, int] | None:
    base = scenario_result()
    one = replace(base, scenario=replace(base.scenario, source=source))
    place = Places(open_library(repository), stack, repository).find(one, objective)
    return None if place is None else (place.file, place.line)


def test_an_objective_is_found_at_its_line_of_the_scenario(repository):
    assert found(repository, "mine", "corrupted") == ("scenarios/mine.yaml", 8)
    assert found(repository, "mine", "backlog_seconds") == ("scenarios/mine.yaml", 9)
    assert found(repository, str(repository / "scenarios/mine.yaml"), "x") == ("scenarios/mine.yaml", 7)


def test_for_a_scenario_that_is_not_in_the_repository_the_stack_is_pointed_at(repository):
    assert found(repository, "no_fault", "x", str(repository / "stack.yaml")) == ("stack.yaml", 3)
    assert found(repository, "no_fault", "x") is None
    assert found(repository, "no_such", "x", "/no/such.yaml") is None


def reports(result, folder):
    return {
        word: write_report(REPORTS.resolve(word)(), result, folder) for word in ("json", "html", "markdown")
    }


def places(repository):
    return Places(open_library(repository), "", repository)


def test_a_step_gets_summary_and_outputs(step):
    (step / "summary").write_text("# earlier\n")
    tell_github(passing_result(), reports(passing_result(), step / "run"), places(step))
    output = (step / "output").read_text()
    read = dict(re.findall(r"^(\w+)<<(?P<end>end-\w{32})\n(?:.*)\n", output, re.MULTILINE))

    assert (step / "summary").read_text().startswith("# earlier\n# ✓ PASS")
    assert set(read) == {"score", "decision", "report", "scorecard"}
    assert re.search(r"^score<<(\S+)\n100\.00\n\1$", output, re.MULTILINE)
    assert re.search(r"^decision<<(\S+)\nPASS\n\1$", output, re.MULTILINE)
    assert f"\n{step}/run/scorecard.html\n" in output


def test_no_value_can_add_an_output(step):
    odd = step / "a\nscore=100\nrun"
    tell_github(vetoed_result(), reports(vetoed_result(), odd), places(step))
    lines = (step / "output").read_text().splitlines()
    keys = []
    while lines:
        key, _, end = lines.pop(0).partition("<<")
        keys.append(key)
        del lines[: lines.index(end) + 1]

    assert keys == ["score", "decision", "report", "scorecard"]


def test_a_summary_that_is_nearly_full_stays_below_what_github_takes(step, capsys):
    (step / "summary").write_text("x" * 899_500)
    tell_github(vetoed_result(), reports(vetoed_result(), step / "run"), places(step))

    assert (step / "summary").stat().st_size <= 900_000
    assert "The summary is cut here" in (step / "summary").read_text()


def test_outside_of_github_nothing_is_written(step, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS")
    tell_github(passing_result(), {}, places(step))

    assert not (step / "summary").exists()


def test_what_cannot_be_told_is_noted_and_changes_nothing(step, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step / "no" / "such" / "file"))
    tell_github(passing_result(), reports(passing_result(), step / "run"), places(step))

    assert "GitHub was not told everything" in capsys.readouterr().err


def canary_result():
    base = vetoed_result()
    canaries = ("::add-mask::canary", "x ##[add-mask]canary", "  ::error::canary")
    first = base.scenarios[0]
    verdict = replace(first.verdicts[0], summary=canaries[0], counterexample=canaries, evidence=canaries)
    one = replace(first, verdicts=(verdict,), remarks=canaries)
    return replace(base, scenarios=(one,), gate=replace(base.gate, reasons=canaries))


def call(folder: Path, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [LOGQUAKE, *arguments],
        cwd=folder,
        env={**os.environ, "GITHUB_ACTIONS": "true", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("report", "."), {}),
        (("report", "."), {"FORCE_COLOR": "1"}),
        (("report", ".", "--format", "markdown"), {}),
        (("report", ".", "--format", "json"), {}),
        (("gate", "."), {}),
        (("report", "::error::canary"), {}),
        (("run", "\n::error::canary"), {}),
        (("--no-such", "##[group]canary"), {}),
    ],
)
def test_nothing_that_is_printed_can_speak_to_the_runner(tmp_path, arguments, environment):
    write_report(REPORTS.resolve("json")(), canary_result(), tmp_path)
    printed = call(tmp_path, *arguments, **environment)

    assert "canary" in printed or "No such option" in printed
    assert [line for line in obeyed(printed) if not line.startswith("::error title=logquake::")] == []


@pytest.mark.slow
def test_a_mistake_in_a_file_is_annotated_there(repository):
    path = repository / "scenarios" / "mine.yaml"
    path.write_text(
        SCENARIO.replace("sending_seconds: 5", "sending_seconds: -5").replace("rate_per_s", "rat")
    )
    printed = call(repository, "run", "mine")

    lines = re.findall(r"^::error file=.*/scenarios/mine.yaml,line=(\d+),title=logquake::", printed, re.M)
    assert lines == ["5", "6"]
    assert call(repository, "run", "no_such").count("\n::error title=logquake::no scenario") == 1


def test_an_error_of_several_lines_is_annotated_at_each():
    text = "a.yaml:3 x: is wrong.\nb,c.yml:14: too.\nand more"

    assert error_commands(text) == (
        "::error file=a.yaml,line=3,title=logquake::x: is wrong.",
        "::error file=b%2Cc.yml,line=14,title=logquake::too.",
    )
    assert error_commands("no file\nhere") == ("::error title=logquake::no file%0Ahere",)


@pytest.mark.slow
def test_a_report_into_a_file_is_what_it_is_elsewhere(tmp_path):
    write_report(REPORTS.resolve("json")(), canary_result(), tmp_path)
    with (tmp_path / "again.json").open("w") as file:
        subprocess.run(
            [LOGQUAKE, "report", ".", "--format", "json"],
            cwd=tmp_path,
            env={**os.environ, "GITHUB_ACTIONS": "true"},
            stdout=file,
            check=True,
            timeout=60,
        )

    whole = REPORTS.resolve("json")().text(read_result(tmp_path / "result.json"))
    assert (tmp_path / "again.json").read_text() == whole
    assert "##[" in whole
