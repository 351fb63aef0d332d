"""What a store answers to a search of records in memory: a part of what Elasticsearch does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from logging_system.analytics.cache.plans import aggregations_of, interval_ms_of, kind_of
from logging_system.analytics.cache.time_ranges import milliseconds_of, text_of_ms

Record = Mapping[str, Any]
Test = Callable[[Record], bool]
DATES = frozenset({"@timestamp"})


def answer_of(body: Mapping[str, Any], records: Sequence[Record], shards: int) -> dict[str, Any]:
    """The answer to a search with `size: 0`."""
    matches = select(body.get("query", {"match_all": {}}), records)
    hits: dict[str, Any] = {"max_score": None, "hits": []}
    tracked = body.get("track_total_hits", 10_000)
    if tracked is not False:
        counted = len(matches) if tracked is True else min(len(matches), tracked)
        relation = "eq" if counted == len(matches) else "gte"
        hits = {"total": {"value": counted, "relation": relation}, **hits}
    out: dict[str, Any] = {
        "took": 1,
        "timed_out": False,
        "_shards": {"total": shards, "successful": shards, "skipped": 0, "failed": 0},
        "hits": hits,
    }
    if found := aggregations_of(body):
        out["aggregations"] = aggregate(found, matches)
    return out


def select(query: Mapping[str, Any], records: Iterable[Record]) -> list[Record]:
    test = matcher(query)
    return [record for record in records if test(record)]


def matcher(query: Mapping[str, Any]) -> Test:
    kind, body = next(iter(query.items()))
    return _MATCHERS[kind](body)


def _term(body: Mapping[str, Any]) -> Test:
    ((name, value),) = body.items()
    return lambda record: record.get(name) == value


def _range(body: Mapping[str, Any]) -> Test:
    ((name, bounds),) = body.items()

    def read(bound: Any) -> int:
        found = milliseconds_of(bound) if name in DATES else bound
        assert isinstance(found, int), bound
        return found

    low = read(bounds["gte"]) if "gte" in bounds else read(bounds["gt"]) + 1 if "gt" in bounds else -(2**62)
    high = read(bounds["lt"]) - 1 if "lt" in bounds else read(bounds["lte"]) if "lte" in bounds else 2**62
    return lambda record: name in record and low <= record[name] <= high


def _bool(body: Mapping[str, Any]) -> Test:
    musts = [matcher(each) for name in ("must", "filter") for each in _listed(body.get(name))]
    nots = [matcher(each) for each in _listed(body.get("must_not"))]
    shoulds = [matcher(each) for each in _listed(body.get("should"))]

    def test(record: Record) -> bool:
        if not all(each(record) for each in musts) or any(each(record) for each in nots):
            return False
        return not shoulds or bool(musts) or any(each(record) for each in shoulds)

    return test


def _listed(clause: Any) -> list[Any]:
    return [] if clause is None else clause if isinstance(clause, list) else [clause]


_MATCHERS: dict[str, Callable[[Any], Test]] = {
    "match_all": lambda _: lambda _record: True,
    "match_none": lambda _: lambda _record: False,
    "term": _term,
    "range": _range,
    "bool": _bool,
    "exists": lambda body: lambda record: body["field"] in record,
}


def aggregate(aggregations: Mapping[str, Any], records: Sequence[Record]) -> dict[str, Any]:
    out = {}
    for name, aggregation in aggregations.items():
        kind = kind_of(aggregation)
        out[name] = _AGGREGATIONS[kind](aggregation[kind], aggregations_of(aggregation), records)
    return out


def _values(body: Mapping[str, Any], records: Sequence[Record]) -> list[Any]:
    return [record[body["field"]] for record in records if body["field"] in record]


def _extreme(choose: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    def found(body: Any, _: Any, records: Sequence[Record]) -> dict[str, Any]:
        value = choose(_values(body, records), default=None)
        is_date = value is not None and body["field"] in DATES
        return {
            "value": None if value is None else float(value),
            **({"value_as_string": text_of_ms(value)} if is_date else {}),
        }

    return found


def _sum(body: Any, _: Any, records: Sequence[Record]) -> dict[str, Any]:
    total = 0.0
    for value in _values(body, records):  # in the order in which they lie, as a store adds
        total += value
    return {"value": total}


def _avg(body: Any, _: Any, records: Sequence[Record]) -> dict[str, Any]:
    values = _values(body, records)
    return {"value": _sum(body, _, records)["value"] / len(values) if values else None}


def _bucket(below: Any, records: Sequence[Record]) -> dict[str, Any]:
    return {"doc_count": len(records), **aggregate(below, records)}


def _filters(body: Any, below: Any, records: Sequence[Record]) -> dict[str, Any]:
    return {
        "buckets": {name: _bucket(below, select(query, records)) for name, query in body["filters"].items()}
    }


def _terms(body: Any, below: Any, records: Sequence[Record]) -> dict[str, Any]:
    groups: dict[Any, list[Record]] = {}
    for record in records:
        if (value := record.get(body["field"], body.get("missing"))) is not None:
            groups.setdefault(value, []).append(record)
    by_key = body.get("order") == {"_key": "asc"}
    keys = sorted(groups, key=lambda it: (0 if by_key else -len(groups[it]), it))
    shown, rest = keys[: body.get("size", 10)], keys[body.get("size", 10) :]
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": sum(len(groups[key]) for key in rest),
        "buckets": [{"key": key, **_bucket(below, groups[key])} for key in shown],
    }


def _histogram(body: Any, below: Any, records: Sequence[Record]) -> dict[str, Any]:
    width = interval_ms_of(body) or 1
    groups: dict[int, list[Record]] = {}
    for record in records:
        groups.setdefault(record[body["field"]] // width * width, []).append(record)
    keys: Iterable[int] = sorted(groups)
    if body.get("min_doc_count", 0) == 0:
        ends = [*groups, *(int(milliseconds_of(it) or 0) for it in body.get("extended_bounds", {}).values())]
        ends = [end // width * width for end in ends]
        keys = range(min(ends), max(ends) + 1, width) if ends else ()
    return {
        "buckets": [
            {"key_as_string": text_of_ms(key), "key": key, **_bucket(below, groups.get(key, []))}
            for key in keys
        ]
    }


_AGGREGATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "value_count": lambda body, _, records: {"value": len(_values(body, records))},
    "cardinality": lambda body, _, records: {"value": len(set(_values(body, records)))},
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _sum,
    "avg": _avg,
    "filter": lambda body, below, records: _bucket(below, select(body, records)),
    "missing": lambda body, below, records: _bucket(
        below, [record for record in records if body["field"] not in record]
    ),
    "filters": _filters,
    "terms": _terms,
    "date_histogram": _histogram,
}
