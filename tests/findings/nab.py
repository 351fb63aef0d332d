"""NAB: labelled windows in series that are no counts of records, shown to the judgement of rates.

The limits are made for counts a second: a value becomes a count by its distance from the series' lowest
value, so that the median is 1,000, and a point takes the place of a second. A window is found if something
begins in it.
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from logging_system.coordination.detection.rates import RECORDS, RateSeries

GROUPS = ("realAdExchange", "realKnownCause", "realTraffic")


@dataclass(frozen=True)
class SeriesScore:
    """What came of one series."""

    name: str
    windows: int
    found: int
    false: int
    points: int


def scores(folder: Path) -> list[SeriesScore]:
    """Judge every series there is."""
    windows = orjson.loads((folder / "combined_windows.json").read_bytes())
    return [
        _score(f"{group}/{path.name}", path, windows[f"{group}/{path.name}"])
        for group in GROUPS
        for path in sorted((folder / group).glob("*.csv"))
    ]


def _score(name: str, path: Path, windows: list[list[str]]) -> SeriesScore:
    with path.open() as file:
        rows = [
            (datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)
        ]
    spans = [(datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in windows]
    values = [value for _, value in rows]
    began = [rows[place][0] for place in _began(_counts(values))]
    found = sum(any(first <= moment <= last for moment in began) for first, last in spans)
    false = sum(not any(first <= moment <= last for first, last in spans) for moment in began)
    return SeriesScore(name, len(spans), found, false, len(rows))


def _counts(values: list[float]) -> list[int]:
    lowest = min(values)
    scale = 1_000 / max(1e-9, statistics.median(values) - lowest)
    return [round((value - lowest) * scale) for value in values]


def _began(counts: list[int]) -> Iterator[int]:
    series = RateSeries(RECORDS)
    is_held = False
    for place, count in enumerate(counts):
        series.push(count, is_held=is_held)
        holds = any((series.spike(), series.drop(), series.silence()))
        if holds and not is_held:
            yield place
        is_held = holds
