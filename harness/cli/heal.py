"""`logquake heal`: undo what earlier runs left on this machine."""

from __future__ import annotations

import click

from harness.cleanup.healing import heal as heal_machine
from harness.cleanup.leftovers import find_residue

_EXIT_RESIDUE = 1


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be undone; change nothing.")
@click.option("--run", "run_id", default="", metavar="ID", help="Only what this run left.")
def heal(dry_run: bool, run_id: str) -> int:
    """Undo what earlier runs left on this machine.

    Takes faults back, ends processes, removes scratch folders and undo journals; only those that carry
    logquake's marks and whose run is dead. Exits with 1 while something is left, with 0 when nothing is.
    """
    if dry_run:
        left = find_residue(run_id=run_id)
        for residue in left:
            click.echo(f"would undo: {residue}")
    else:
        left = heal_machine(click.echo, run_id=run_id)
        for residue in left:
            click.echo(f"still there: {residue}\n  by hand: {residue.remedy}")
    if not left:
        click.echo("Earlier runs left nothing behind.")
    return _EXIT_RESIDUE if left else 0
