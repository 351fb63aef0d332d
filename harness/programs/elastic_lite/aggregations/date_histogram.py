"""The date_histogram aggregation: a bucket for each interval between a field's first and last value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from harness.programs.elastic_lite.aggregations.bucket_order import Bucket, Order, ordered, parse_order
from harness.programs.elastic_lite.aggregations.columns import (
    BUCKETS_MAX,
    Row,
    Table,
    x_content_error,
)
from harness.programs.elastic_lite.aggregations.tree import (
    Aggregation,
    Aggregations,
    Definition,
    NoOrderError,
)
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.date_text import date_text
from harness.programs.elastic_lite.language.dates import EPOCH, rounded_down, shifted, to_ms
from harness.programs.elastic_lite.language.durations import UNIT_SECONDS
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    unsupported,
)

Json = dict[str, Any]
CALENDAR = {
    "second": "s", "1s": "s", "minute": "m", "1m": "m", "hour": "h", "1h": "h", "day": "d", "1d": "d",
    "week": "w", "1w": "w", "month": "M", "1M": "M", "year": "y", "1y": "y",
}  # fmt: skip
LONG_MAX = 2**63 - 1
FIXED = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bucket is: a unit of the calendar, or so many milliseconds counted from 1970."""

    unit: str = ""
    fixed_ms: int = 0

    def start(self, value_ms: int) -> int:
        """The start of the bucket that a moment lies in."""
        if self.fixed_ms:
            return value_ms // self.fixed_ms * self.fixed_ms
        return to_ms(rounded_down(EPOCH + timedelta(milliseconds=value_ms), self.unit))

    def after(self, start_ms: int) -> int:
        """The start of the bucket behind one."""
        if self.fixed_ms:
            return start_ms + self.fixed_ms
        return to_ms(shifted(EPOCH + timedelta(milliseconds=start_ms), 1, self.unit))


@dataclass(frozen=True, slots=True)
class DateHistogram:
    """One date_histogram."""

    column: int
    interval: Interval
    order: Order
    keyed: bool
    least: int
    date_format: str | None
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return "date_histogram"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The buckets, with the empty ones between unless a least count leaves them out."""
        try:
            groups = self.grouped(rows)
        except OverflowError as error:
            raise search_error("a value lies beyond the years that a date_histogram can count") from error
        if self.least == 0:
            self.fill(groups, table)
        buckets = [Bucket(start, members) for start, members in groups.items() if len(members) >= self.least]
        table.spend(len(buckets))
        found = [self.as_json(it, table) for it in ordered(buckets, self.order, self.inner, table)]
        if self.keyed:
            return {"buckets": {it.get("key_as_string", str(it["key"])): it for it in found}}
        return {"buckets": found}

    def grouped(self, rows: list[Row]) -> dict[int, list[Row]]:
        """The documents of each interval that has any.

        Raises:
            OverflowError: a value is no date of the years 1 to 9999.
        """
        groups: dict[int, list[Row]] = {}
        for row in rows:
            for start in dict.fromkeys(self.interval.start(int(value)) for value in row[self.column]):
                if abs(start) > LONG_MAX:
                    raise OverflowError(start)
                groups.setdefault(start, []).append(row)
        return groups

    def fill(self, groups: dict[int, list[Row]], table: Table) -> None:
        """Put empty buckets into the gaps; there may not be more of them than a search may have."""
        if not groups:
            return
        last, start = max(groups), min(groups)
        for _ in range(BUCKETS_MAX):
            if start >= last:
                return
            start = self.interval.after(start)
            groups.setdefault(start, [])
        table.spend(BUCKETS_MAX + 1)

    def as_json(self, bucket: Bucket, table: Table) -> Json:
        """One bucket of the answer."""
        out: Json = {"key": bucket.key, "doc_count": len(bucket.rows)}
        shown = table.shown(self.column, bucket.key)
        if self.date_format is not None:
            shown = date_text(bucket.key, self.date_format)
        if shown is not None:
            out = {"key_as_string": shown, **out}
        return out | bucket.inside(self.inner, table)

    def sort_value(self, answer: Json, key: str) -> float:
        """Nothing: it has several buckets."""
        raise NoOrderError("Can't sort a [date_histogram] aggregation")


def build_date_histogram(definition: Definition) -> Aggregation:
    """A date_histogram.

    Raises:
        ElasticError: 400 for a parameter that does not exist, has no meaning, or is not supported here.
    """
    if "interval" in definition.body:
        raise x_content_error("[date_histogram] unknown field [interval] did you mean [fixed_interval]?")
    date_format = definition.body.get("format")
    if date_format is not None:
        date_text(0, str(date_format))
    return DateHistogram(
        definition.field_column(numeric=True),
        interval_of(definition),
        parse_order("date_histogram", definition.body.get("order", {"_key": "asc"})),
        definition.flag("keyed"),
        definition.integer("min_doc_count", 0, 0),
        None if date_format is None else str(date_format),
        definition.inner,
    )


def interval_of(definition: Definition) -> Interval:
    """The interval, which must be given in exactly one way.

    Raises:
        ElasticError: 400 for none, both, or one that cannot be read.
    """
    calendar, fixed = (definition.body.get(f"{kind}_interval") for kind in ("calendar", "fixed"))
    for name, value in (("calendar_interval", calendar), ("fixed_interval", fixed)):
        if value is not None and not isinstance(value, str):
            raise x_content_error(f"[date_histogram] {name} doesn't support values of type: {token(value)}")
    if calendar is None and fixed is None:
        raise unsupported("a [date_histogram] aggregation without an interval")
    if fixed is None:
        if calendar in ("quarter", "1q"):
            raise unsupported("[calendar_interval] of a quarter")
        if calendar not in CALENDAR:
            why = f"The supplied interval [{calendar}] could not be parsed as a calendar interval."
            raise unread("calendar_interval", illegal_argument(why))
        return Interval(unit=CALENDAR[calendar])
    if calendar is not None:
        why = "Cannot use [fixed_interval] with [calendar_interval] configuration option."
        raise unread("fixed_interval", illegal_argument(why))
    return Interval(fixed_ms=fixed_ms(str(fixed)))


def fixed_ms(value: str) -> int:
    """The milliseconds of a fixed interval.

    Raises:
        ElasticError: 400 for no time value, a fraction, or nothing and less.
    """
    found = FIXED.fullmatch(value)
    if found is None:
        why = (
            f"failed to parse setting [date_histogram.fixedInterval] with value [{value}] as a time value: "
            "unit is missing or unrecognized"
        )
        raise unread("fixed_interval", illegal_argument(why))
    if "." in found[1]:
        why = f"failed to parse [{value}], fractional time values are not supported"
        raise unread("fixed_interval", illegal_argument(why))
    length_ms = round(int(found[1]) * UNIT_SECONDS[found[2]] * 1000)
    if length_ms <= 0:
        raise search_error("Zero or negative time interval not supported")
    return length_ms


def unread(name: str, why: ElasticError) -> ElasticError:
    """A 400 for a parameter that cannot be read."""
    return x_content_error(f"[date_histogram] failed to parse field [{name}]", why)


def search_error(reason: str) -> ElasticError:
    """A 400 that a shard answers."""
    return SearchError(400, "illegal_argument_exception", reason)
