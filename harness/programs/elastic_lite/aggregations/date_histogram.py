"""The date_histogram aggregation: a bucket for each interval between a field's first and last value."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from harness.programs.elastic_lite.aggregations.bucket_order import Bucket, Order, ordered, parse_order
from harness.programs.elastic_lite.aggregations.columns import (
    BUCKETS_MAX,
    Row,
    Table,
    x_content_error,
)
from harness.programs.elastic_lite.aggregations.rounding import Interval
from harness.programs.elastic_lite.aggregations.tree import (
    Aggregation,
    Aggregations,
    Definition,
    NoOrderError,
)
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.date_text import date_text
from harness.programs.elastic_lite.language.dates import (
    DEFAULT_FORMAT,
    FORMATS,
    NS_IN_MS,
    parse_date_math_ns,
)
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.durations import UNIT_SECONDS
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import is_text, is_whole
from harness.programs.elastic_lite.language.time_zones import time_zone
from harness.programs.elastic_lite.mapping.field_types import DATES

Json = dict[str, Any]
CALENDAR = {
    "second": "s", "1s": "s", "minute": "m", "1m": "m", "hour": "h", "1h": "h", "day": "d", "1d": "d",
    "week": "w", "1w": "w", "month": "M", "1M": "M", "quarter": "q", "1q": "q", "year": "y", "1y": "y",
}  # fmt: skip
LONG_MAX = 2**63 - 1
ZONED = re.compile(r"Z|T.*[+-]\d\d(?::?\d\d)?$|^\d+$|^now")
"""A bound that is the same moment in every zone."""
BOUNDS = declare(
    "in bounds of a [date_histogram]",
    "min", "max",
    kind="x_content_parse_exception",
    sure={name: lambda value: is_whole(value) or is_text(value) for name in ("min", "max")},
)  # fmt: skip
FIXED = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which moments buckets are; None leaves a side open.

    Args:
        name: The parameter's.
        least: Milliseconds, or a date as text.
        greatest: The same.
    """

    name: str = ""
    least: int | str | None = None
    greatest: int | str | None = None

    def read(self, histogram: DateHistogram, table: Table) -> tuple[int | None, int | None]:
        """The starts of the buckets that both lie in, in milliseconds.

        Raises:
            ElasticError: 400 for a text that is no date, or where the first lies behind the second.
        """
        least, greatest = (histogram.moment(each, table) for each in (self.least, self.greatest))
        if least is not None and greatest is not None and least > greatest:
            raise search_error(
                f"[{self.name}.min][{least}] cannot be greater than [{self.name}.max][{greatest}]"
            )
        starts = (None if each is None else histogram.interval.start(each) for each in (least, greatest))
        first, last = starts
        return first, last


