"""The whole run as one trace of waves: the taller, the slower the log call in that second."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isfinite, log10

from markupsafe import Markup

from harness.model.result import Result, ScenarioResult, SecondOfRun
from harness.reporting.page_templates import drawn

STROKES_MAX = 420
GAP_STROKES = 4
SWINGS_MIN = 210
HEIGHT = 100
# The scale is the same in every report, so that two of them compare at a glance; logarithmic in between.
FLOOR_MS = 0.5
CEILING_MS = 10_000.0
WORDS = "The whole run: the taller the wave, the slower the log call. Coloured while a fault was active."

# (kind, amplitude from 0 to 1); no kind is a gap between two scenarios.
Stroke = tuple[str, float]


def seismogram(result: Result) -> Markup:
    """Return the trace as a figure; '' where no second of the run was recorded."""
    strokes = _thinned([stroke for one in result.scenarios if one.series for stroke in _strokes(one)])
    if not strokes:
        return Markup()
    kinds = ("calm", "hurt", "still")
    return drawn(
        "seismogram.html",
        width=len(strokes),
        height=HEIGHT,
        words=WORDS,
        paths=[(kind, "".join(_waves(strokes, kind))) for kind in kinds],
    )


def _strokes(one: ScenarioResult) -> Iterator[Stroke]:
    for row in one.series:
        hurt = any(band.from_seconds < row.second + 1 and row.second < band.to_seconds for band in one.bands)
        yield ("hurt" if hurt else "calm", _amplitude(row)) if row.due else ("still", 0.0)
    for _ in range(GAP_STROKES):
        yield "", 0.0


def _amplitude(row: SecondOfRun) -> float:
    """Return the p99 on the fixed scale; records that were due while nothing returned fill it."""
    p99_ms = row.response_p99_ms
    if p99_ms is None:
        return 1.0 if row.answered == 0 else 0.0
    if not isfinite(p99_ms) or p99_ms >= CEILING_MS:
        return 1.0
    return log10(max(p99_ms, FLOOR_MS) / FLOOR_MS) / log10(CEILING_MS / FLOOR_MS)


def _thinned(strokes: list[Stroke]) -> list[Stroke]:
    """Keep the tallest of every group, so that no stall is lost."""
    group = max(1, ceil(len(strokes) / STROKES_MAX))
    starts = range(0, len(strokes), group)
    return [max(strokes[start : start + group], key=lambda stroke: stroke[1]) for start in starts]


def _waves(strokes: list[Stroke], kind: str) -> Iterator[str]:
    """Draw each stroke as a wave around the middle; a short run swings more often, to look as dense."""
    swings = max(1, SWINGS_MIN // len(strokes))
    before = ""
    for place, (one, amplitude) in enumerate(strokes):
        if one == kind:
            yield "" if before == kind else f"M{place} {HEIGHT // 2}"
            yield from _wave(place, swings, amplitude * (HEIGHT / 2 - 2))
        before = one


def _wave(place: int, swings: int, reach: float) -> Iterator[str]:
    for swing in range(swings):
        begin = place + swing / swings
        yield f"L{begin + 0.25 / swings:.2f} {HEIGHT / 2 - reach:.0f}"
        yield f"L{begin + 0.75 / swings:.2f} {HEIGHT / 2 + reach:.0f}"
    yield f"L{place + 1} {HEIGHT // 2}"
