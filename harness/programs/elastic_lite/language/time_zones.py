"""Time zones as Elasticsearch takes them: offsets and IANA names, and when their clocks are changed.

Which local times there are, once, twice or never, follows java.time.zone.ZoneRules.getValidOffsets.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.programs.elastic_lite.language.dates import EPOCH, to_ms, zone_of
from harness.programs.elastic_lite.language.errors import ElasticError, unsupported

NAME = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_+\-0-9]*)+")
OFFSET = re.compile(r"[+-]\d\d:\d\d")
DAY = timedelta(days=1)


def time_zone(name: str) -> tzinfo:
    """A time zone by its name or offset.

    Raises:
        ElasticError: 400 for one that is not known here: Java has more spellings than these.
    """
    if name in ("UTC", "Z", "GMT", "Etc/UTC"):
        return UTC
    try:
        if OFFSET.fullmatch(name):
            return zone_of(name)
        if NAME.fullmatch(name):
            return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise unknown(name) from error
    raise unknown(name)


def unknown(name: str) -> ElasticError:
    """A 400 for the name of a zone."""
    return unsupported(f"the time zone `{name}`", "x_content_parse_exception")


def local_of(value_ms: int, zone: tzinfo) -> datetime:
    """What clocks in a zone show at a moment, without the zone."""
    return at(value_ms).astimezone(zone).replace(tzinfo=None, fold=0)


def offset_ms(value_ms: int, zone: tzinfo) -> int:
    """By how much clocks in a zone are ahead of UTC at a moment."""
    return in_ms(at(value_ms).astimezone(zone).utcoffset())


def moments_of(local: datetime, zone: tzinfo) -> list[int]:
    """When clocks in a zone show a time: once, twice (the earlier first), or never."""
    offsets = [in_ms(local.replace(tzinfo=zone, fold=fold).utcoffset()) for fold in (0, 1)]
    shown = to_ms(local.replace(tzinfo=UTC))
    if offsets[0] < offsets[1]:
        return []  # clocks were put forward over it
    return [shown - each for each in dict.fromkeys(offsets)]


def change_before(value_ms: int, zone: tzinfo) -> int | None:
    """The latest moment before another one at which clocks in a zone were changed; None in years long ago."""
    year = at(value_ms).year
    for each in (year + 1, year, year - 1):
        earlier = [change for change in changes_in(zone, each) if change < value_ms]
        if earlier:
            return earlier[-1]
    return None


def change_over(local: datetime, zone: tzinfo) -> int:
    """The moment at which clocks were put forward over a local time that there never was."""
    before = in_ms(local.replace(tzinfo=zone, fold=0).utcoffset())
    shown = to_ms(local.replace(tzinfo=UTC))
    # With the offset from before the change the time lies behind it, less than a change away.
    found = change_before(shown - before + 1, zone)
    if found is None:
        raise OverflowError(local)
    return found


@lru_cache(maxsize=4096)
def changes_in(zone: tzinfo, year: int) -> tuple[int, ...]:
    """The moments of a year at which clocks in a zone are changed: the first that have another offset."""
    if not 1 < year < 9998:
        return ()
    found = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        if offset_ms(to_ms(day), zone) != offset_ms(to_ms(day + DAY), zone):
            found.append(first_after(to_ms(day), to_ms(day + DAY), zone))
        day += DAY
    return tuple(found)


def first_after(low_ms: int, high_ms: int, zone: tzinfo) -> int:
    """The moment in between at which the offset of the later one begins."""
    wanted = offset_ms(high_ms, zone)
    while high_ms - low_ms > 1:
        middle = (low_ms + high_ms) // 2
        if offset_ms(middle, zone) == wanted:
            high_ms = middle
        else:
            low_ms = middle
    return high_ms


def at(value_ms: int) -> datetime:
    """The moment so many milliseconds after 1970."""
    return EPOCH + timedelta(milliseconds=value_ms)


def in_ms(offset: timedelta | None) -> int:
    """An offset in milliseconds."""
    return (offset or timedelta()) // timedelta(milliseconds=1)
