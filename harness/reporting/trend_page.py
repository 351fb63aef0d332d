"""The trend as one HTML file: the score and each measure over the runs, broken where the plan has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from harness.reporting.charts import Chart, Lane, Line, Points, TimeAxis, value_axis
from harness.reporting.numbers import quantity
from harness.reporting.page_templates import drawn, own_markup
from harness.reporting.trend import TrendRow

LANES_MAX = 24
RUNS_SHOWN_MAX = 400
TABLE_ROWS_MAX = 60
_HEIGHT_PX = 130
_SAME = (("plan_hash", "plan"), ("machine", "machine"), ("logquake", "logquake"))


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one suite on one stack and backend, and what is drawn of them; `rows` are newest first."""

    title: str
    runs: int
    lanes: tuple[tuple[str, Chart], ...]
    rows: tuple[TrendRow, ...]


def trend_page(rows: Sequence[TrendRow], unread: int) -> str:
    """Return the page.

    Args:
        rows: of all suites, in the order they were appended.
        unread: how many lines of the file were no rows.
    """
    return str(
        drawn(
            "trend.html",
            policy="default-src 'none'; style-src 'unsafe-inline'",
            style=own_markup("scorecard.css"),
            series=[_series(place, key, own) for place, (key, own) in enumerate(_grouped(rows).items())],
            unread=unread,
        )
    )


def changes(rows: Sequence[TrendRow]) -> dict[int, str]:
    """Return what has changed since the run before, by the place of the first run after it.

    What is measured by another plan, on another machine or by another logquake is another measure.
    """
    found = {}
    for place, (before, after) in enumerate(pairwise(rows), start=1):
        changed = [word for name, word in _SAME if getattr(before, name) != getattr(after, name)]
        if changed:
            found[place] = f"{', '.join(changed)} changed"
    return found


def stretches(values: Sequence[float | None], at: Mapping[int, str]) -> list[Points]:
    """Return the points of the lines to draw: no line crosses a change, nor a run without a value.

    Args:
        values: of the runs, in their order; None where a run has none.
        at: places of the first runs after a change, as `changes` returns them.
    """
    begins = [0, *at, len(values)]
    return [[(float(place), values[place]) for place in range(begin, end)] for begin, end in pairwise(begins)]


def _grouped(rows: Sequence[TrendRow]) -> dict[tuple[str, str, str], list[TrendRow]]:
    def key(row: TrendRow) -> tuple[str, str, str]:
        return row.suite, row.stack, row.backend

    return {group: list(own) for group, own in groupby(sorted(rows, key=key), key)}


def _series(place: int, key: tuple[str, str, str], rows: Sequence[TrendRow]) -> Series:
    shown = rows[-RUNS_SHOWN_MAX:]
    at = changes(shown)
    scores = [row.score_low for row in shown]
    lanes = [("Score", _lane(f"t{place}-score", "Score", "points", scores, shown, at))]
    units = {name: each.unit for row in shown for name, each in row.measures.items()}
    for number, (name, unit) in enumerate(sorted(units.items())[: LANES_MAX - 1]):
        values = [row.measures[name].value if name in row.measures else None for row in shown]
        lanes.append((name, _lane(f"t{place}-{number}", name, unit, values, shown, at)))
    return Series(" · ".join(key), len(rows), tuple(lanes), tuple(reversed(shown[-TABLE_ROWS_MAX:])))


def _lane(
    chart_id: str,
    title: str,
    unit: str,
    values: Sequence[float | None],
    rows: Sequence[TrendRow],
    at: Mapping[int, str],
) -> Chart:
    known = [value for value in values if value is not None]
    lane = Lane(
        chart_id,
        TimeAxis(-0.5, max(0.5, len(rows) - 0.5)),
        value_axis(known, logarithmic=False if title == "Score" else None),
        (),
        _HEIGHT_PX,
        time_labels=True,
        marks=[(place - 0.5, words) for place, words in at.items()],
    )

    def when(place: float) -> str:
        return rows[int(place)].at[5:16].replace("T", " ") if place == int(place) < len(rows) else ""

    last = quantity(known[-1], unit) if known else "no value"
    marked = f"; {len(at)} changes of plan, machine or logquake, which break the line" if at else ""
    svg = lane.svg(
        f"{title} of each run",
        f"{len(known)} runs with a value, the last {last}{marked}",
        [Line("p99", title, points) for points in stretches(values, at)],
        lambda value: quantity(value, unit),
        time_words=when,
    )
    return Chart(svg, (("p99", f"latest: {last}"),))
