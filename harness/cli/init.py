"""`logquake init`: look at a project, write what its first run needs, run it, say what to do next."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness import __version__
from harness.cli.exit_codes import gate_exit_code
from harness.cli.first_run import first_check_told, require_arrivals, run_first_check
from harness.cli.output import say
from harness.cli.survey_words import files_told, open_points_told, survey_told
from harness.model.errors import NothingSelectedError, UsageError
from harness.onboarding.drafts import draft_for
from harness.onboarding.drafts.draft import Draft
from harness.onboarding.scaffold import NewFile, command, files
from harness.onboarding.seen import Ci, Outlet, Survey
from harness.onboarding.survey import look_at
from harness.onboarding.writing import in_the_way, write_files

_NO_CI = "none"


@click.command()
@click.argument(
    "project", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path(), required=False
)
@click.option(
    "--yes", is_flag=True, help="Ask nothing; take the defaults. Nothing is asked where there is no terminal."
)
@click.option("--dry-run", is_flag=True, help="Print what would be written; write and run nothing.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option("--no-run", is_flag=True, help="Write the files, and do not run the first check.")
@click.option(
    "--take",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Test the N-th of the ways seen.  [default: 1]",
)
@click.option(
    "--ci",
    type=click.Choice([*(ci.value for ci in Ci), _NO_CI]),
    default=None,
    help="What runs the builds.  [default: the one that is seen, else github]",
)
def init(
    project: Path, yes: bool, dry_run: bool, force: bool, no_run: bool, take: int | None, ci: str | None
) -> int:
    """Look at a project, write what its first run needs, and run it.

    PROJECT is its folder, by default the current one. Its files are read: how it logs, where its lines are
    stored, what runs its builds. Python is parsed and never imported; only the first check runs the project's
    code, in a process of its own. Written are a stack file, a scenario, a gate file and a workflow. A file
    that is there already is never replaced.

    \b
      logquake init --dry-run        see what it would write
      logquake init                  write, and run the first check: about a minute
      logquake init --take 2         test the second of the ways seen

    Exits as `logquake run` does: 0 green, 1 red, 4 where the stack file is wrong, 5 where no way was seen by
    which the project logs.
    """  # noqa: D301 - the character itself tells click to keep these lines
    # The library of scenarios, the reports and the project's own modules are those of its folder.
    os.chdir(project)
    here = Path()
    survey = look_at(here)
    say(survey_told(survey))
    asks = not (yes or dry_run) and sys.stdin is not None and sys.stdin.isatty()
    outlet = _outlet(survey, take, asks=asks)
    draft = draft_for(survey.name, outlet)
    new = files(survey.name, draft, _ci(survey, ci), survey.install, __version__, _python())
    if dry_run:
        say(files_told(new, in_the_way(here, new)))
        return 0
    _confirm(new, asks=asks)
    write_files(here, new, force=force)
    where = "" if project == Path() else f" in {project}, where the commands below are to be given"
    say("\n".join(("", f"Wrote{where}", *(f"  {file.path}  {file.purpose}" for file in new))))
    return _finish(survey.name, draft, new[0].path.as_posix(), runs=not no_run)


def _finish(name: str, draft: Draft, stack: str, *, runs: bool) -> int:
    """Run the first check where the draft is whole; say what to do next. Returns the exit code."""
    if draft.to_fill_in:
        say(open_points_told(draft, stack, command(name)))
        return 0
    if not runs:
        say(f"\nNext: {command(name)}")
        return 0
    require_arrivals(name, Path(stack))
    result = run_first_check(name)
    say(first_check_told(name, result))
    return gate_exit_code(result.gate.status)


def _outlet(survey: Survey, take: int | None, *, asks: bool) -> Outlet:
    """Return which way of logging is tested.

    Raises:
        NothingSelectedError: none was seen.
        UsageError: there are fewer than the one that is asked for.
    """
    if not survey.outlets:
        raise NothingSelectedError(
            "no way was seen by which this project logs: no handler in Python or in a configuration of "
            "logging, and no collector's file. docs/how-to/own-stack.md shows how to write a stack file"
        )
    count = len(survey.outlets)
    if take is None and asks and count > 1:
        take = click.prompt("Which one is to be tested?", type=click.IntRange(1, count), default=1, err=True)
    if take is not None and take > count:
        raise UsageError(f"--take {take}: {count} were seen; name one of 1 to {count}")
    return survey.outlets[(take or 1) - 1]


def _ci(survey: Survey, wanted: str | None) -> Ci | None:
    if wanted is not None:
        return None if wanted == _NO_CI else Ci(wanted)
    return survey.pipelines[0].ci if survey.pipelines else Ci.GITHUB


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _confirm(new: Sequence[NewFile], *, asks: bool) -> None:
    """Let a person at a terminal say no; click then ends the command.

    Args:
        new: what would be written.
        asks: whether there is a person.
    """
    if asks:
        names = ", ".join(str(file.path) for file in new)
        click.confirm(f"Write {names}, and run the first check?", default=True, abort=True, err=True)
