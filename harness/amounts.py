"""Numbers as a person reads them: enough digits to decide, a unit beside each, columns that sum."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite

EN_DASH = "\N{EN DASH}"
# A millionth of a point, in hundredths: below that, a difference is the float's and not the score's.
FLOAT_NOISE = 1e-4
UNITS_OF_TIME_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "seconds": 1e3, "second": 1e3}
WHOLE_BYTES = ("B", "bytes", "byte")


def hundredths(points: float) -> int:
    """Return the points in hundredths, never rounded up: 97.996 must not read 98.00 where 98 is the bar."""
    return floor(points * 100 + FLOAT_NOISE)


def apportioned(parts: Sequence[float], total: int) -> tuple[int, ...]:
    """Return the parts in hundredths so that they sum to `total`, by the largest remainder (Hamilton).

    Args:
        parts: points of each part; none is negative.
        total: the sum to reach, in hundredths.

    Returns:
        One whole number of hundredths a part. Where the parts are further from the total than rounding can
        explain, each is only rounded, so that the page shows the contradiction instead of hiding it.
    """
    whole = [hundredths(part) for part in parts]
    missing = total - sum(whole)
    if not 0 <= missing <= len(whole):
        return tuple(whole)
    by_remainder = sorted(range(len(whole)), key=lambda index: whole[index] - parts[index] * 100)
    for index in by_remainder[:missing]:
        whole[index] += 1
    return tuple(whole)


def points(in_hundredths: int) -> str:
    """Return hundredths as points with two decimals, e.g. 9625 → `96.25`."""
    return f"{in_hundredths / 100:.2f}"


def interval(low: int, high: int) -> str:
    """Return an interval of points given in hundredths; one number where both ends are the same."""
    return points(low) if low == high else f"{points(low)} {EN_DASH} {points(high)}"


def seconds_span(begin: float, end: float) -> str:
    """Return from when to when, in seconds."""
    return f"{begin:g}{EN_DASH}{end:g} s"


def number(value: float) -> str:
    """Return a number with three significant digits, whole ones in full with thousands separated."""
    if not isfinite(value):
        return str(value).replace("inf", "∞")
    if float(value).is_integer():
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def milliseconds(value: float) -> str:
    """Return a duration given in milliseconds, in the unit that reads best."""
    if not isfinite(value):
        return f"{number(value)} ms"
    size = abs(value)
    if size >= 60_000:
        minutes, rest = divmod(round(value / 1000), 60)
        return f"{minutes} min {rest} s"
    if size >= 1_000:
        return f"{number(round(value / 1000, 2))} s"
    if size >= 1 or size == 0:
        return f"{number(round(value, 1))} ms"
    return f"{number(round(value * 1000, 2))} µs"


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit; times and bytes in the size that reads best, ratios in percent."""
    if unit in UNITS_OF_TIME_MS:
        return milliseconds(value * UNITS_OF_TIME_MS[unit])
    if unit in WHOLE_BYTES:
        return _bytes(value)
    if unit == "ratio":
        return f"{number(round(value * 100, 2))} %"
    return f"{number(value)} {_singular(unit) if value == 1 else unit}".rstrip()


def _singular(unit: str) -> str:
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def _bytes(value: float) -> str:
    for step, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if isfinite(value) and abs(value) >= step:
            return f"{number(round(value / step, 1))} {name}"
    return f"{number(value)} B"
