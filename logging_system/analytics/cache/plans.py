"""How a question may be kept: in pieces, whole while its records stay, with one view only, or not at all.

A question is kept only if every word of it is one whose answer is known to follow from the records alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from logging_system.analytics.cache.time_ranges import (
    TIME_FIELD,
    TimeRange,
    milliseconds_of,
    range_of,
    width_for,
)


class Exactness(IntEnum):
    """What is known of an aggregation's answer; the lowest of several holds for all."""

    UNKNOWN = 0
    """It may depend on the clock, on chance, on other documents."""
    OF_VIEW = 1
    """The same reader gives it again: the order in which documents lie may change its last digits."""
    OF_RECORDS = 2
    """The set of matching documents of each shard decides it, in whatever order they lie."""
    MERGEABLE = 3
    """The answers of two disjoint sets give that of both together, exactly."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question's answer may be kept.

    Attributes:
        exactness: What is known of its answer; `UNKNOWN` is never kept.
        asked: The absolute time that it asks about; None where that is not plain.
        width_ms: How long its pieces are; None where it stays whole.
    """

    exactness: Exactness
    asked: TimeRange | None = None
    width_ms: int | None = None


UNCACHED = Plan(Exactness.UNKNOWN)

_BODY = frozenset({"size", "query", "aggs", "aggregations", "track_total_hits"})
_QUERIES = frozenset(
    {
        "match_all", "match_none", "term", "terms", "range", "exists", "prefix", "wildcard", "match",
        "match_phrase", "ids", "constant_score", "bool",
    }
)  # fmt: skip
_NOW = re.compile(r"now([-+/|].*)?", re.DOTALL)
_FIXED = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CALENDAR_MS = {
    "minute": 60_000, "1m": 60_000, "hour": 3_600_000, "1h": 3_600_000, "day": 86_400_000, "1d": 86_400_000,
}  # fmt: skip
_HISTOGRAM = frozenset(
    {"field", "fixed_interval", "calendar_interval", "min_doc_count", "extended_bounds", "time_zone"}
)
_TERMS = frozenset(
    {"field", "size", "shard_size", "missing", "include", "exclude", "order", "execution_hint"}
)
_TERMS_ORDERS = ({"_key": "asc"}, {"_count": "desc"})
_FIELD_ONLY = frozenset({"field"})
_OF_ONE_FIELD = frozenset({"value_count", "min", "max", "missing", "sum"})
_OF_RECORDS = frozenset(
    {"cardinality", "terms", "date_histogram", "range", "histogram", "value_count", "min", "max", "missing"}
)
_OF_VIEW = frozenset({"avg", "sum", "stats", "percentiles", "extended_stats", "percentile_ranks"})
_WHOLE_IN_A_BUCKET = frozenset({"cardinality", "terms"})
_SUB = ("aggs", "aggregations")
TERMS_SIZE = 10
EVIDENCE = "logquake_written"
"""The aggregation that the cache puts beside each question: it tells how new the matching records are."""


def plan_of(
    body: Mapping[str, Any], *, field: str = TIME_FIELD, whole_number_fields: Collection[str] = ()
) -> Plan:
    """Return how a question may be kept.

    Args:
        body: The body of `_search`.
        field: The field of a record's own time.
        whole_number_fields: Fields whose values are whole numbers, none negative: their sums are exact.
    """
    if not _may_be_kept(body):
        return UNCACHED
    aggregations = aggregations_of(body)
    exactness = _least(aggregations, frozenset(whole_number_fields), field, inside=False)
    if exactness is Exactness.UNKNOWN:
        return UNCACHED
    asked = range_of(body, field)
    # A total that is counted up to a bound may be exact or not, as the store finds it cheaper.
    if asked is None or exactness is Exactness.OF_VIEW or type(body.get("track_total_hits")) is not bool:
        return Plan(Exactness.OF_VIEW, asked)
    if exactness is Exactness.OF_RECORDS:
        return Plan(Exactness.OF_RECORDS, asked)
    width_ms = width_for(asked, list(_intervals(aggregations)))
    return Plan(Exactness.OF_RECORDS if width_ms is None else exactness, asked, width_ms)


