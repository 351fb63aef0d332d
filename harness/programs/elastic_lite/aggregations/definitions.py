"""From the aggregations of a search body to what can be computed over its documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
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
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    illegal_argument,
    query_error,
    unsupported,
)

Json = dict[str, Any]
Builder = Callable[[Definition], Aggregation]
INNER = ("aggs", "aggregations")
NAME = re.compile(r"[^\[\]>]+")
DEPTH_MAX = 20
METRICS: dict[str, Builder] = {
    **dict.fromkeys(("min", "max", "avg", "sum"), build_single),
    "value_count": build_value_count,
    "cardinality": build_cardinality,
    "stats": build_stats,
    "percentiles": build_percentiles,
}
BUCKETS: dict[str, Builder] = {
    "terms": build_terms,
    "date_histogram": build_date_histogram,
    "filter": build_filter,
    "filters": build_filters,
    "missing": build_missing,
    "range": build_range,
}
BUILDERS: Mapping[str, Builder] = {**METRICS, **BUCKETS}
ONLY_REAL = frozenset(
    {
        "adjacency_matrix", "auto_date_histogram", "avg_bucket", "boxplot", "bucket_script",
        "bucket_selector",
        "bucket_sort", "categorize_text", "composite", "cumulative_sum", "date_range", "derivative",
        "diversified_sampler", "extended_stats", "extended_stats_bucket", "frequent_item_sets", "geo_bounds",
        "geo_centroid", "geo_distance", "geohash_grid", "geotile_grid", "global", "histogram", "ip_prefix",
        "ip_range", "matrix_stats", "max_bucket", "median_absolute_deviation", "min_bucket", "moving_fn",
        "multi_terms", "nested", "percentile_ranks", "percentiles_bucket", "random_sampler", "rare_terms",
        "rate", "reverse_nested", "sampler", "scripted_metric", "serial_diff", "significant_terms",
        "significant_text", "stats_bucket", "string_stats", "sum_bucket", "t_test", "top_hits", "top_metrics",
        "variable_width_histogram", "weighted_avg",
    }
)  # fmt: skip


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
    kind = kind_of(name, body)
    inner = [parse_aggregations(body[key], columns, depth + 1) for key in INNER if body.get(key)]
    if inner and kind in METRICS:
        raise illegal_argument(f"Aggregator [{name}] of type [{kind}] cannot accept sub-aggregations")
    definition = Definition(name, kind, body[kind], columns, inner[-1] if inner else Aggregations())
    return Named(name, BUILDERS[kind](definition), body.get("meta"))


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
    if kinds[0] not in BUILDERS:
        raise unknown_type(kinds[0])
    return str(kinds[0])


def unknown_type(kind: str) -> ElasticError:
    """The 400 for a type that this server, or any, does not have."""
    if kind in ONLY_REAL:
        return unsupported(f"[{kind}] aggregations")
    close = get_close_matches(kind, BUILDERS, n=1)
    hint = f" did you mean [{close[0]}]?" if close else ""
    return query_error(f"Unknown aggregation type [{kind}]{hint}")
