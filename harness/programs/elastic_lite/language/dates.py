"""Dates as Elasticsearch's built-in formats read them, in milliseconds since 1970.

Source of the grammar: the `format` mapping parameter's reference (strict_date_optional_time and so on).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"
DYNAMIC_SLASH_FORMAT = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"
ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?)?"
)
SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?: (\d\d):(\d\d):(\d\d))?")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
MATH = re.compile(r"([+-])(\d*)([yMwdhHms])|/([yMwdhHms])")
FIXED_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def iso_ms(text: str) -> int | None:
    """Milliseconds of an ISO 8601 date whose later parts may be missing, or None."""
    found = ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    millis = int((fraction or "0").ljust(3, "0")[:3])
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            millis * 1000, tzinfo=zone_of(zone),
        )  # fmt: skip
    except ValueError:
        return None
    return to_ms(moment)


def zone_of(text: str | None) -> timezone:
    """The time zone of an offset such as `Z`, `+02` or `-0330`; none means UTC."""
    if text is None or text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def slashed_ms(text: str) -> int | None:
    """Milliseconds of `yyyy/MM/dd` with or without `HH:mm:ss`, or None."""
    found = SLASHED.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return to_ms(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        return None


def epoch_ms(text: str) -> int | None:
    """A number of milliseconds, or None."""
    return int(float(text)) if NUMBER.fullmatch(text) else None


def epoch_second_ms(text: str) -> int | None:
    """A number of seconds as milliseconds, or None."""
    return int(float(text) * 1000) if NUMBER.fullmatch(text) else None


FORMATS: dict[str, Callable[[str], int | None]] = {
    "strict_date_optional_time": iso_ms,
    "strict_date_optional_time_nanos": iso_ms,
    "date_optional_time": iso_ms,
    "strict_date": iso_ms,
    "strict_date_time": iso_ms,
    "date_time": iso_ms,
    "yyyy-MM-dd": iso_ms,
    "yyyy/MM/dd": slashed_ms,
    "yyyy/MM/dd HH:mm:ss": slashed_ms,
    "epoch_millis": epoch_ms,
    "epoch_second": epoch_second_ms,
}


def parse_date(value: str | int | float, date_format: str) -> int | None:
    """Milliseconds of a date under alternatives joined by `||`, or None when none of them reads it."""
    text = value if isinstance(value, str) else repr(value)
    for name in date_format.split("||"):
        parsed = FORMATS[name](text)
        if parsed is not None:
            return parsed
    return None


def parse_date_math(value: str | int | float, date_format: str, now_ms: int) -> int | None:
    """A date, or `now` or a date and `||`, followed by steps such as `-1d` and roundings such as `/d`."""
    if not isinstance(value, str):
        return parse_date(value, date_format)
    if value.startswith("now"):
        anchor, steps = now_ms, value[3:]
    elif "||" in value:
        text, steps = value.split("||", 1)
        found = parse_date(text, date_format)
        if found is None:
            return None
        anchor = found
    else:
        return parse_date(value, date_format)
    try:
        return apply_math(anchor, steps)
    except (OverflowError, ValueError):
        return None  # beyond the years that there are


def apply_math(anchor_ms: int, steps: str) -> int | None:
    """A moment after each step and rounding in turn, or None when the steps are not date math."""
    moment = EPOCH + timedelta(milliseconds=anchor_ms)
    at = 0
    while at < len(steps):
        found = MATH.match(steps, at)
        if found is None:
            return None
        sign, count, unit, rounding = found.groups()
        if rounding:
            moment = rounded_down(moment, rounding)
        else:
            moment = shifted(moment, int(count or 1) * (-1 if sign == "-" else 1), unit)
        at = found.end()
    return to_ms(moment)


def shifted(moment: datetime, count: int, unit: str) -> datetime:
    """A moment moved by whole units; the day is clipped to the month's length."""
    if unit in FIXED_UNITS:
        return moment + FIXED_UNITS[unit] * count
    months = moment.year * 12 + moment.month - 1 + (count * 12 if unit == "y" else count)
    first = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(moment.day, (following - first).days))


def rounded_down(moment: datetime, unit: str) -> datetime:
    """The start of the unit that a moment lies in."""
    if unit == "w":
        return rounded_down(moment - timedelta(days=moment.weekday()), "d")
    order = ["y", "M", "d", "h", "m", "s"]
    depth = order.index("h" if unit == "H" else unit)
    starts = [None, ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0)]
    changes = {part[0]: part[1] for part in starts[depth + 1 :] if part}
    return moment.replace(microsecond=0, **changes)  # type: ignore[arg-type]
