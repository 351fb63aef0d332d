"""`logquake init`: look at a project, write what its first run needs, run it, say what to do next."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from harness import __version__
from harness.cli.exit_codes import gate_exit_code
from harness.cli.first_run import first_check_told, require_arrivals, run_first_check
from harness.cli.output import say
from harness.cli.survey_words import files_told, open_points_told, survey_told, written_told
from harness.model.errors import NothingSelectedError, UsageError
from harness.onboarding.drafts import draft_for
from harness.onboarding.drafts.draft import Draft
from harness.onboarding.drafts.standing import standing_draft
from harness.onboarding.scaffold import NewFile, Requirement, command, files, requirement_of, stack_path
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
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
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
    that is there already is kept, and the first check is run with it: correct the stack file, and say `init`
    again.

    \b
      logquake init --dry-run        see what it would write
      logquake init                  write, and run the first check: about a minute
      logquake init --take 2         test the second of the ways seen

    Exits with 0 where the first check was green (or, with --no-run and --dry-run, where none was asked for),
    1 red, 4 where something in the stack file is to be filled in or corrected, 5 where no way was seen by
    which the project logs, 6 where the check was not decided.
    """  # noqa: D301 - the character itself tells click to keep these lines
    # The library of scenarios, the reports and the project's own modules are those of its folder.
    os.chdir(project)
    here = Path()
    survey = look_at(here)
    say(survey_told(survey))
    asks = not (yes or dry_run) and sys.stdin is not None and sys.stdin.isatty()
    draft = _draft(here, survey, take, asks=asks, force=force)
    requirement = requirement_of(__version__, _source())
    new = files(survey.name, draft, _ci(survey, ci), survey.install, requirement, _python())
    there = () if force else in_the_way(here, new)
    if dry_run:
        say(files_told(new, there))
        return 0
    _confirm([file for file in new if file not in there], asks=asks)
    write_files(here, [file for file in new if file not in there], force=force)
    say(written_told(new, there, "" if project == Path() else str(project)))
    return _finish(survey.name, draft, requirement, runs=not no_run)


def _draft(here: Path, survey: Survey, take: int | None, *, asks: bool, force: bool) -> Draft:
    """Return the project's own stack file where there is one, else what is drafted for one of its outlets.

    Raises:
        NothingSelectedError: there is no such file, and no outlet was seen.
        UsageError: an outlet is asked for that was not seen, or one beside a file that is kept.
    """
    path = stack_path(survey.name)
    standing = None if force else standing_draft(here / path)
    if standing is None:
        return draft_for(survey.name, _outlet(survey, take, asks=asks))
    if take is not None:
        raise UsageError(
            f"--take {take}: {path} is there already and would be kept. Add --force to replace it"
        )
    return standing


def _finish(name: str, draft: Draft, requirement: Requirement, *, runs: bool) -> int:
    """Run the first check where the draft is whole; say what to do next. Returns the exit code."""
    stack = stack_path(name)
    if draft.to_fill_in:
        say(open_points_told(draft, str(stack)))
        return UsageError.exit_code if runs else 0
    if not runs:
        say(f"\nNext: {command(name)}")
        return 0
    require_arrivals(name, Path(stack))
    result = run_first_check(name)
    say(first_check_told(name, draft.fault, requirement, result))
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
            "logging, and no collector's file. `logquake help own-stack` shows how to write a stack file"
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


def _source() -> str:
    """Return the path or URL that logquake was installed from; empty where that was an index of packages."""
    try:
        told = importlib.metadata.distribution("logquake").read_text("direct_url.json")
        url = str(json.loads(told)["url"]) if told else ""
    except (importlib.metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        return ""
    return unquote(urlsplit(url).path) if url.startswith("file:") else url


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
        question = f"Write {names}, and run the first check?" if new else "Run the first check?"
        click.confirm(question, default=True, abort=True, err=True)
