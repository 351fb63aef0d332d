"""Answers of pieces into the answer for all of them: equal to the store's own, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logging_system.analytics.cache.plans import TERMS_SIZE, aggregations_of, interval_ms_of, kind_of
from logging_system.analytics.cache.time_ranges import milliseconds_of, text_of_ms

Json = Mapping[str, Any]
BUCKETS_MAX = 10_000
WHOLE_MAX = 2**53
"""Up to here every whole number is a float of its own, so sums of them are exact in any order."""


class NotMergeableError(Exception):
    """These answers do not add up to the exact one; the question must be asked whole."""


def merged(aggregations: Json, parts: Sequence[Json]) -> dict[str, Any]:
    """Return the answers of aggregations over records that lie in several disjoint parts.

    Args:
        aggregations: The aggregations as asked, by name.
        parts: Their answers for each part, by name, in the order of time.

    Raises:
        NotMergeableError: The exact answer does not follow from these.
    """
    out: dict[str, Any] = {}
    for name, aggregation in aggregations.items():
        kind = kind_of(aggregation)
        own = [part[name] for part in parts if name in part]
        out[name] = _MERGERS[kind](aggregation[kind], aggregations_of(aggregation), own)
    return out


def of_nothing(aggregations: Json) -> dict[str, Any]:
    """Return the answers of aggregations where no record matches."""
    return merged(aggregations, ())


def asked_in_pieces(aggregations: Json) -> dict[str, Any]:
    """Return aggregations as pieces are asked: gaps of histograms are filled once all is together."""
    out: dict[str, Any] = {}
    for name, aggregation in aggregations.items():
        kind = kind_of(aggregation)
        body = dict(aggregation[kind])
        if kind == "date_histogram":
            body.pop("extended_bounds", None)
            body["min_doc_count"] = 1
        below = aggregations_of(aggregation)
        # No piece cuts an interval, so what is asked within one stays as it is.
        inner = below if kind == "date_histogram" else asked_in_pieces(below)
        out[name] = {kind: body, **({"aggs": inner} if below else {})}
    return out


def _count(_: Json, __: Json, parts: Sequence[Json]) -> dict[str, Any]:
    return {"value": sum(part["value"] for part in parts)}


def _sum(_: Json, __: Json, parts: Sequence[Json]) -> dict[str, Any]:
    values = [part["value"] for part in parts]
    if any(value < 0 or value != int(value) for value in values) or sum(values) >= WHOLE_MAX:
        raise NotMergeableError("a sum of fractions or of very large numbers")
    return {"value": float(sum(values))}


def _extreme(choose: Callable[..., Any]) -> Callable[[Json, Json, Sequence[Json]], dict[str, Any]]:
    def chosen(_: Json, __: Json, parts: Sequence[Json]) -> dict[str, Any]:
        found = [part for part in parts if part["value"] is not None]
        return dict(choose(found, key=lambda part: part["value"])) if found else {"value": None}

    return chosen


def _cardinality(_: Json, __: Json, parts: Sequence[Json]) -> dict[str, Any]:
    if parts:
        raise NotMergeableError("numbers of distinct values")
    return {"value": 0}


def _bucket(_: Json, below: Json, parts: Sequence[Json]) -> dict[str, Any]:
    return {"doc_count": sum(part["doc_count"] for part in parts), **merged(below, parts)}


def _filters(body: Json, below: Json, parts: Sequence[Json]) -> dict[str, Any]:
    names = body["filters"]
    return {
        "buckets": {name: _bucket({}, below, [part["buckets"][name] for part in parts]) for name in names}
    }


def _terms(body: Json, below: Json, parts: Sequence[Json]) -> dict[str, Any]:
    by_key: dict[Any, list[Json]] = {}
    for part in parts:
        if part["sum_other_doc_count"] or part["doc_count_error_upper_bound"]:
            raise NotMergeableError("terms of which a part has more than it tells")
        for bucket in part["buckets"]:
            by_key.setdefault(bucket["key"], []).append(bucket)
    # No more than asked for in all: then no shard cut any off either, and the store's own answer is exact.
    if len(by_key) > body.get("size", TERMS_SIZE):
        raise NotMergeableError("more terms than are asked for")
    buckets = [_term(found, below) for found in by_key.values()]
    by_count = body.get("order") != {"_key": "asc"}
    buckets.sort(key=lambda it: (-it["doc_count"] if by_count else 0, _as_store_orders(it["key"])))
    return {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": buckets}


def _term(found: Sequence[Json], below: Json) -> dict[str, Any]:
    named = {name: found[0][name] for name in ("key", "key_as_string") if name in found[0]}
    return {**named, **_bucket({}, below, found)}


def _as_store_orders(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


def _histogram(body: Json, below: Json, parts: Sequence[Json]) -> dict[str, Any]:
    found = {bucket["key"]: bucket for part in parts for bucket in part["buckets"]}
    if any(bucket.get("key_as_string") != text_of_ms(key) for key, bucket in found.items()):
        raise NotMergeableError("dates in a format of the field's own")
    keys = _keys(body, sorted(found))
    if len(keys) > BUCKETS_MAX:
        raise NotMergeableError(f"more than {BUCKETS_MAX} intervals")
    return {"buckets": [_interval(key, found.get(key), below) for key in keys]}


def _interval(key: int, bucket: Json | None, below: Json) -> dict[str, Any]:
    if bucket is not None:
        return dict(bucket)
    return {"key_as_string": text_of_ms(key), "key": key, **_bucket({}, below, ())}


def _keys(body: Json, found: Sequence[int]) -> Sequence[int]:
    if body.get("min_doc_count", 0) > 0:
        return found
    interval_ms = interval_ms_of(body) or 1
    ends = list(found[:1]) + list(found[-1:])
    for bound in body.get("extended_bounds", {}).values():
        milliseconds = milliseconds_of(bound)
        if milliseconds is None:
            raise NotMergeableError("bounds that are no plain moments")
        ends.append(milliseconds // interval_ms * interval_ms)
    return range(min(ends), max(ends) + 1, interval_ms) if ends else ()


_MERGERS: Mapping[str, Callable[[Json, Json, Sequence[Json]], dict[str, Any]]] = {
    "value_count": _count,
    "sum": _sum,
    "cardinality": _cardinality,
    "min": _extreme(min),
    "max": _extreme(max),
    "filter": _bucket,
    "missing": _bucket,
    "filters": _filters,
    "terms": _terms,
    "date_histogram": _histogram,
}
