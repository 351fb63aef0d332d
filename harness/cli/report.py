"""`logquake report`: make any report of a finished run again, from its result.json alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.console import FrankConsole
from harness.cli.runner_streams import is_read_by_a_runner
from harness.model.errors import UsageError
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_atomically
from harness.reporting.latest import result_file
from harness.reporting.result_json import read_result
from harness.reporting.terminal import TerminalReport
from harness.reporting.workflow_commands import disarmed


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(REPORTS.kinds)),
    default="terminal",
    show_default=True,
    help="Which report to make.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE|FOLDER",
    help="Where to write it; standard output if not given.",
)
def report(result: Path, form: str, out: Path | None) -> None:
    """Make any report of a finished run again.

    RESULT is a run's `result.json`, or the folder it lies in; nothing else of the run is needed.
    """
    read = read_result(result_file(result))
    made = REPORTS.resolve(form)()
    if out is None and form == "terminal" and (console := FrankConsole()).is_terminal:
        TerminalReport().draw(read, console)
        return
    text = made.text(read)
    if out is None:
        if is_read_by_a_runner(sys.stdout):
            text = disarmed(text)
        click.echo(text.encode("utf-8"), nl=False)  # as bytes, whatever the terminal speaks
        return
    path = out / made.file_name if out.is_dir() else out
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot write the report: {error.strerror}") from error
    click.echo(path)
