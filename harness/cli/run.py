"""`logquake run`: run fault scenarios against a stack, judge it, write a scorecard."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.cleanup.leftovers import find_residue
from harness.cli.beside_baseline import (
    BASELINES_FOLDER,
    REPEATS_FOLDER,
    baselines_option,
    beside_baseline,
    by_absolute_rules,
    require_judged,
)
from harness.cli.console import FrankConsole
from harness.cli.exit_codes import gate_exit_code
from harness.cli.finite_range import FiniteRange
from harness.cli.github_actions import Places, checked_out_folder, tell_github
from harness.cli.interruption import Interruption
from harness.cli.known_checks import require_known
from harness.cli.output import UnheardError, note, say, silence
from harness.cli.progress import make_progress
from harness.cli.selection import Selection, make_request, note_own_stacks, selection_options
from harness.config.library import open_library
from harness.evidence.history import HISTORY_BYTES_MAX
from harness.model.errors import UnavailableError
from harness.model.result import Result
from harness.processes.workplace import current_folder
from harness.reporting.every_report import write_every_report
from harness.reporting.latest import NAME as LATEST
from harness.reporting.latest import point_latest
from harness.reporting.terminal import TerminalReport
from harness.reporting.trend import FILE_NAME as TREND
from harness.reporting.trend import append_row, trend_row
from harness.runs.baseline_key import machine_class
from harness.runs.baselines import Baselines
from harness.runs.grouping import why_one_at_a_time
from harness.runs.request import REPEATS_MAX, Request, make_plan
from harness.runs.rerun import Rerun
from harness.runs.suite import SuiteRun

JOBS_MAX = 32
_JOBS = 4
_RESIDUE_SHOWN_MAX = 5


@click.command()
@selection_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for results; each run makes one of its own in it.",
)
@click.option(
    "--max-minutes",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    metavar="N",
    help="Stop cleanly after this many minutes; scenarios that have not run stay unresolved.",
)
@click.option(
    "--history-mib-max",
    type=FiniteRange(min=0, min_open=True),
    default=HISTORY_BYTES_MAX >> 20,
    show_default=True,
    metavar="N",
    help="Largest size of each history file; a scenario that reaches it ends with an error.",
)
@click.option(
    "--repeats",
    "repeats_max",
    type=click.IntRange(0, REPEATS_MAX),
    default=REPEATS_MAX,
    show_default=True,
    help="How often an inconclusive scenario is run again; a failed one never is.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, JOBS_MAX),
    default=None,
    metavar="N",
    help=f"How many scenarios that are not exclusive run at a time.  [default: one a core, at most {_JOBS}]",
)
@baselines_option
@click.option(
    "--fail-fast",
    is_flag=True,
    help="Stop at the first scenario that fails the gate whatever the others say: by a FAIL, a limit of the "
    "gate file, or a value that --require asks for. The score is judged at the end. The others are NOT RUN.",
)
@click.option(
    "--show-lines",
    is_flag=True,
    help="Let reports quote the lines of --input as they are; otherwise they are masked.",
)
def run(
    out: Path,
    max_minutes: float | None,
    history_mib_max: float,
    repeats_max: int,
    jobs: int | None,
    fail_fast: bool,
    baselines: Path | None,
    show_lines: bool,
    **selected: Any,
) -> int:
    """Run fault scenarios against a stack, judge it and write a scorecard.

    Without arguments the default suite runs on the logging system that comes with logquake, with an embedded
    Elasticsearch and fault proxy. SCENARIO is a name that `logquake list` shows, or a file.
    """
    request = make_request(
        Selection(**selected), out, max_minutes, repeats_max=repeats_max, show_lines=show_lines
    )
    request = replace(
        request,
        history_bytes_max=int(history_mib_max * (1 << 20)),
        fail_fast=fail_fast,
        jobs=_jobs(request, jobs or min(_JOBS, len(os.sched_getaffinity(0)))),
    )
    # Asked once: the folder may be deleted while the run is on.
    here = current_folder()
    plan = make_plan(request)
    require_known(request.gate, plan)
    if request.gate.regression is not None:
        require_judged(request.gate.regression, request.gate.source, plan)
    for origin in request.origins:
        note(origin)
    note_own_stacks()
    for planned in plan.scenarios:
        for warning in planned.warnings():
            note(f"{planned.scenario.name}: {warning}")
    _warn_of_residue()
    interruption = Interruption()
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    with make_progress() as watch:
        suite_run = SuiteRun(plan, by_absolute_rules(request), interruption, watch)
        result, ended_by = suite_run.run()
        if request.gate.regression is not None:
            again = replace(request, out=suite_run.folder / REPEATS_FOLDER)
            rerun = Rerun(plan, again, interruption, watch, deadline)
            kept = Baselines(baselines or out / BASELINES_FOLDER)
            result, ended_by = beside_baseline(result, ended_by, plan, request, rerun, kept)
    reports = write_reports(result, suite_run.folder)
    let_latest_lead_to(suite_run.folder, out)
    note_in_trend(result, out)
    tell_github(result, reports, Places(open_library(here), request.stack.source, checked_out_folder(here)))
    interruption.raise_what_ended(ended_by)
    return gate_exit_code(result.gate.status)


def note_in_trend(result: Result, out: Path) -> None:
    """Append the run to the trend; what keeps it from there changes nothing about the run.

    Args:
        result: the run's.
        out: the folder for results.
    """
    path = out / TREND
    try:
        append_row(path, trend_row(result, machine_class().words))
    except OSError as error:
        note(f"{path}: the run could not be appended: {error.strerror}")


def _jobs(request: Request, wanted: int) -> int:
    """Return how many scenarios run at a time; where the stack allows for one only, say why."""
    why = why_one_at_a_time(request.stack)
    if why and wanted > 1 and sum(not scenario.exclusive for scenario in request.scenarios) > 1:
        note(f"one scenario at a time: {why}")
    return 1 if why else wanted


def _warn_of_residue() -> None:
    """Name what dead runs left. It does not disturb this run, whose ports and folders are its own."""
    left = find_residue()
    for residue in left[:_RESIDUE_SHOWN_MAX]:
        note(f"left by an earlier run: {residue}")
    if left:
        note(f"left by dead runs: {len(left)} in all; `logquake heal` undoes it")


def let_latest_lead_to(run: Path, out: Path) -> None:
    """Make the link to the newest run; what keeps it from there is said, and changes nothing about the run.

    Args:
        run: the run's folder.
        out: the folder for results.
    """
    try:
        if point_latest(out.resolve(), run) is None:
            note(f"{out / LATEST}: a folder of that name is in the way, so no link to this run was made")
    except OSError as error:
        note(f"{out / LATEST}: cannot be written: {error.strerror}")


def write_reports(result: Result, folder: Path) -> Mapping[str, Path]:
    """Write every report into the run's folder, print the scorecard and where it is.

    Returns:
        The file of each report, by its word.

    Raises:
        UnavailableError: there is no room for a report.
    """
    try:
        paths = write_every_report(result, folder)
    except OSError as error:
        raise UnavailableError(
            f"{folder}: the result cannot be written: {error.strerror}; "
            "free space there, or name another folder with --out"
        ) from error
    try:
        _show(result, paths)
    except (UnheardError, OSError) as error:
        # The files hold all of it, so the verdict keeps its exit code.
        silence()
        unheard = error if isinstance(error, UnheardError) else UnheardError(error)
        note(f"logquake: {unheard.sentence}; the scorecard is {paths['html']}")
    return paths


def _show(result: Result, paths: Mapping[str, Path]) -> None:
    """Print the scorecard, and where it and the result are."""
    console = FrankConsole()
    if sys.stdout is not None and console.is_terminal:
        TerminalReport().draw(result, console)
    else:
        say(paths["terminal"].read_text(encoding="utf-8"), newline=False)
    say(f"scorecard: {paths['html']}")
    say(f"result:    {paths['json']}")
