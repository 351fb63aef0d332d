"""`logquake doctor`: what this machine lacks, and what dead runs left on it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from harness.deployments.installed import SERVERS, find
from harness.deployments.procfs import mark_runs
from harness.deployments.residue import find_residue
from harness.undo import journal_folder, open_undos

_FREE_BYTES_MIN = 1 << 30
_EXIT_RESIDUE = 1


@click.command()
def doctor() -> int:
    """Say what this machine lacks, and what dead runs left on it.

    Exits with 1 where something was left: a process, a folder, or a fault nobody took back.
    """
    click.echo(f"python {sys.version.split()[0]} · {len(os.sched_getaffinity(0))} cores")
    free_bytes = shutil.disk_usage(tempfile.gettempdir()).free
    verdict = "enough" if free_bytes >= _FREE_BYTES_MIN else "too little: free at least 1 GiB"
    click.echo(f"{free_bytes / (1 << 30):.1f} GiB free in {tempfile.gettempdir()}: {verdict}")
    for name in SERVERS:
        server = find(name)
        state = (
            "not installed: `logquake servers install`" if server is None else f"{server.version} installed"
        )
        click.echo(f"{name}: {state}")
    left = _residue() + _faults()
    if not left:
        click.echo("nothing was left by earlier runs")
        return 0
    for line in left:
        click.echo(line)
    return _EXIT_RESIDUE


def _residue() -> list[str]:
    return [
        f"left by run {residue.run_id}, {residue.age_seconds:.0f} s old: {residue.what}\n"
        f"  remedy: {residue.remedy}"
        for residue in find_residue()
    ]


def _faults() -> list[str]:
    return [
        f"run {entry.run_id} did not note that step {entry.step} was taken back: {entry.undo.action} "
        f"{dict(entry.undo.arguments)}\n  remedy: where its processes are gone, so is the fault: "
        f"rm {_quoted(entry.journal)}"
        for entry in open_undos(journal_folder(os.environ))
        if not mark_runs(entry.harness)
    ]


def _quoted(path: Path) -> str:
    return f"'{path}'"
