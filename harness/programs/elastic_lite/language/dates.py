"""Dates as Elasticsearch's built-in formats read them, in nanoseconds since 1970, and date math.

Source of the grammar: the `format` mapping parameter's reference (strict_date_optional_time and so on). A
bound that is rounded up takes the time that its text leaves out at its latest, and month and day at their
first, as Elasticsearch does: `2024-01-01` is then the last moment of that day, and so is `2024`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_FORMAT = "strict_date_optional_time||epoch_millis"
DYNAMIC_SLASH_FORMAT = "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"
NS_IN_MS, NS_IN_SECOND = 1_000_000, 1_000_000_000
ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?)?",
    re.ASCII,
)
WHOLE_SECONDS = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
WHOLE_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
WHOLE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{1,9})(Z|[+-]\d\d(?::?\d\d)?)", re.ASCII
)
SLASHED_DAY = re.compile(r"(\d{4})/(\d\d)/(\d\d)", re.ASCII)
SLASHED_TIME = re.compile(r"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
NUMBER = re.compile(r"(-?)(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)
MATH = re.compile(r"([+-])(\d*)([yMwdhHms])|/([yMwdhHms])", re.ASCII)
# What Elasticsearch reads and this server never does: years before 1 and behind 9999, offsets with seconds.
ODD = re.compile(
    r"(?:-[0-9]{4,9}|[+-][0-9]{4,9}-[0-9]{2}(?:-[0-9]{2}(?:T.*)?)?|0000(?:-[0-9]{2}(?:-[0-9]{2}(?:T.*)?)?)?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T.*[+-][0-9]{2}:?[0-9]{2}:?[0-9]{2})"
)
# The 30th of February, which `strict_date` alone takes for the 29th.
OVERFLOWING = re.compile(r"[+-]?[0-9]{4,9}-(?:02-(?:29|3[01])|(?:0[469]|11)-31)")
OFFSET_MAX = timedelta(hours=18)
INSTANT_SECONDS_MIN, INSTANT_SECONDS_MAX = -31_557_014_167_219_200, 31_556_889_864_403_199
FIXED_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
Reader = Callable[[str, bool], int | None]


def parts_ns(parts: tuple[str | None, ...], round_up: bool) -> int | None:
    """Nanoseconds of year, month, day, hour, minute, second, fraction, zone; later parts may be missing."""
    missing: tuple[None, ...] = (None,) * (8 - len(parts))
    year, month, day, hour, minute, second, fraction, zone = parts + missing
    latest = round_up and fraction is None
    try:
        moment = datetime(
            int(year or 0), int(month or 1), int(day or 1), int(hour or 23 * round_up),
            int(minute or 59 * round_up), int(second or 59 * round_up), tzinfo=zone_of(zone),
        )  # fmt: skip
    except (ValueError, OverflowError):
        return None
    nanos = NS_IN_SECOND - 1 if latest else int((fraction or "0").ljust(9, "0"))
    return to_seconds(moment) * NS_IN_SECOND + nanos


def days_in_month(moment: datetime) -> int:
    """How many days the month of a moment has."""
    first = moment.replace(day=1)
    if (first.year, first.month) == (9999, 12):
        return 31  # the month behind it is no date
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def reader_of(pattern: re.Pattern[str]) -> Reader:
    """A format that a pattern of date parts describes."""

    def read(text: str, round_up: bool) -> int | None:
        found = pattern.fullmatch(text)
        return None if found is None else parts_ns(found.groups(), round_up)

    return read


def zone_of(text: str | None) -> timezone:
    """The time zone of an offset such as `Z`, `+02` or `-0330`; none means UTC.

    Raises:
        ValueError: It is beyond the offsets that there are.
    """
    if text is None or text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > OFFSET_MAX or int(digits[2:]) > 59:
        raise ValueError(text)
    return timezone(-offset if text[0] == "-" else offset)


def to_seconds(moment: datetime) -> int:
    """Seconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(seconds=1)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def epoch_reader(unit_ns: int) -> Reader:
    """A format of numbers since 1970."""

    def read(text: str, round_up: bool) -> int | None:
        found = NUMBER.fullmatch(text)
        if found is None:
            return None
        sign, whole, fraction = found.groups()
        if not INSTANT_SECONDS_MIN <= int(whole) * unit_ns // NS_IN_SECOND <= INSTANT_SECONDS_MAX:
            return None
        rest = int((fraction or "0").ljust(9, "0")) * unit_ns // NS_IN_SECOND
        if fraction is None and round_up and not sign:
            rest = unit_ns - 1
        return (int(whole) * unit_ns + rest) * (-1 if sign else 1)

    return read


