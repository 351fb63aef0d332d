"""Dates as Elasticsearch writes them in its built-in formats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from harness.programs.elastic_lite.language.dates import EPOCH
from harness.programs.elastic_lite.language.errors import unsupported

# The Gregorian calendar repeats after as many days; beyond year 9999 Python's own datetime ends.
CYCLE_YEARS, CYCLE_DAYS = 400, 146_097
CYCLE_MS = CYCLE_DAYS * 86_400_000
PRINTED = {
    "yyyy-MM-dd": "%Y-%m-%d",
    "strict_date": "%Y-%m-%d",
    "yyyy/MM/dd": "%Y/%m/%d",
    "yyyy/MM/dd HH:mm:ss": "%Y/%m/%d %H:%M:%S",
}
ISO_FORMATS = frozenset(
    {"strict_date_optional_time", "date_optional_time", "strict_date_time", "date_time"}
)  # fmt: skip


def date_text(value_ms: int, date_format: str, zone: tzinfo = UTC) -> str:
    """A date in the first of its formats, as clocks in a zone show it.

    Raises:
        ElasticError: 400 for a format that this server cannot write.
    """
    name = date_format.split("||")[0]
    if name == "epoch_millis":
        return str(value_ms)
    if name == "epoch_second":
        return str(value_ms // 1000)
    cycles, rest_ms = divmod(value_ms, CYCLE_MS)
    moment = EPOCH + timedelta(milliseconds=rest_ms)
    if zone is not UTC:
        # Zones have changes of their own in each year.
        cycles, moment = 0, (EPOCH + timedelta(milliseconds=value_ms)).astimezone(zone)
    if name in ISO_FORMATS:
        year = moment.year + CYCLE_YEARS * cycles
        shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
        return f"{shown}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{offset_text(moment)}"
    if name not in PRINTED or cycles:
        raise unsupported(f"dates written as [{name}]")
    return moment.strftime(PRINTED[name])


def offset_text(moment: datetime) -> str:
    """By how much clocks are ahead of UTC, as Java writes it; `Z` where they are not."""
    seconds = round((moment.utcoffset() or timedelta()).total_seconds())
    if not seconds:
        return "Z"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    shown = f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"
    return f"{shown}:{left:02d}" if left else shown
