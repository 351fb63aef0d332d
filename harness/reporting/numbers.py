"""Numbers as a person reads them: enough digits to decide, a unit beside each."""

from __future__ import annotations

from math import isfinite

from harness.judging.points import EN_DASH

UNITS_OF_TIME_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "seconds": 1e3, "second": 1e3}
WHOLE_BYTES = ("B", "bytes", "byte")


def seconds_span(begin: float, end: float) -> str:
    """Return from when to when, in seconds.

    Args:
        begin: seconds after sending began.
        end: likewise.
    """
    return f"{begin:g}{EN_DASH}{end:g} s"


def number(value: float) -> str:
    """Return a number with three significant digits, whole ones in full with thousands separated.

    Args:
        value: in any unit; infinity and what is no number have a word too.
    """
    if not isfinite(value):
        return str(value).replace("inf", "∞")
    if float(value).is_integer():
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def milliseconds(value: float) -> str:
    """Return a duration given in milliseconds, in the unit that reads best.

    Args:
        value: in milliseconds, e.g. 0.25 → `250 µs`, 90,000 → `1 min 30 s`.
    """
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
