"""What a command line selects: the options that `run` and `plan` share, and the request they make."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from harness.cli.output import note
from harness.config.checks import with_checks
from harness.config.gate import load_gate
from harness.config.library import Entry, Library, Sort, open_library
from harness.config.own_code import offer_code, require_startable
from harness.config.scenario import check_targets, load_scenario
from harness.config.stack import load_stack
from harness.config.suite import load_suite, scenarios_for
from harness.config.yaml_source import read_yaml
from harness.deployments import BACKENDS
from harness.judging.gate_rules import GateRules, with_required
from harness.judging.requirements import parse_requirement
from harness.load import LOADS
from harness.model.declarations import Arguments, Part, Scenario, Stack
from harness.model.errors import NothingSelectedError, ScenarioError, UsageError
from harness.processes.workplace import current_folder
from harness.runs.request import REPEATS_MAX, Request

Command = TypeVar("Command", bound=Callable[..., Any])

_OWN_SHOWN_MAX = 5
_DEFAULT_STACK = "reference"
_STACK = click.option(
    "--stack", default=_DEFAULT_STACK, show_default=True, metavar="NAME|FILE", help="The stack under test."
)
_OPTIONS = (
    click.argument("scenarios", nargs=-1, metavar="[SCENARIO]..."),
    click.option("--suite", default=None, metavar="NAME|FILE", help="Suite to run.  [default: default]"),
    _STACK,
    click.option(
        "--backend",
        type=click.Choice(sorted(BACKENDS.kinds)),
        default="embedded",
        show_default=True,
        help="Where Elasticsearch and the fault proxy come from.",
    ),
    click.option(
        "--input",
        "input_path",
        type=click.Path(path_type=Path),
        default=None,
        metavar="LOGFILE",
        help="Send the lines of this file instead of generated ones.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Fixes the schedule."
    ),
    click.option(
        "--gate",
        "gate_path",
        type=click.Path(path_type=Path),
        default=None,
        metavar="FILE",
        help="Rules for passing.  [default: score of at least 98, no veto, no FAIL]",
    ),
    click.option(
        "--require",
        "required",
        multiple=True,
        metavar="REQUIREMENT",
        help="A requirement beside the rules, e.g. 'score>=98' or 'response_p99_ms<50ms'. May be repeated.",
    ),
    click.option(
        "--check",
        "checks",
        multiple=True,
        metavar="WORD",
        help="Judge every scenario by this check, too: a word that `logquake list` shows, or "
        "package.module:Class. May be repeated.",
    ),
    click.option(
        "--load",
        "load_kind",
        default=None,
        metavar="KIND",
        help="Send by this kind of load in every scenario, e.g. locust; `logquake list loads` shows them.",
    ),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The values of the shared options."""

    scenarios: Sequence[str]
    suite: str | None
    stack: str
    backend: str
    input_path: Path | None
    seed: int
    gate_path: Path | None
    checks: Sequence[str] = ()
    required: Sequence[str] = ()
    load_kind: str | None = None
    load_arguments: Arguments = field(default_factory=dict)
    """What the load of every scenario is given, where the command line names one."""
    schedule: Part | None = None
    sending_seconds: float | None = None
    """In place of the scenarios' own, which then have no steps: those have their seconds."""
    command: str = ""
    """What begins a command line that runs the same way again; by default `logquake run`."""


