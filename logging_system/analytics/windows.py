"""A stretch of time that is asked about, and the buckets it is told in, in a time zone of the reader's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

BUCKETS_WANTED = 60
BUCKETS_MAX = 1_000

_AGO = re.compile(r"(\d{1,9})(s|m|h|d|w)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_INTERVALS = ("1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h")
_CALENDAR_SECONDS = {"day": 86400, "week": 7 * 86400, "month": 31 * 86400}


@dataclass(frozen=True, slots=True)
class Window:
    """From a moment to the one before another, by the records' own time.

    Attributes:
        since: Its first moment; aware of its zone.
        until: The first moment after it.
        zone: The IANA name of the zone in which it is told.
    """

    since: datetime
    until: datetime
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ValueError(f"the time from {self.since.isoformat()} to {self.until.isoformat()} is empty")

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.until - self.since).total_seconds()

    @property
    def query(self) -> dict[str, object]:
        """The query for its records."""
        return {"range": {"@timestamp": {"gte": text_of(self.since), "lt": text_of(self.until)}}}


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bucket is.

    Attributes:
        name: As Elasticsearch has it: `5m`, or a unit of the calendar such as `day`.
        is_calendar: Whether it is such a unit, whose length differs.
    """

    name: str
    is_calendar: bool

    @property
    def seconds_min(self) -> int:
        """The shortest that one is."""
        if self.is_calendar:
            days = 28 if self.name == "month" else 7 if self.name == "week" else 1
            return days * 86400 - 3600  # an hour less where summer time begins
        return self.seconds_max

    @property
    def seconds_max(self) -> int:
        """The longest that one is."""
        if self.is_calendar:
            return _CALENDAR_SECONDS[self.name] + 3600  # an hour more where summer time ends
        return int(self.name[:-1]) * _UNIT_SECONDS[self.name[-1]]


def text_of(moment: datetime) -> str:
    """Return a moment in UTC, to the millisecond, as a search has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(milliseconds: float, zone: str = "UTC") -> datetime:
    """Return the moment so many milliseconds after 1970, in a zone."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.astimezone(zone_of(zone))


def zone_of(name: str) -> tzinfo:
    """Return a time zone.

    Raises:
        ValueError: There is none of this IANA name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}; write its IANA name, like Europe/Berlin") from error


def read_moment(text: str, now: datetime, zone: str) -> datetime:
    """Return the moment that a person means.

    Args:
        text: How long ago (`15m`, `2h`, `7d`), or a date with or without time and offset; `now`.
        now: What the first are counted from.
        zone: The zone of dates without an offset.

    Raises:
        ValueError: It is none of these.
    """
    if text == "now":
        return now
    if ago := _AGO.fullmatch(text):
        try:
            return now - timedelta(seconds=int(ago[1]) * _UNIT_SECONDS[ago[2]])
        except OverflowError as error:
            raise ValueError(f"{text!r} lies before all time") from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no time; write how long ago (15m, 2h, 7d) or a date (2026-11-30T14:00)"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(zone))
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies beyond the first or last day that every time zone has") from error
    return moment


def read_interval(text: str) -> Interval:
    """Return an interval as a person writes it: `5m`, `1h`, `day`, `week`, `month`.

    Args:
        text: A whole number with `s`, `m` or `h`, or one of the calendar's words.

    Raises:
        ValueError: It is none.
    """
    if text in _CALENDAR_SECONDS:
        return Interval(text, is_calendar=True)
    found = _AGO.fullmatch(text)
    if found is None or not int(found[1]) or found[2] in "dw":
        # A day has 23 to 25 hours: what is meant is the calendar's.
        raise ValueError(
            f"{text!r} is no interval; write seconds, minutes or hours (5m), or day, week, month"
        )
    return Interval(text, is_calendar=False)


def fitting_interval(window: Window) -> Interval:
    """Return the shortest usual interval that makes no more buckets than a person reads."""
    for name in _INTERVALS:
        interval = Interval(name, is_calendar=False)
        if window.seconds <= BUCKETS_WANTED * interval.seconds_max:
            return interval
    days = window.seconds / 86400
    name = "day" if days <= BUCKETS_WANTED else "week" if days <= 7 * BUCKETS_WANTED else "month"
    return Interval(name, is_calendar=True)


def histogram_of(window: Window, interval: Interval) -> dict[str, object]:
    """Return the date_histogram whose buckets cover a window, those without a record included.

    Raises:
        ValueError: There would be more than `BUCKETS_MAX`.
    """
    if window.seconds > BUCKETS_MAX * interval.seconds_min:
        raise ValueError(
            f"intervals of {interval.name} make more than {BUCKETS_MAX} buckets; ask for longer ones"
        )
    kind = "calendar_interval" if interval.is_calendar else "fixed_interval"
    last = window.until - timedelta(milliseconds=1)
    bounds = {"min": text_of(window.since), "max": text_of(last)}
    return {
        "field": "@timestamp",
        kind: interval.name,
        "time_zone": window.zone,
        "min_doc_count": 0,
        "extended_bounds": bounds,
    }