@dataclass(frozen=True, slots=True)
class DateHistogram:
    """One date_histogram."""

    column: int
    interval: Interval
    order: Order
    keyed: bool
    least: int
    date_format: str | None
    extended: Bounds
    hard: Bounds
    now_ms: int
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return "date_histogram"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The buckets, with the empty ones between unless a least count leaves them out."""
        try:
            least, greatest = self.hard.read(self, table)
            extended = self.extended.read(self, table)
            self.refuse_wider(extended, (least, greatest))
            groups = self.grouped(rows)
            groups = {
                start: members
                for start, members in groups.items()
                if (least is None or start >= least) and (greatest is None or start < greatest)
            }
            if self.least == 0:
                self.extend(groups, extended, table)
                self.fill(groups, table)
        except OverflowError as error:
            raise search_error("a value lies beyond the years that a date_histogram can count") from error
        buckets = [Bucket(start, members) for start, members in groups.items() if len(members) >= self.least]
        table.spend(len(buckets))
        found = [self.as_json(it, table) for it in ordered(buckets, self.order, self.inner, table)]
        if self.keyed:
            return {"buckets": {it.get("key_as_string", str(it["key"])): it for it in found}}
        return {"buckets": found}

    def refuse_wider(
        self, extended: tuple[int | None, int | None], hard: tuple[int | None, int | None]
    ) -> None:
        """Refuse buckets that are asked for and forbidden at once."""
        below = None not in (extended[0], hard[0]) and int(extended[0] or 0) < int(hard[0] or 0)
        above = None not in (extended[1], hard[1]) and int(extended[1] or 0) > int(hard[1] or 0)
        if below or above:
            raise search_error(f"Extended bounds have to be inside hard bounds, hard bounds: [{hard}]")

    def extend(
        self, groups: dict[int, list[Row]], extended: tuple[int | None, int | None], table: Table
    ) -> None:
        """Put in the first and the last bucket that are asked for whatever the documents are."""
        if self.extended.name and table.leaves[self.column] is None:
            raise unsupported("`extended_bounds` for a field that no index maps")
        least, greatest = extended
        wanted: list[int] = []
        if least is not None and (least < min(groups) if groups else greatest is not None):
            wanted.append(least)
        if greatest is not None and (greatest > max(groups) if groups else least is not None):
            wanted.append(greatest)
        groups |= {start: [] for start in wanted}

    def moment(self, bound: int | str | None, table: Table) -> int | None:
        """A bound in milliseconds.

        Raises:
            ElasticError: 400 for a text that is no date.
        """
        if not isinstance(bound, str):
            return bound
        leaf = table.leaves[self.column]
        known = self.date_format or (DEFAULT_FORMAT if leaf is None else leaf.date_format)
        if any(name not in FORMATS for name in known.split("||")):
            raise unsupported(f"bounds of a [date_histogram] written as [{known}]")
        if self.interval.zone is not UTC and not ZONED.search(bound):
            raise unsupported(f"the bound `{bound}` without an offset in a [date_histogram] with a time zone")
        found = parse_date_math_ns(bound, known, self.now_ms)
        if found is None:
            raise SearchError(
                400, "parse_exception", f"failed to parse date field [{bound}] with format [{known}]"
            )
        return found // NS_IN_MS

    def grouped(self, rows: list[Row]) -> dict[int, list[Row]]:
        """The documents of each interval that has any.

        Raises:
            OverflowError: a value is no date of the years 1 to 9999.
        """
        groups: dict[int, list[Row]] = {}
        starts: dict[int, int] = {}
        for row in rows:
            for value in map(int, row[self.column]):
                if value not in starts:
                    starts[value] = self.interval.start(value)
            for start in dict.fromkeys(starts[int(value)] for value in row[self.column]):
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
            if start < last:
                groups.setdefault(start, [])
        table.spend(BUCKETS_MAX + 1)

    def as_json(self, bucket: Bucket, table: Table) -> Json:
        """One bucket of the answer."""
        out: Json = {"key": bucket.key, "doc_count": len(bucket.rows)}
        leaf = table.leaves[self.column]
        is_date = leaf is not None and leaf.kind in DATES
        shown = table.shown(self.column, bucket.key)
        if self.date_format is not None:
            shown = date_text(bucket.key, self.date_format, self.interval.zone)
        elif is_date and leaf is not None:
            shown = date_text(bucket.key, leaf.date_format, self.interval.zone)
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
        bounds_of(definition, "extended_bounds"),
        bounds_of(definition, "hard_bounds"),
        time.time_ns() // NS_IN_MS,
        definition.inner,
    )


def bounds_of(definition: Definition, name: str) -> Bounds:
    """Bounds as given.

    Raises:
        ElasticError: 400 for anything but whole numbers and texts.
    """
    given = definition.body.get(name)
    if given is None:
        return Bounds()
    if not isinstance(given, dict):
        raise x_content_error(f"[date_histogram] {name} doesn't support values of type: {token(given)}")
    BOUNDS.check(given)
    return Bounds(name, given.get("min"), given.get("max"))


def interval_of(definition: Definition) -> Interval:
    """The interval, which must be given in exactly one way, in its time zone.

    Raises:
        ElasticError: 400 for none, both, or one that cannot be read.
    """
    zone = time_zone(definition.body.get("time_zone", "UTC"))
    calendar, fixed = (definition.body.get(f"{kind}_interval") for kind in ("calendar", "fixed"))
    for name, value in (("calendar_interval", calendar), ("fixed_interval", fixed)):
        if value is not None and not isinstance(value, str):
            raise x_content_error(f"[date_histogram] {name} doesn't support values of type: {token(value)}")
    if calendar is None and fixed is None:
        raise unsupported("a [date_histogram] aggregation without an interval")
    if fixed is None:
        if calendar not in CALENDAR:
            why = f"The supplied interval [{calendar}] could not be parsed as a calendar interval."
            raise unread("calendar_interval", illegal_argument(why))
        return Interval(unit=CALENDAR[calendar], zone=zone)
    if calendar is not None:
        why = "Cannot use [fixed_interval] with [calendar_interval] configuration option."
        raise unread("fixed_interval", illegal_argument(why))
    return Interval(fixed_ms=fixed_ms(str(fixed)), zone=zone)


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
