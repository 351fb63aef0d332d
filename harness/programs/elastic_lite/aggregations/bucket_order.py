"""The order of buckets: by count, by key, or by a number of an aggregation inside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.aggregations.columns import Row, Table, x_content_error
from harness.programs.elastic_lite.aggregations.tree import Aggregations
from harness.programs.elastic_lite.language.errors import query_error

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: `_key`, `_count`, or the path to a number."""

    path: str
    descending: bool


Order = tuple[Criterion, ...]


@dataclass(slots=True)
class Bucket:
    """Documents of one key, with the answers inside once they are computed."""

    key: Any
    rows: list[Row]
    answers: Json | None = None

    def inside(self, inner: Aggregations, table: Table) -> Json:
        """The answers of the aggregations inside, computed once."""
        if self.answers is None:
            self.answers = inner.answers(self.rows, table)
        return self.answers


def parse_order(kind: str, value: Any) -> Order:
    """An order as its criteria; the key decides at last, as in Elasticsearch.

    Raises:
        ElasticError: 400 for what is no order.
    """
    listed = value if isinstance(value, list) else [value]
    criteria = [criterion_of(kind, entry) for entry in listed]
    if "_key" not in [criterion.path for criterion in criteria]:
        criteria.append(Criterion("_key", False))
    return tuple(criteria)


def criterion_of(kind: str, entry: Any) -> Criterion:
    """One criterion as the request gives it."""
    failed = f"[{kind}] failed to parse field [order]"
    if not isinstance(entry, dict) or len(entry) != 1:
        why = query_error("Must specify at least one field for [order]")
        raise x_content_error(failed, why)
    path, direction = next(iter(entry.items()))
    if str(direction).lower() not in ("asc", "desc"):
        raise query_error(f"Unknown order direction [{direction}]")
    return Criterion(path, str(direction).lower() == "desc")


def ordered(buckets: list[Bucket], order: Order, inner: Aggregations, table: Table) -> list[Bucket]:
    """The buckets in order.

    Raises:
        ElasticError: 400 when a path leads to no number.
    """
    found = list(buckets)
    for criterion in reversed(order):
        if criterion.path == "_key":
            found.sort(key=lambda bucket: bucket.key, reverse=criterion.descending)
        elif criterion.path == "_count":
            found.sort(key=lambda bucket: len(bucket.rows), reverse=criterion.descending)
        else:
            found = by_number(found, criterion, inner, table)
    return found


def by_number(buckets: list[Bucket], criterion: Criterion, inner: Aggregations, table: Table) -> list[Bucket]:
    """Buckets ordered by a number inside them; those that have none come last either way."""
    if not buckets:
        # The path is wrong or right whatever was found.
        inner.sort_value(inner.answers([], table), criterion.path, table)
    numbered = [
        (inner.sort_value(bucket.inside(inner, table), criterion.path, table), bucket) for bucket in buckets
    ]
    known = [pair for pair in numbered if not math.isnan(pair[0])]
    known.sort(key=lambda pair: pair[0], reverse=criterion.descending)
    return [pair[1] for pair in known] + [pair[1] for pair in numbered if math.isnan(pair[0])]
