"""Charts of a scenario as SVG: response times, records per second, backlog; the faults behind them.

What is drawn is worked out here, and `templates/lane.svg.jinja` writes it. An SVG here has no viewBox of its
own: x is in percent of its width and y in pixels, and only the lines sit in a stretched box inside. So text
keeps its size from a phone to paper. Colours, dashes and the room for the axis labels, which hang out to the
left, come from the page's style by class (`reporting/scorecard.css`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10

from markupsafe import Markup

from harness.model.result import Band, IncidentMoment, MomentKind, SecondOfRun
from harness.reporting.numbers import milliseconds, number, seconds_span
from harness.reporting.page_templates import drawn

BOX_WIDTH = 1000
# Half a record is no tick.
RECORDS_AXIS_MIN = 4.0
LABEL_ROW_PX = 17
LABEL_ROWS_MAX = 6
AXIS_PX = 22
# Above this ratio of largest to smallest, a linear axis flattens what matters near its floor.
LOGARITHMIC_FROM_RATIO = 25.0
# Drawn seconds at most; beyond that a line is thinner than the pixels it would need.
POINTS_MAX = 600

Points = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The seconds that every lane of one scenario shares."""

    from_seconds: float
    to_seconds: float

    def share(self, seconds: float) -> float:
        """Return where that moment is, from 0 (left) to 1 (right).

        Args:
            seconds: after sending began; what lies beyond an end of the axis is at that end.
        """
        span = self.to_seconds - self.from_seconds
        return min(1.0, max(0.0, (seconds - self.from_seconds) / span))

    def ticks(self) -> list[float]:
        """Return about six round moments."""
        return _linear_ticks(self.from_seconds, self.to_seconds, wanted=6)


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """A lane's values, from its floor to its top; logarithmic where the range demands it."""

    low: float
    high: float
    logarithmic: bool

    def share(self, value: float) -> float:
        """Return how high that value is, from 0 (floor) to 1 (top)."""
        if not self.logarithmic:
            return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        span = log10(self.high) - log10(self.low)
        return min(1.0, max(0.0, (log10(max(value, self.low)) - log10(self.low)) / span))

    def ticks(self) -> list[float]:
        """Return the values to label: powers of ten, or about four round ones."""
        if not self.logarithmic:
            return _linear_ticks(self.low, self.high, wanted=4)
        return [10.0**power for power in range(round(log10(self.low)), round(log10(self.high)) + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a lane: its class in the style sheet, its word in the legend, its points in time order."""

    style: str
    word: str
    points: Points


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time as it is drawn: where it begins, how wide it is, what it is."""

    x: str
    width: str
    words: str
    landed: bool = True


@dataclass(frozen=True, slots=True)
class _Label:
    """A fault's name above its band."""

    x: str
    dx: int
    y: int
    anchor: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawn lane and what it says: `legend` pairs a style class with its word."""

    svg: Markup
    legend: tuple[tuple[str, str], ...]


def time_axis(series: Sequence[SecondOfRun], bands: Sequence[Band]) -> TimeAxis:
    """Return the axis that holds every second and every fault.

    Args:
        series: the seconds of the scenario; may be empty.
        bands: the faults; one that was never healed has no end that counts.
    """
    moments = [float(row.second) for row in series] + [row.second + 1.0 for row in series]
    moments += [
        moment for band in bands for moment in (band.from_seconds, band.to_seconds) if isfinite(moment)
    ]
    low, high = min(moments, default=0.0), max(moments, default=1.0)
    return TimeAxis(low, high if high > low else low + 1.0)


def response_chart(
    chart_id: str,
    series: Sequence[SecondOfRun],
    bands: Sequence[Band],
    limit_ms: float,
    *,
    time_labels: bool = False,
) -> Chart:
    """Draw the log call's response time (due → return) per second, beside the control's.

    Args:
        chart_id: unique in the page; the SVG's own ids begin with it.
        series: the seconds of the scenario, ascending.
        bands: the faults, drawn behind and labelled above.
        limit_ms: the objective's limit; drawn where it is within reach of the values.
        time_labels: whether the seconds are written below; the lowest lane of a scenario has them.
    """
    lines = (
        Line("control", "control p99", _per_second(series, lambda row: row.control_p99_ms)),
        Line("p50", "p50", _per_second(series, lambda row: row.response_p50_ms)),
        Line("p99", "p99", _per_second(series, lambda row: row.response_p99_ms)),
    )
    values = _values(lines)
    with_limit = bool(values) and max(values) >= limit_ms / 4
    axis = value_axis([*values, limit_ms] if with_limit else values)
    lane = Lane(chart_id, time_axis(series, bands), axis, bands, 190, time_labels, band_labels=True)
    legend = [(line.style, line.word) for line in reversed(lines)]
    legend += [("limit", f"limit {milliseconds(limit_ms)}{'' if with_limit else ' (above this chart)'}")]
    legend += [("silent", "due, no call returned")] if any(map(_silent, series)) else []
    scale = "logarithmic" if axis.logarithmic else "linear"
    description = (
        f"p99 up to {milliseconds(_peak(lines[2]))}, p50 up to {milliseconds(_peak(lines[1]))}, "
        f"the control's p99 up to {milliseconds(_peak(lines[0]))}; {scale} axis. {_spoken(bands)}"
    )
    return Chart(
        lane.svg(
            "Response time of the log call, per second",
            description,
            lines,
            milliseconds,
            limit=limit_ms if with_limit else None,
            silences=_silences(series),
        ),
        tuple(legend),
    )


def flow_chart(
    chart_id: str, series: Sequence[SecondOfRun], bands: Sequence[Band], *, time_labels: bool = False
) -> Chart:
    """Draw how many records a second were due, answered, acknowledged and newly visible in the archive.

    Args:
        chart_id: as of `response_chart`, and so are series, bands and time_labels.
        series: see there.
        bands: see there.
        time_labels: see there.

    Returns:
        The chart and its legend, a line each.
    """
    moments = [row.second + 0.5 for row in series]
    lines = (
        Line("due", "due", _per_second(series, lambda row: row.due)),
        Line("answered", "answered", _per_second(series, lambda row: row.answered)),
        Line("acknowledged", "acknowledged", _per_second(series, lambda row: row.acknowledged)),
        Line("stored", "newly stored", _thinned(list(zip(moments, stored_per_second(series), strict=True)))),
    )
    axis = value_axis([0.0, RECORDS_AXIS_MIN, *_values(lines)], logarithmic=False)
    lane = Lane(chart_id, time_axis(series, bands), axis, bands, 130, time_labels)
    description = ", ".join(f"{line.word} up to {number(_peak(line))} records/s" for line in lines)
    return Chart(
        lane.svg("Records per second", description, lines, number),
        tuple((line.style, line.word) for line in lines),
    )


def incident_marks(incident: Sequence[IncidentMoment]) -> list[tuple[float, str]]:
    """Return what the stack found and did, and its recovery, as marks; faults are drawn as bands.

    Args:
        incident: what happened, in time's order.
    """
    return [
        (each.at_seconds, f"found: {each.what}" if each.kind is MomentKind.FOUND else each.kind.value)
        for each in incident
        if each.kind not in {MomentKind.INJECTED, MomentKind.HEALED}
    ]


def backlog_chart(
    chart_id: str,
    series: Sequence[SecondOfRun],
    bands: Sequence[Band],
    marks: Sequence[tuple[float, str]] = (),
    *,
    time_labels: bool = True,
) -> Chart:
    """Draw how many records the stack still owed the archive at the end of each second.

    Args:
        chart_id: as of `response_chart`, and so are series, bands and time_labels.
        series: see there.
        bands: see there.
        marks: moments to draw across, with their words.
        time_labels: see there.

    Returns:
        The chart and its legend, which is one line.
    """
    line = Line("backlog", "acknowledged, not yet stored", _per_second(series, lambda row: row.backlog))
    axis = value_axis([0.0, RECORDS_AXIS_MIN, *_values((line,))], logarithmic=False)
    lane = Lane(chart_id, time_axis(series, bands), axis, bands, 80, time_labels, marks=marks)
    description = f"up to {number(_peak(line))} records"
    return Chart(lane.svg("Backlog", description, (line,), number), ((line.style, line.word),))


def stored_per_second(series: Sequence[SecondOfRun]) -> list[int | None]:
    """Return what each second added to the archive's count; None where it or the second before is unknown.

    Args:
        series: the seconds of the scenario, ascending; `stored` counts since the beginning.
    """
    counts = {row.second: row.stored for row in series}
    return [_difference(row.stored, counts.get(row.second - 1)) for row in series]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane to draw: its axes, the faults behind it, and marks across it with their words."""

    chart_id: str
    time: TimeAxis
    values: ValueAxis
    bands: Sequence[Band]
    height_px: int
    time_labels: bool
    band_labels: bool = False
    marks: Sequence[tuple[float, str]] = ()

    def svg(
        self,
        title: str,
        description: str,
        lines: Sequence[Line],
        word: Callable[[float], str],
        *,
        limit: float | None = None,
        silences: Sequence[tuple[float, float]] = (),
        time_words: Callable[[float], str] = lambda seconds: f"{seconds:g} s",
    ) -> Markup:
        """Return the drawing.

        Args:
            title: what it shows.
            description: what a person hears who does not see it.
            lines: in the order they are drawn.
            word: how a value is written at its axis.
            limit: a value to draw a line at.
            silences: stretches of time to mark at the floor.
            time_words: how a moment is written at its axis.
        """
        rows = _label_rows(self.bands, self.time) if self.band_labels else []
        top_px = (max([*rows, *(0 for _ in self.marks[:1])], default=-1) + 1) * LABEL_ROW_PX + 6
        below_px = AXIS_PX if self.time_labels else 4
        return drawn(
            "lane.svg",
            id=self.chart_id,
            title=title,
            description=description,
            top_px=top_px,
            height_px=self.height_px,
            band_px=top_px + self.height_px,
            total_px=top_px + self.height_px + below_px,
            box_width=BOX_WIDTH,
            bands=[self._band(band) for band in self.bands],
            band_labels=[self._label(*labelled) for labelled in zip(self.bands, rows, strict=bool(rows))],
            value_ticks=[(self._y(value), word(value)) for value in self.values.ticks()],
            time_ticks=[(self._x(seconds), time_words(seconds)) for seconds in self.time.ticks()],
            marks=list(self._marks()),
            time_labels=self.time_labels,
            limit_y=None if limit is None else self._y(limit),
            silences=[
                self._span(*span, f"no call returned while records were due: {seconds_span(*span)}")
                for span in silences
            ],
            paths=[path for line in lines for path in self._paths(line)],
        )

    def _marks(self) -> Iterator[tuple[str, str, bool]]:
        """Yield where each mark is, its words, and whether they have room beside those before."""
        taken = -1.0
        for seconds, words in self.marks:
            share = self.time.share(seconds)
            has_room = share >= taken
            if has_room:
                taken = share + 0.03 + 0.009 * len(words)
            yield self._x(seconds), words, has_room

    def _band(self, band: Band) -> _Span:
        return self._span(band.from_seconds, band.to_seconds, _band_words(band), landed=band.landed)

    def _label(self, band: Band, row: int) -> _Label:
        late = self.time.share(band.from_seconds) > 0.75
        x, anchor, dx = (band.to_seconds, "end", -5) if late else (band.from_seconds, "start", 5)
        return _Label(self._x(x), dx, row * LABEL_ROW_PX + 15, anchor, f"{band.fault} {band.target}")

    def _paths(self, line: Line) -> list[tuple[str, str]]:
        """Return (class, path), broken where a value or a second is missing; a value alone is a dot."""
        paths = {"": "", " dot": ""}
        for run in _unbroken(line.points):
            where = [f"{self.time.share(seconds) * BOX_WIDTH:.1f} {self._y(value)}" for seconds, value in run]
            # A stroke of no length with round ends is a dot, whatever the box around it is stretched to.
            if len(where) == 1:
                paths[" dot"] += f"M{where[0]}h0"
            else:
                paths[""] += "M" + "L".join(where)
        return [(line.style + kind, path) for kind, path in paths.items() if path]

    def _span(self, begin: float, end: float, words: str, *, landed: bool = True) -> _Span:
        width = max(0.3, (self.time.share(end) - self.time.share(begin)) * 100)
        return _Span(self._x(begin), f"{width:.2f}%", words, landed)

    def _x(self, seconds: float) -> str:
        return f"{self.time.share(seconds) * 100:.2f}%"

    def _y(self, value: float) -> str:
        return f"{round(self.height_px * (1 - self.values.share(value)), 1):g}"


def _per_second(series: Sequence[SecondOfRun], value: Callable[[SecondOfRun], float | None]) -> Points:
    return _thinned([(row.second + 0.5, _finite(value(row))) for row in series])


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _thinned(points: Points) -> Points:
    """Keep the largest value of every group and every gap: a stall never falls between two drawn points."""
    group = ceil(len(points) / POINTS_MAX)
    if group <= 1:
        return points
    kept: list[tuple[float, float | None]] = []
    for start in range(0, len(points), group):
        some = points[start : start + group]
        kept.append(max(some, key=lambda point: -1.0 if point[1] is None else point[1]))
        if kept[-1][1] is not None and any(value is None for _, value in some):
            kept.append((some[-1][0], None))
    return kept


def _unbroken(points: Points) -> list[list[tuple[float, float]]]:
    """Return the stretches of points without a missing value or second between them."""
    steps = sorted(after[0] - before[0] for before, after in pairwise(points))
    usual = steps[len(steps) // 2] if steps else 1.0
    runs: list[list[tuple[float, float]]] = []
    before: float | None = None
    for seconds, value in points:
        if value is not None:
            if before is None or seconds - before > usual * 1.5:
                runs.append([])
            runs[-1].append((seconds, value))
        before = None if value is None else seconds
    return runs


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _values(lines: Sequence[Line]) -> list[float]:
    return [value for line in lines for _, value in line.points if value is not None]


def _peak(line: Line) -> float:
    return max(_values((line,)), default=0.0)


def _silences(series: Sequence[SecondOfRun]) -> list[tuple[int, int]]:
    """Return the stretches in which records were due and no call returned."""
    spans: list[tuple[int, int]] = []
    for row in filter(_silent, series):
        begin = spans.pop()[0] if spans and spans[-1][1] == row.second else row.second
        spans.append((begin, row.second + 1))
    return spans


def _silent(row: SecondOfRun) -> bool:
    return row.due > 0 and row.answered == 0


def value_axis(values: Sequence[float], *, logarithmic: bool | None = None) -> ValueAxis:
    """Return an axis that holds these values; whether it is logarithmic is chosen by them where not given."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    positive = [value for value in values if value > 0]
    if logarithmic is None:
        logarithmic = bool(positive) and max(positive) / min(positive) >= LOGARITHMIC_FROM_RATIO
    if logarithmic:
        return ValueAxis(10.0 ** floor(log10(min(positive))), 10.0 ** ceil(log10(max(positive))), True)
    low = min(0.0, low)
    high = high if high > low else low + 1.0
    step = _round_step((high - low) / 4)
    return ValueAxis(floor(low / step) * step, ceil(high / step) * step, False)


def _linear_ticks(low: float, high: float, *, wanted: int) -> list[float]:
    step = _round_step((high - low) / wanted)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, min(last, first + 3 * wanted) + 1)]


def _round_step(at_least: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is not below `at_least`."""
    power = 10.0 ** floor(log10(at_least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= at_least * (1 - 1e-9))


def _label_rows(bands: Sequence[Band], time: TimeAxis) -> list[int]:
    """Return a row for each band's label, so that labels of neighbours do not overprint each other."""
    # The widest label (40 characters) takes about a third of the widest lane.
    ends: list[float] = []
    rows: list[int] = []
    for band in bands:
        width = 0.03 + 0.009 * min(40, len(band.fault) + len(band.target))
        begin, end = time.share(band.from_seconds), time.share(band.from_seconds) + width
        if begin > 0.75:
            begin, end = time.share(band.to_seconds) - width, time.share(band.to_seconds)
        free = next((index for index, taken in enumerate(ends) if taken <= begin), len(ends))
        row = min(free, LABEL_ROWS_MAX - 1)
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def _band_words(band: Band) -> str:
    words = f"{band.fault} on {band.target}, {seconds_span(band.from_seconds, band.to_seconds)}"
    return words if band.landed else f"{words}, not proved to have landed"


def _spoken(bands: Sequence[Band]) -> str:
    return "Faults: " + "; ".join(map(_band_words, bands)) + "." if bands else "No fault."
