"""The command line: what `logquake` can do, and the one place where an outcome becomes an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from harness import __version__
from harness.cli.lazy_group import LazyGroup
from harness.model.errors import HarnessError, InternalError

EXIT_USAGE = 4
EXIT_INTERRUPTED = 2

_COMMANDS = {
    "run": ("harness.cli.run:run", "Inject faults into a stack, judge it, write a scorecard."),
    "plan": ("harness.cli.plan:plan", "Show what a run would do, without doing it."),
    "list": ("harness.cli.listing:listing", "List scenarios, stacks, faults, checks and their arguments."),
    "gate": ("harness.cli.gate:gate", "Decide by rules whether a finished run passes."),
    "report": ("harness.cli.report:report", "Make any report of a finished run again."),
    "doctor": (
        "harness.cli.doctor:doctor",
        "Show what this machine lacks, and what earlier runs left on it.",
    ),
    "heal": ("harness.cli.heal:heal", "Undo what earlier runs left on this machine."),
    "servers": ("harness.cli.servers:servers", "Install or list the real Elasticsearch and Toxiproxy."),
}

_EPILOG = """
Exit codes: 0 pass, 1 gate failed, 2 interrupted, 3 internal error, 4 usage, 5 nothing selected,
6 inconclusive, 7 environment unavailable.
"""


class _UnheardError(Exception):
    """What was said could not be written, because the reader has gone."""


class _Cli(LazyGroup):
    """Passes on that the reader has gone; click would exit with the code of a failed gate."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _UnheardError from error


@click.group(
    cls=_Cli, lazy=_COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="logquake")
def cli() -> None:
    """Test a logging stack under failure: what was lost, duplicated or changed, and how long callers waited.

    Start with `logquake run`: it shakes the logging system that comes with it and needs nothing installed.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code its outcome has."""
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))


def exit_code(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code, whatever happens inside."""
    try:
        outcome = cli.main(args=list(arguments), prog_name="logquake", standalone_mode=False)
    except HarnessError as error:
        click.echo("\n".join((f"logquake: {error}", *getattr(error, "__notes__", ()))), err=True)
        return error.exit_code
    except _UnheardError:
        return _unheard()
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("logquake: interrupted", err=True)
        return EXIT_INTERRUPTED
    except Exception:
        click.echo(traceback.format_exc(), err=True)
        click.echo("logquake: this is a defect of logquake; please report it with the lines above", err=True)
        return InternalError.exit_code
    return outcome if isinstance(outcome, int) else 0


def _unheard() -> int:
    """Return the exit code for a reader that went away: what nobody could read is not reported as passed."""
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError, OSError):
            stream.flush()
            continue
        # Else the interpreter would try once more at its end, and exit with a code of its own.
        os.dup2(silent, stream.fileno())
    with suppress(OSError):
        click.echo("logquake: the output could not be written: its reader has closed it", err=True)
    return InternalError.exit_code


if __name__ == "__main__":
    main()
