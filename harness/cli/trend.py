"""`logquake trend`: draw what earlier runs measured, as a chart in one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from harness.model.errors import UsageError
from harness.reporting.atomic_file import write_atomically
from harness.reporting.trend import FILE_NAME, read_trend
from harness.reporting.trend_page import trend_page


@click.command()
@click.argument(
    "trend_path", metavar="[FILE]", type=click.Path(path_type=Path), default=Path("reports") / FILE_NAME
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Where to write the page.  [default: trend.html, beside FILE]",
)
@click.option("--suite", default=None, metavar="NAME", help="Draw the runs of this suite alone.")
def trend(trend_path: Path, out: Path | None, suite: str | None) -> None:
    """Draw the score and each measure of earlier runs, in their order.

    FILE is the trend that each `logquake run` appends a row to, by default reports/trend.jsonl. A line is
    broken where the plan, the machine or logquake has changed, and the place is marked.
    """
    rows, unread = read_trend(trend_path)
    shown = [row for row in rows if suite in (None, row.suite)]
    path = out or trend_path.with_name("trend.html")
    try:
        write_atomically(path, trend_page(shown, unread))
    except OSError as error:
        raise UsageError(f"{path}: cannot write the trend: {error.strerror}") from error
    lines = f"; {unread:,} lines could not be read" if unread else ""
    click.echo(f"{len(shown):,} {'run' if len(shown) == 1 else 'runs'}{lines}")
    click.echo(path)