def selection_options(command: Command) -> Command:
    """Give a command the options that select what to run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def scenario_options(command: Command) -> Command:
    """Give a command the options that select what to run, without the stack that it is run on."""
    for option in reversed(_OPTIONS):
        if option is not _STACK:
            command = option(command)
    return command


def note_own_stacks() -> None:
    """Say on standard error which stacks a project has of its own, where `--stack` was left out."""
    if click.get_current_context().get_parameter_source("stack") is not ParameterSource.DEFAULT:
        return
    if own := open_library(current_folder()).own_names(Sort.STACK):
        more = ", …" if len(own) > _OWN_SHOWN_MAX else ""
        has = f"scenarios/stacks has {', '.join(own[:_OWN_SHOWN_MAX])}{more}"
        note(f"without --stack, {_DEFAULT_STACK} is tested; {has}: --stack {own[0]} tests it")


def make_request(
    selection: Selection,
    out: Path,
    max_minutes: float | None,
    *,
    repeats_max: int = REPEATS_MAX,
    show_lines: bool = False,
) -> Request:
    """Read all files that a selection names.

    Raises:
        UsageError: options exclude each other, or a requirement cannot be read.
        ScenarioError: a file has mistakes, names a target that the stack does not have, or code of the user's
            own that cannot start.
        NothingSelectedError: there is no scenario to run.
    """
    if selection.scenarios and selection.suite:
        raise UsageError("name scenarios or a suite, not both: --suite runs what its file lists")
    required = [parse_requirement(text) for text in selection.required]
    here = current_folder()
    library = open_library(here)
    stack_path = library.find(Sort.STACK, selection.stack).path
    suite, words, left_out = _scenarios(selection, library, stack_path)
    found = tuple(library.find(Sort.SCENARIO, word) for word in words)
    code_folders = tuple(dict.fromkeys((stack_path.resolve().parent, here)))
    sources = [read_yaml(path) for path in (stack_path, *(entry.path for entry in found))]
    require_startable(sources, selection.checks, code_folders)
    offer_code(code_folders)
    scenarios = tuple(
        _with_load(with_checks(load_scenario(entry.path), selection.checks), selection) for entry in found
    )
    stack = load_stack(stack_path)
    _check_all_targets(scenarios, stack)
    return Request(
        suite=suite,
        scenarios=tuple(
            replace(scenario, source=word) for scenario, word in zip(scenarios, words, strict=True)
        ),
        stack=stack,
        backend=selection.backend,
        seed=selection.seed,
        input_path=selection.input_path,
        out=out,
        command=_replay_command(selection),
        gate=with_required(
            GateRules() if selection.gate_path is None else load_gate(selection.gate_path), required
        ),
        max_minutes=max_minutes,
        today=date.today(),
        repeats_max=repeats_max,
        show_lines=show_lines,
        origins=(*_origins(found, library.find(Sort.STACK, selection.stack)), *left_out),
        left_out=left_out,
        code_folders=code_folders,
    )


def _with_load(scenario: Scenario, selection: Selection) -> Scenario:
    """Return a scenario with the load that the command line names, if any; how it is examined stays."""
    if selection.load_kind is None:
        return scenario
    if (problem := LOADS.problem(selection.load_kind)) is not None:
        raise UsageError(f"--load: {problem}")
    return _scheduled(replace(scenario, load=Part(selection.load_kind, selection.load_arguments)), selection)


def _scheduled(scenario: Scenario, selection: Selection) -> Scenario:
    """Return a scenario with the schedule that the command line names, if any."""
    if selection.schedule is None or selection.sending_seconds is None:
        return scenario
    if scenario.steps:
        raise UsageError(
            f"--shape, --rate and --seconds: scenario {scenario.name} has faults at seconds of its own; "
            "leave these options out, or name scenarios without faults"
        )
    return replace(scenario, schedule=selection.schedule, sending_seconds=selection.sending_seconds)


def _replay_command(selection: Selection) -> str:
    """Return the command that runs the same way again, but for what is run and the seed."""
    words = ["--stack", selection.stack, "--backend", selection.backend]
    if selection.input_path is not None:
        words += ["--input", str(selection.input_path)]
    if selection.gate_path is not None:
        words += ["--gate", str(selection.gate_path)]
    for word in selection.checks:
        words += ["--check", word]
    for text in selection.required:
        words += ["--require", text]
    if selection.load_kind is not None and not selection.command:
        words += ["--load", selection.load_kind]
    return f"{selection.command or 'logquake run'} {shlex.join(words)}"


def _scenarios(
    selection: Selection, library: Library, stack_path: Path
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the suite's name, what a command line calls each scenario, and what was left out and why.

    A scenario is called by its name, or by a path as written.
    """
    if selection.scenarios:
        return "selected", tuple(dict.fromkeys(selection.scenarios)), ()
    known = [entry.name for entry in library.entries(Sort.SCENARIO)]
    suite = load_suite(library.find(Sort.SUITE, selection.suite or "default").path, known)
    if not suite.scenarios:
        raise NothingSelectedError(f'suite "{suite.name}" lists no scenario')
    if not suite.where_possible:
        return suite.name, suite.scenarios, ()
    stack = load_stack(stack_path)
    names, left_out = scenarios_for(suite, stack, lambda name: library.find(Sort.SCENARIO, name).path)
    return suite.name, names, left_out


def _origins(scenarios: Sequence[Entry], stack: Entry) -> tuple[str, ...]:
    """Say whose files these are: a project's own hide those of the same name that come with logquake."""
    by_origin: dict[str, list[str]] = {}
    for entry in scenarios:
        by_origin.setdefault(entry.origin, []).append(entry.name)
    named = [f"scenarios {', '.join(names)}: {origin}" for origin, names in by_origin.items()]
    return (*named, f"stack {stack.name}: {stack.origin}")


def _check_all_targets(scenarios: Sequence[Scenario], stack: Stack) -> None:
    problems = [problem for scenario in scenarios for problem in check_targets(scenario, stack)]
    if problems:
        raise ScenarioError("\n".join(problems))
