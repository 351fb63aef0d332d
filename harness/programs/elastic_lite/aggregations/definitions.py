"""From the aggregations of a search body to what can be computed over its documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.aggregations.bucket_aggregations import (
    build_filter,
    build_filters,
    build_missing,
    build_range,
)
from harness.programs.elastic_lite.aggregations.columns import Column
from harness.programs.elastic_lite.aggregations.date_histogram import build_date_histogram
from harness.programs.elastic_lite.aggregations.metric_aggregations import (
    build_cardinality,
    build_percentiles,
    build_single,
    build_stats,
    build_value_count,
)
from harness.programs.elastic_lite.aggregations.terms_aggregation import build_terms
from harness.programs.elastic_lite.aggregations.tree import Aggregation, Aggregations, Definition, Named
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import (
    illegal_argument,
    query_error,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import OF_AGGREGATIONS

Json = dict[str, Any]
Builder = Callable[[Definition], Aggregation]
INNER = ("aggs", "aggregations")
NAME = re.compile(r"[^\[\]>]+")
DEPTH_MAX = 20
PARSING = "x_content_parse_exception"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of aggregation: what its body takes (None: it is a query), and how it is built."""

    takes: Declaration | None
    build: Builder


def kind(name: str, build: Builder, *served: str, inert: Mapping[str, str] | None = None) -> Kind:
    """A kind of aggregation of a field."""
    where = f"in a [{name}] aggregation"
    takes = declare(where, "field", "missing", *served, inert=inert, kind=PARSING, sure=OF_AGGREGATIONS)
    return Kind(takes, build)


HINT = {"execution_hint": "how Elasticsearch computes it"}
METRICS: dict[str, Kind] = {
    **{name: kind(name, build_single) for name in ("min", "max", "avg", "sum")},
    "value_count": kind("value_count", build_value_count),
    "cardinality": kind("cardinality", build_cardinality, "precision_threshold", inert=HINT),
    "stats": kind("stats", build_stats),
    "percentiles": kind("percentiles", build_percentiles, "percents", "keyed"),
}
BUCKETS: dict[str, Kind] = {
    "terms": kind(
        "terms",
        build_terms,
        "size", "shard_size", "min_doc_count", "order", "include", "exclude", "show_term_doc_count_error",
        inert={
            **HINT,
            "collect_mode": "how Elasticsearch computes it",
            "shard_min_doc_count": "the documents lie in one place, where every term is known",
        },
    ),
    "date_histogram": kind(
        "date_histogram", build_date_histogram,
        "calendar_interval", "fixed_interval", "order", "keyed", "min_doc_count", "format",
        "time_zone", "extended_bounds", "hard_bounds",
    ),
    "filter": Kind(None, build_filter),
    "filters": Kind(
        declare(
            "in a [filters] aggregation",
            "filters", "other_bucket", "other_bucket_key", "keyed",
            kind="parsing_exception",
            sure=OF_AGGREGATIONS,
        ),
        build_filters,
    ),
    "missing": kind("missing", build_missing),
    "range": kind("range", build_range, "ranges", "keyed"),
}  # fmt: skip
KINDS: Mapping[str, Kind] = {**METRICS, **BUCKETS}


def parse_aggregations(body: Any, columns: list[Column], depth: int = 1) -> Aggregations:
    """Aggregations side by side as the request defines them.

    Args:
        body: Names with their definitions.
        columns: What is read of each document; gets what these ask for.
        depth: How deep they stand in others, from 1.

    Raises:
        ElasticError: 400 for whatever is unknown, misplaced or not supported: nothing is passed by.
    """
    if not isinstance(body, dict):
        raise query_error(f"Unknown key for a {token(body)} in [aggs].")
    if depth > DEPTH_MAX:
        raise unsupported(f"aggregations more than {DEPTH_MAX} deep")
    return Aggregations(tuple(parse_one(name, it, columns, depth) for name, it in body.items()))


def parse_one(name: str, body: Any, columns: list[Column], depth: int) -> Named:
    """One aggregation: its type with its parameters, what is inside it, and its `meta`."""
    if not NAME.fullmatch(name):
        raise query_error(
            f"Invalid aggregation name [{name}]. Aggregation names can contain any character except "
            "'[', ']', and '>'"
        )
    chosen = kind_of(name, body)
    inner = [parse_aggregations(body[key], columns, depth + 1) for key in INNER if body.get(key)]
    if inner and chosen in METRICS:
        raise illegal_argument(f"Aggregator [{name}] of type [{chosen}] cannot accept sub-aggregations")
    takes = KINDS[chosen].takes
    if takes is not None:
        takes.check(body[chosen])
    definition = Definition(name, chosen, body[chosen], columns, inner[-1] if inner else Aggregations())
    return Named(name, KINDS[chosen].build(definition), body.get("meta"))


def kind_of(name: str, body: Any) -> str:
    """The type of an aggregation.

    Raises:
        ElasticError: 400 for a definition of another shape, with no type, two types, or an unknown one.
    """
    if not isinstance(body, dict):
        raise query_error(
            f"Aggregation definition for [{name} starts with a [{token(body)}], expected a [START_OBJECT]."
        )
    for key, value in body.items():
        if not isinstance(value, dict):
            raise query_error(
                f"Expected [START_OBJECT] under [{key}], but got a [{token(value)}] in [{name}]"
            )
    kinds = [key for key in body if key not in (*INNER, "meta")]
    if not kinds:
        raise query_error(f"Missing definition for aggregation [{name}]")
    if len(kinds) > 1:
        raise query_error(
            f"Found two aggregation type definitions in [{name}]: [{kinds[0]}] and [{kinds[1]}]"
        )
    if kinds[0] not in KINDS:
        raise unsupported(f"[{kinds[0]}] aggregations", "parsing_exception")
    return str(kinds[0])