iso_ns = reader_of(ISO)
slashed_day_ns = reader_of(SLASHED_DAY)
slashed_time_ns = reader_of(SLASHED_TIME)
FORMATS: dict[str, Reader] = {
    "strict_date_optional_time": iso_ns,
    "strict_date_optional_time_nanos": reader_of(WHOLE_SECONDS),
    "strict_date": reader_of(WHOLE_DAY),
    "strict_date_time": reader_of(WHOLE_TIME),
    "yyyy-MM-dd": reader_of(WHOLE_DAY),
    "yyyy/MM/dd": slashed_day_ns,
    "yyyy/MM/dd HH:mm:ss": slashed_time_ns,
    "epoch_millis": epoch_reader(NS_IN_MS),
    "epoch_second": epoch_reader(NS_IN_SECOND),
}


def is_odd(text: str, date_format: str) -> bool:
    """Whether a text that no format here reads may be a date to Elasticsearch."""
    if "strict_date" in date_format.split("||") and OVERFLOWING.fullmatch(text):
        return True
    return ODD.fullmatch(text) is not None


def looks_like_date(text: str) -> bool:
    """Whether a text reads as an ISO date, so that a new field becomes one."""
    return "-" in text and iso_ns(text, False) is not None


def looks_slashed(text: str) -> bool:
    """Whether a text reads as a date with slashes."""
    return (slashed_day_ns(text, False) or slashed_time_ns(text, False)) is not None


def parse_date_ns(value: str | int | float, date_format: str, round_up: bool = False) -> int | None:
    """Nanoseconds of a date under alternatives joined by `||`, or None when none of them reads it."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    for name in date_format.split("||"):
        parsed = FORMATS[name](text, round_up)
        if parsed is not None:
            return parsed
    return None


def parse_date_math_ns(
    value: str | int | float, date_format: str, now_ms: int, round_up: bool = False
) -> int | None:
    """Nanoseconds of a date, or of `now` or a date and `||` followed by steps (`-1d`) and roundings (`/d`).

    Args:
        value: As a query gives it.
        date_format: Alternatives joined by `||`.
        now_ms: What `now` means.
        round_up: Whether missing parts and roundings go to the end of their unit.
    """
    if not isinstance(value, str):
        return parse_date_ns(value, date_format, round_up)
    if value.startswith("now"):
        anchor, steps = now_ms * NS_IN_MS, value[3:]
    elif "||" in value:
        text, steps = value.split("||", 1)
        found = parse_date_ns(text, date_format)
        if found is None:
            return None
        anchor = found
    else:
        return parse_date_ns(value, date_format, round_up)
    try:
        return apply_math(anchor, steps, round_up)
    except (OverflowError, ValueError):
        return None  # beyond the years that there are


def apply_math(anchor_ns: int, steps: str, round_up: bool) -> int | None:
    """A moment after each step and rounding in turn, or None when the steps are not date math."""
    seconds, nanos = divmod(anchor_ns, NS_IN_SECOND)
    moment = EPOCH + timedelta(seconds=seconds)
    at = 0
    while at < len(steps):
        found = MATH.match(steps, at)
        if found is None:
            return None
        sign, count, unit, rounding = found.groups()
        if rounding:
            moment, nanos = rounded_down(moment, rounding), 0
            if round_up:  # the last millisecond of the unit
                moment, nanos = shifted(moment, 1, rounding) - timedelta(seconds=1), NS_IN_SECOND - NS_IN_MS
        else:
            moment = shifted(moment, int(count or 1) * (-1 if sign == "-" else 1), unit)
        at = found.end()
    return to_seconds(moment) * NS_IN_SECOND + nanos


def shifted(moment: datetime, count: int, unit: str) -> datetime:
    """A moment moved by whole units; the day is clipped to the month's length."""
    if unit in FIXED_UNITS:
        return moment + FIXED_UNITS[unit] * count
    months = moment.year * 12 + moment.month - 1 + (count * 12 if unit == "y" else count)
    first = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
    return first.replace(day=min(moment.day, days_in_month(first)))


def rounded_down(moment: datetime, unit: str) -> datetime:
    """The start of the unit that a moment lies in."""
    if unit == "w":
        return rounded_down(moment - timedelta(days=moment.weekday()), "d")
    order = ["y", "M", "d", "h", "m", "s"]
    depth = order.index("h" if unit == "H" else unit)
    starts = [None, ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0)]
    changes = {part[0]: part[1] for part in starts[depth + 1 :] if part}
    return moment.replace(microsecond=0, **changes)  # type: ignore[arg-type]