def aggregations_of(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the aggregations of a body or of another aggregation, by name.

    Args:
        holder: A search's body, or an aggregation; it may say `aggs` or `aggregations`.
    """
    found = holder.get("aggs", holder.get("aggregations"))
    return found if isinstance(found, Mapping) else {}


def kind_of(aggregation: Mapping[str, Any]) -> str:
    """Return the one word that says what an aggregation is; empty where there is not one."""
    kinds = [name for name in aggregation if name not in _SUB]
    return kinds[0] if len(kinds) == 1 else ""


def interval_ms_of(histogram: Mapping[str, Any]) -> int | None:
    """Return the interval of a date_histogram; None where it is not the same length everywhere.

    Args:
        histogram: What stands under `date_histogram`.
    """
    if histogram.get("time_zone", "UTC") != "UTC":
        return None
    if "calendar_interval" in histogram:
        return None if "fixed_interval" in histogram else _CALENDAR_MS.get(histogram["calendar_interval"])
    found = _FIXED.fullmatch(str(histogram.get("fixed_interval", "")))
    return int(found[1]) * _UNIT_MS[found[2]] or None if found else None


def _may_be_kept(body: Mapping[str, Any]) -> bool:
    if not set(body) <= _BODY or body.get("size") != 0 or _says_now(body):
        return False
    is_plain = "query" not in body or _is_plain(body["query"])
    return is_plain and EVIDENCE not in aggregations_of(body)


def _least(aggregations: Mapping[str, Any], whole: frozenset[str], field: str, *, inside: bool) -> Exactness:
    if len([name for name in aggregations if not isinstance(name, str)]):
        return Exactness.UNKNOWN
    each = [_of(it, whole, field, inside=inside) for it in aggregations.values()]
    return min(each, default=Exactness.MERGEABLE)


def _of(aggregation: object, whole: frozenset[str], field: str, *, inside: bool) -> Exactness:
    if not isinstance(aggregation, Mapping) or not (kind := kind_of(aggregation)):
        return Exactness.UNKNOWN
    body = aggregation[kind]
    if not isinstance(body, Mapping):
        return Exactness.UNKNOWN
    is_histogram = kind == "date_histogram"
    below = _least(aggregations_of(aggregation), whole, field, inside=inside or is_histogram)
    own = _own(kind, body, whole, field)
    if inside and own is Exactness.OF_RECORDS and kind in _WHOLE_IN_A_BUCKET:
        own = Exactness.MERGEABLE  # no piece cuts the bucket that it is in
    return min(own, below)


def _own(kind: str, body: Mapping[str, Any], whole: frozenset[str], field: str) -> Exactness:
    if kind in ("filter", "filters"):
        return _of_filters(kind, body)
    if "script" in body:
        return Exactness.UNKNOWN
    if _is_mergeable(kind, body, whole, field):
        return Exactness.MERGEABLE
    if kind in _OF_RECORDS:
        return Exactness.OF_RECORDS if _follows_from_records(kind, body) else Exactness.OF_VIEW
    return Exactness.OF_VIEW if kind in _OF_VIEW else Exactness.UNKNOWN


def _is_mergeable(kind: str, body: Mapping[str, Any], whole: frozenset[str], field: str) -> bool:
    if kind in _OF_ONE_FIELD:
        return set(body) == _FIELD_ONLY and (kind != "sum" or body["field"] in whole)
    if kind == "date_histogram":
        return _is_mergeable_histogram(body, field)
    return kind == "terms" and _is_mergeable_terms(body)


def _follows_from_records(kind: str, body: Mapping[str, Any]) -> bool:
    # Terms that no match has are those of all records, and of deleted ones for a while.
    if kind == "terms" and body.get("min_doc_count", 1) == 0:
        return False
    # An order by a sum or an average is one by numbers whose last digits may change.
    order = body.get("order")
    listed = order if isinstance(order, list) else [order or {}]
    return all(isinstance(each, Mapping) and set(each) <= {"_key", "_count"} for each in listed)


def _of_filters(kind: str, body: Mapping[str, Any]) -> Exactness:
    if kind == "filter":
        return Exactness.MERGEABLE if _is_plain(body) else Exactness.UNKNOWN
    filters = body.get("filters")
    if set(body) != {"filters"} or not isinstance(filters, Mapping):
        return Exactness.UNKNOWN
    return Exactness.MERGEABLE if all(_is_plain(each) for each in filters.values()) else Exactness.UNKNOWN


def _is_mergeable_histogram(body: Mapping[str, Any], field: str) -> bool:
    if body.get("field") != field or not set(body) <= _HISTOGRAM or interval_ms_of(body) is None:
        return False
    if body.get("min_doc_count", 0) not in (0, 1):
        return False
    bounds = body.get("extended_bounds")
    if bounds is None:
        return True
    return (
        isinstance(bounds, Mapping)
        and set(bounds) == {"min", "max"}
        and all(milliseconds_of(each) is not None for each in bounds.values())
    )


def _is_mergeable_terms(body: Mapping[str, Any]) -> bool:
    is_sized = type(body.get("size", TERMS_SIZE)) is int
    return set(body) <= _TERMS and body.get("order") in (None, *_TERMS_ORDERS) and is_sized


def _intervals(aggregations: Mapping[str, Any]) -> Iterator[int]:
    for each in aggregations.values():
        if kind_of(each) == "date_histogram":
            yield interval_ms_of(each["date_histogram"]) or 0
        yield from _intervals(aggregations_of(each))


def _is_plain(query: object) -> bool:
    if not isinstance(query, Mapping) or len(query) != 1:
        return False
    kind, body = next(iter(query.items()))
    if kind not in _QUERIES or not isinstance(body, Mapping):
        return False
    if kind == "bool":
        return all(_is_plain_clause(name, each) for name, each in body.items())
    if kind == "constant_score":
        return _is_plain(body.get("filter"))
    # Terms may be looked up in a document, which is written to without a trace here.
    return kind != "terms" or all(not isinstance(each, Mapping) for each in body.values())


def _is_plain_clause(name: str, clause: object) -> bool:
    if name in ("boost", "minimum_should_match"):
        return True
    listed = clause if isinstance(clause, list) else [clause]
    return name in ("must", "filter", "should", "must_not") and all(_is_plain(each) for each in listed)


def _says_now(value: object) -> bool:
    if isinstance(value, str):
        return _NOW.fullmatch(value) is not None
    if isinstance(value, Mapping):
        return any(_says_now(each) for each in value.values())
    return isinstance(value, (list, tuple)) and any(_says_now(each) for each in value)
