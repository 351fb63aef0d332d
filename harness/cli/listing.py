"""`logquake list`: what there is to choose from."""

from __future__ import annotations

from pathlib import Path

import click

from harness.config.library import Library, Sort, open_library
from harness.deployments import BACKENDS
from harness.faults import FAULTS
from harness.judging.checkers import CHECKERS
from harness.load import LOADS
from harness.load.intakes import INTAKES
from harness.load.schedules import SCHEDULES
from harness.model.registry import Family


@click.command(name="list")
def listing() -> None:
    """List scenarios, suites, stacks, and the words their files can use."""
    library = open_library(Path.cwd())
    for sort, heading in ((Sort.SCENARIO, "Scenarios"), (Sort.SUITE, "Suites"), (Sort.STACK, "Stacks")):
        _show_files(library, sort, heading)
    for family in (BACKENDS, FAULTS, SCHEDULES, LOADS, INTAKES, CHECKERS):
        _show_family(family)


def _show_files(library: Library, sort: Sort, heading: str) -> None:
    rows = [
        (entry.name, f"{entry.title or entry.problem.splitlines()[0]} ({entry.origin})")
        for entry in library.entries(sort)
    ]
    _show(heading, rows)


def _show_family(family: Family) -> None:
    heading = f"{family.noun}s".capitalize()
    _show(heading, [(word, kind.summary) for word, kind in family.kinds.items()])


def _show(heading: str, rows: list[tuple[str, str]]) -> None:
    width = max((len(word) for word, _ in rows), default=0)
    click.echo(f"\n{heading}")
    for word, summary in rows:
        click.echo(f"  {word:<{width}}  {summary}")
