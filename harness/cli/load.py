"""`logquake load`: send load to a stack, and shake it by hand on a live page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.load_page import run_with_page
from harness.cli.selection import Selection, make_request, selection_options
from harness.model.errors import UsageError

_MINUTES = 10.0
_MINUTES_MAX = 120.0


@click.command()
@selection_options
@click.option("--ui", is_flag=True, help="Serve the live page, where faults are started by hand.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for results; each run makes one of its own in it.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True, max=_MINUTES_MAX),
    default=_MINUTES,
    show_default=True,
    metavar="N",
    help="How long records are sent, unless the run is ended on the page.",
)
@click.option(
    "--web-address", default="127.0.0.1", show_default=True, help="The address the page listens on."
)
@click.option("--web-port", type=click.IntRange(0, 65535), default=8089, show_default=True)
@click.option(
    "--web-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A further name that the page may be asked under. May be repeated.",
)
def load(
    ui: bool,
    out: Path,
    minutes: float,
    web_address: str,
    web_port: int,
    names: tuple[str, ...],
    **selected: Any,
) -> int:
    """Send load to a stack, and shake it by hand on a live page."""
    if not ui:
        raise UsageError("name --ui")
    if not selected["scenarios"] and not selected["suite"]:
        selected["scenarios"] = ("no_fault",)
    request = make_request(Selection(**selected), out, None)
    return run_with_page(request, web_address, web_port, names, minutes)
