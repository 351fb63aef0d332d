"""`logquake doctor`: what this machine lacks, and what earlier runs left on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from harness.cleanup.leftovers import find_residue
from harness.deployments import BACKENDS
from harness.deployments.installed import SERVERS, find
from harness.runs.request import preflight

_EXIT_RESIDUE = 1


@click.command()
def doctor() -> int:
    """Show what this machine lacks, and what earlier runs left on it.

    Exits with 1 where something was left: a process, a folder, or a fault nobody took back.
    """
    click.echo(f"python {sys.version.split()[0]} · {len(os.sched_getaffinity(0))} cores")
    for line in _preflight():
        click.echo(line)
    for name in SERVERS:
        server = find(name)
        state = (
            "not installed: `logquake servers install`" if server is None else f"{server.version} installed"
        )
        click.echo(f"{name}: {state}")
    left = find_residue()
    for residue in left:
        click.echo(f"left by an earlier run: {residue}\n  remedy: {residue.remedy}")
    click.echo(
        f"{len(left)} left by earlier runs; `logquake heal` removes them"
        if left
        else "Earlier runs left nothing behind."
    )
    return _EXIT_RESIDUE if left else 0


def _preflight() -> list[str]:
    """Return what runs ask of the machine; a backend that asks for more is heard where it lacks."""
    lines: dict[str, str] = {}
    for backend in BACKENDS.kinds:
        for check in preflight(backend, Path("reports")):
            if check.remedy:
                lines[check.name] = f"{check.name}: {check.seen}; {check.remedy} (backend {backend})"
            else:
                lines.setdefault(check.name, f"{check.name}: {check.seen}")
    return list(lines.values())
