"""`logquake diff`: what changed from one finished run to another, and whether anything is worse."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.output import UnheardError, note, say, silence
from harness.judging.differences import Differences, differences
from harness.reporting.difference_report import FORMS
from harness.reporting.latest import result_file
from harness.reporting.result_json import read_result

EXIT_WORSE = 1
EXIT_INCOMPLETE = 6


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    default="terminal",
    show_default=True,
    help="How to show it.",
)
def diff(before: Path, after: Path, form: str) -> int:
    """Show what changed from one finished run to another.

    BEFORE and AFTER are runs' `result.json`, or the folders they lie in. The exit code is 1 if anything is
    worse in AFTER, 6 if nothing is worse but AFTER does not judge all that BEFORE did, and 0 otherwise.
    """
    old, new = (read_result(result_file(path)) for path in (before, after))
    made = differences(old, new)
    try:
        say(FORMS[form](made), newline=False)
    except UnheardError as error:
        # The exit code holds the answer.
        silence()
        note(f"logquake: {error.sentence}")
    return _exit_code(made)


def _exit_code(made: Differences) -> int:
    if made.is_worse:
        return EXIT_WORSE
    return EXIT_INCOMPLETE if made.is_incomplete else 0
