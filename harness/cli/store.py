"""`logquake store`: the embedded Elasticsearch by itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from harness.cli.output import note


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=9200, show_default=True, help="0 picks a free one."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("logquake-store"),
    show_default=True,
    metavar="FOLDER",
    help="Where documents are kept; made when missing.",
)
def store(port: int, data: Path) -> None:
    """Serve the embedded Elasticsearch until Ctrl-C or SIGTERM.

    It speaks a part of Elasticsearch 8.19's HTTP interface and refuses the rest with 400; the page
    "The embedded store" of the documentation lists that part. It listens at 127.0.0.1 alone and asks for no
    password. Once it serves, a line of JSON on standard output says where.
    """
    note(f"logquake: documents are kept in {data.absolute()}; Ctrl-C ends the store")
    program = [sys.executable, "-P", "-m", "harness.programs.elastic_lite", "--port", str(port)]
    # In its place, so that signals, standard output and the exit code are the server's own.
    os.execv(sys.executable, [*program, "--data", str(data)])  # noqa: S606 - an argument list; no shell is wanted
