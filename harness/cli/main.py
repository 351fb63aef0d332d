"""The command line: what `logquake` can do, and the one place where an outcome becomes an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from typing import Any

import click

from harness import __version__
from harness.cli.lazy_group import LazyGroup
from harness.cli.output import CLOSED, UnheardError, note, prepare_streams, silence
from harness.model.errors import HarnessError, InternalError

EXIT_USAGE = 4
EXIT_INTERRUPTED = 2
# What these find is in files, or in their exit code, so nothing is lost with the output.
_KEEP_WHAT_THEY_FIND = {"init", "run", "load", "gate", "diff", "heal", "servers"}
_UNHEARD = (errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO)

_COMMANDS = {
    "init": ("harness.cli.init:init", "Look at a project, write its stack file, and run a first check."),
    "run": ("harness.cli.run:run", "Inject faults into a stack, judge it, write a scorecard."),
    "load": (
        "harness.cli.load:load",
        "Drive a stack by Locust: a plan that is judged, or faults by hand on a live page.",
    ),
    "plan": ("harness.cli.plan:plan", "Show what a run would do, without doing it."),
    "list": ("harness.cli.listing:listing", "List scenarios, stacks, faults, checks and their arguments."),
    "gate": ("harness.cli.gate:gate", "Decide by rules whether a finished run passes."),
    "diff": ("harness.cli.diff:diff", "Show what changed from one finished run to another."),
    "baseline": (
        "harness.cli.baseline:baseline",
        "Record what a version measures, and compare another one with it.",
    ),
    "trend": ("harness.cli.trend:trend", "Draw the score and the measures of earlier runs."),
    "report": ("harness.cli.report:report", "Make any report of a finished run again."),
    "help": ("harness.cli.help_pages:show_help", "Print a page of the documentation, or list all of them."),
    "doctor": (
        "harness.cli.doctor:doctor",
        "Show what this machine lacks, and what earlier runs left on it.",
    ),
    "heal": ("harness.cli.heal:heal", "Undo what earlier runs left on this machine."),
    "store": ("harness.cli.store:store", "Serve the embedded Elasticsearch by itself."),
    "servers": ("harness.cli.servers:servers", "Install or list the real Elasticsearch and Toxiproxy."),
}

_EPILOG = """
Exit codes: 0 pass, 1 gate failed, 2 interrupted, 3 internal error, 4 usage, 5 nothing selected,
6 inconclusive, 7 environment unavailable.
"""


class _Cli(LazyGroup):
    """Passes on that something cannot be written; click would exit with the code of a failed gate."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno in _UNHEARD and error.filename is None:
                raise UnheardError(error) from error
            raise


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from harness.cli.version_sheet import version_sheet

    click.echo(version_sheet(__version__))
    context.exit()


@click.group(
    cls=_Cli, lazy=_COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and what it runs on, and exit.",
)
def cli() -> None:
    """Test a logging stack under failure: what was lost, duplicated or changed, and how long callers waited.

    Start with `logquake init` in your project's folder. `logquake run` shakes the logging system that comes
    with it, and needs nothing installed.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code its outcome has."""
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))


def exit_code(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code, whatever happens inside."""
    prepare_streams()
    if sys.stdout is None and not set(arguments[:1]) & _KEEP_WHAT_THEY_FIND:
        return _told(UnheardError(CLOSED))
    try:
        outcome = cli.main(args=list(arguments), prog_name="logquake", standalone_mode=False)
    except Exception as error:
        return _told(error)
    except KeyboardInterrupt:
        note("logquake: interrupted")
        return EXIT_INTERRUPTED
    return outcome if isinstance(outcome, int) else 0


def _told(error: Exception) -> int:
    """Say what ended the command; return its exit code."""
    if isinstance(error, HarnessError):
        note("\n".join((f"logquake: {error}", *getattr(error, "__notes__", ()))))
        _annotate(str(error))
        return error.exit_code
    if isinstance(error, UnheardError | OSError) and (unheard := _unheard(error)) is not None:
        silence()
        note(f"logquake: {unheard.sentence}")
        return unheard.exit_code
    if isinstance(error, click.ClickException):
        note(_usage(error))
        _annotate(error.format_message())
        return EXIT_USAGE
    if isinstance(error, click.Abort):
        note("logquake: interrupted")
        return EXIT_INTERRUPTED
    note("".join(traceback.format_exception(error)))
    note("logquake: this is a defect of logquake; please report it with the lines above")
    return InternalError.exit_code


def _annotate(error: str) -> None:
    """Let a step of GitHub Actions show the error beside the file that it is in."""
    if "GITHUB_ACTIONS" not in os.environ:
        return
    from harness.cli.runner_streams import instruct
    from harness.reporting.workflow_commands import error_commands

    with suppress(OSError):
        instruct(error_commands(error))


def _unheard(error: UnheardError | OSError) -> UnheardError | None:
    """Return the error of a stream that cannot be written; None for what concerns a file."""
    if isinstance(error, UnheardError):
        return error
    # Help and version are printed by click itself, outside any command.
    return UnheardError(error) if error.errno in _UNHEARD and error.filename is None else None


def _usage(error: click.ClickException) -> str:
    """Return a mistake in the command line as click words it."""
    told = StringIO()
    error.show(told)
    return told.getvalue().rstrip("\n")


if __name__ == "__main__":
    main()
