"""The time that a search asks about, and its pieces between fixed boundaries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

TIME_FIELD = "@timestamp"
CELL_MS = 10_000
"""The shortest piece, and how exactly it is kept which times were written to."""

WIDTHS_MS = (CELL_MS, 60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, 86_400_000)
PIECES_MAX = 240

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z")
_YEARS_MS = 253_402_300_800_000  # the year 10000, where the text of a date gets longer


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """From a moment to the one before another, in milliseconds since 1970."""

    from_ms: int
    to_ms: int

    def clip(self, other: TimeRange) -> TimeRange:
        """Return what both have; it may be empty.

        Args:
            other: Another range.
        """
        return TimeRange(max(self.from_ms, other.from_ms), min(self.to_ms, other.to_ms))


def milliseconds_of(bound: object) -> int | None:
    """Return a bound as milliseconds since 1970; None unless it is a plain moment to the millisecond."""
    if type(bound) is int:
        return bound if 0 <= bound < _YEARS_MS else None
    if not isinstance(bound, str) or not _ISO.fullmatch(bound):
        return None
    try:
        moment = datetime.fromisoformat(bound)
    except ValueError:
        return None
    found = (moment - _EPOCH) // timedelta(milliseconds=1)
    return found if found >= 0 else None


def text_of_ms(milliseconds: int) -> str:
    """Return a moment as the store writes it with a bucket.

    Args:
        milliseconds: Since 1970.
    """
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def range_of(body: Mapping[str, Any], field: str = TIME_FIELD) -> TimeRange | None:
    """Return the absolute time that all matches of a search lie in; None where that is not plain.

    Plain is one `range` of the time field, alone or as a filter of the outermost `bool`, with `gte` and `lt`.

    Args:
        body: The body of `_search`.
        field: The field of a record's own time.
    """
    found = [
        each["range"][field]
        for each in _clauses(body.get("query"))
        if isinstance(each.get("range"), Mapping) and field in each["range"]
    ]
    if len(found) != 1 or not isinstance(found[0], Mapping) or set(found[0]) != {"gte", "lt"}:
        return None
    from_ms, to_ms = milliseconds_of(found[0]["gte"]), milliseconds_of(found[0]["lt"])
    if from_ms is None or to_ms is None or from_ms >= to_ms:
        return None
    return TimeRange(from_ms, to_ms)


def with_range(query: Mapping[str, Any], wanted: TimeRange, field: str = TIME_FIELD) -> dict[str, Any]:
    """Return a query that `range_of` finds a time in, for another time.

    Args:
        query: Which is not changed itself.
        wanted: The other time.
        field: The field of the time.
    """
    bounds = {"gte": wanted.from_ms, "lt": wanted.to_ms, "format": "epoch_millis"}

    def changed(clause: Mapping[str, Any]) -> Mapping[str, Any]:
        is_time = isinstance(clause.get("range"), Mapping) and field in clause["range"]
        return {"range": {field: bounds}} if is_time else clause

    if "bool" not in query:
        return dict(changed(query))
    inner = dict(query["bool"])
    filters = inner["filter"]
    inner["filter"] = [changed(each) for each in (filters if isinstance(filters, list) else [filters])]
    return {"bool": inner}


def pieces_of(asked: TimeRange, width_ms: int) -> list[TimeRange]:
    """Return a range cut at multiples of a width; the first and the last may be shorter.

    Args:
        asked: The range.
        width_ms: The width, in milliseconds; pieces begin at multiples of it since 1970.
    """
    starts = range(asked.from_ms // width_ms * width_ms, asked.to_ms, width_ms)
    return [TimeRange(start, start + width_ms).clip(asked) for start in starts]


def width_for(asked: TimeRange, intervals_ms: Sequence[int]) -> int | None:
    """Return the shortest usual width of pieces that are not too many and hold whole intervals.

    Args:
        asked: The whole range.
        intervals_ms: The intervals of the search's histograms; none of them is cut.
    """
    for width_ms in WIDTHS_MS:
        if any(width_ms % interval for interval in intervals_ms):
            continue
        if (asked.to_ms - asked.from_ms) <= PIECES_MAX * width_ms:
            return width_ms
    return None


def rounded(now_ms: int, span_ms: int, step_ms: int) -> TimeRange:
    """Return the range of a length that ends now, both ends moved to multiples of a step.

    Dashboards that round alike ask the same question within a step, which the store's own cache has too.

    Args:
        now_ms: The present moment, milliseconds since 1970.
        span_ms: How long the range is at least.
        step_ms: What both ends are multiples of.
    """
    end_ms = -(-now_ms // step_ms) * step_ms
    return TimeRange((now_ms - span_ms) // step_ms * step_ms, end_ms)


def runs_of(pieces: Sequence[TimeRange]) -> list[TimeRange]:
    """Return pieces in order joined where one begins where the one before ends."""
    runs: list[TimeRange] = []
    for piece in pieces:
        if runs and runs[-1].to_ms == piece.from_ms:
            runs[-1] = TimeRange(runs[-1].from_ms, piece.to_ms)
        else:
            runs.append(piece)
    return runs


def _clauses(query: object) -> list[Mapping[str, Any]]:
    if not isinstance(query, Mapping) or len(query) != 1:
        return []
    if "bool" not in query:
        return [query]
    filters = query["bool"].get("filter") if isinstance(query["bool"], Mapping) else None
    listed = filters if isinstance(filters, list) else [filters]
    return [each for each in listed if isinstance(each, Mapping) and len(each) == 1]
