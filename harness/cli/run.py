"""`logquake run`: shake a stack, judge it, write a scorecard."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness.assembly import SuiteRun, make_plan
from harness.cli.interruption import Interruption
from harness.cli.progress import make_progress
from harness.cli.selection import Selection, make_request, selection_options
from harness.protocols import Status
from harness.reporting import REPORTS
from harness.reporting.terminal import TerminalReport
from harness.result import Result

EXIT_CODES = {Status.PASS: 0, Status.WARN: 0, Status.FAIL: 1}
EXIT_INCONCLUSIVE = 6


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
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    metavar="N",
    help="End in good order after this long; what has not run by then stays unresolved.",
)
def run(out: Path, max_minutes: float | None, **selected: Any) -> int:
    """Shake a stack, judge it, write a scorecard.

    Without arguments the default suite runs on the logging system that comes with logquake, with an embedded
    Elasticsearch and fault proxy. SCENARIO is a name that `logquake list` shows, or a file.
    """
    request = make_request(Selection(**selected), out, max_minutes)
    plan = make_plan(request)
    for planned in plan.scenarios:
        for warning in planned.warnings():
            click.echo(f"{planned.scenario.name}: {warning}", err=True)
    interruption = Interruption()
    with make_progress() as watch:
        suite_run = SuiteRun(plan, request, interruption, watch)
        result, ended_by = suite_run.run()
    write_reports(result, suite_run.folder)
    if ended_by is not None:
        raise ended_by
    return gate_exit_code(result.gate.status)


def write_reports(result: Result, folder: Path) -> None:
    """Write every report into the run's folder, print the scorecard and where it is."""
    paths = {word: REPORTS.resolve(word)().write(result, folder) for word in REPORTS.kinds}
    if sys.stdout.isatty():
        TerminalReport().draw(result, Console())
    else:
        click.echo(paths["terminal"].read_text(), nl=False)
    click.echo(f"scorecard: {paths['html']}")
    click.echo(f"result:    {paths['result_json']}")


def gate_exit_code(status: Status) -> int:
    """Return the exit code of a gate's decision; what is neither passed nor failed is inconclusive."""
    return EXIT_CODES.get(status, EXIT_INCONCLUSIVE)
