"""The commands that reports print run the same again when they are copied into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from harness.cli.selection import Selection, make_request
from harness.model.result import Result
from harness.reporting.html import Scorecard
from harness.reporting.junit import JUnitReport
from harness.reporting.markdown import MarkdownReport
from harness.reporting.scorecard_words import replay_command, whole_replay_command
from harness.reporting.terminal import TerminalReport
from tests.unit.harness.reporting.example_result import vetoed_result

SCENARIO = """
version: 1
name: mine
title: A moment of sending
hypothesis: Something is seen.
schedule: {kind: steady, rate_per_second: 50}
producers: 2
sending_seconds: 3
checks: [corrupted]
"""
SUITE = """
version: 1
name: few
title: Two that are known
scenarios: [no_fault, spike]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my work"
    folder.mkdir()
    (folder / "mine.yaml").write_text(SCENARIO)
    (folder / "few.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return folder


def _result(selection: Selection) -> Result:
    """Return a result as a run of this selection leaves it, as far as its commands go."""
    request = make_request(selection, Path("reports"), None)
    one, *_ = vetoed_result().scenarios
    return replace(
        vetoed_result(),
        suite=request.suite,
        seed=request.seed,
        command=request.command,
        scenarios=tuple(replace(one, scenario=scenario) for scenario in request.scenarios),
    )


def _selected(*scenarios: str, **options: object) -> Selection:
    known = {"suite": None, "stack": "reference", "backend": "embedded", "input_path": None, "seed": 7}
    return Selection(**{"scenarios": scenarios, "gate_path": None, **known, **options})  # type: ignore[arg-type]


def _base(*more: str) -> list[str]:
    return ["logquake", "run", "--stack", "reference", "--backend", "embedded", *more]


def test_a_scenario_named_by_its_path_is_replayed_by_that_path(folder: Path) -> None:
    result = _result(_selected("my work/mine.yaml", "spike"))

    mine, spike = result.scenarios
    assert shlex.split(replay_command(result, mine)) == _base("my work/mine.yaml", "--seed", "7")
    assert shlex.split(replay_command(result, spike)) == _base("spike", "--seed", "7")
    assert shlex.split(whole_replay_command(result)) == _base("my work/mine.yaml", "spike", "--seed", "7")


def test_an_absolute_path_stays_one(folder: Path) -> None:
    path = str(folder / "mine.yaml")
    result = _result(_selected(path))

    assert shlex.split(replay_command(result, result.scenarios[0])) == _base(path, "--seed", "7")


def test_a_suite_is_replayed_whole_by_the_scenarios_it_listed(folder: Path) -> None:
    result = _result(_selected(suite="my work/few.yaml"))

    assert result.suite == "few"
    assert shlex.split(whole_replay_command(result)) == _base("no_fault", "spike", "--seed", "7")
    assert shlex.split(replay_command(result, result.scenarios[0])) == _base("no_fault", "--seed", "7")


def test_stack_backend_input_and_gate_are_those_of_the_run(folder: Path) -> None:
    (folder / "gate.yaml").write_text("version: 1\n")
    options = {"input_path": Path("my work/app.log"), "gate_path": Path("my work/gate.yaml")}
    result = _result(_selected("spike", backend="local", stack="file_handler", **options))

    assert shlex.split(replay_command(result, result.scenarios[0])) == [
        *("logquake", "run", "--stack", "file_handler", "--backend", "local"),
        *("--input", "my work/app.log", "--gate", "my work/gate.yaml", "spike", "--seed", "7"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        lambda result: unescape(Scorecard().text(result)),
        lambda result: MarkdownReport().text(result),
        lambda result: unescape(JUnitReport().text(result)),
        # A terminal's lines are wrapped.
        lambda result: " ".join(TerminalReport().text(result).split()),
    ],
    ids=["html", "markdown", "junit", "terminal"],
)
def test_every_report_shows_the_path(folder: Path, text: Callable[[Result], str]) -> None:
    result = _result(_selected("my work/mine.yaml"))

    assert replay_command(result, result.scenarios[0]) in text(result)
