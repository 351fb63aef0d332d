"""The terms aggregation: a bucket for each value of a field, the largest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.aggregations.bucket_order import Bucket, Order, ordered, parse_order
from harness.programs.elastic_lite.aggregations.columns import Row, Table, family, key_of
from harness.programs.elastic_lite.aggregations.tree import (
    Aggregation,
    Aggregations,
    Definition,
    NoOrderError,
)
from harness.programs.elastic_lite.language.errors import unsupported

Json = dict[str, Any]
SIZE = 10
NUMBER_FORMS = {"float": r"-?[0-9]+(\.[0-9]+)?", "number": r"-?[0-9]+"}
"""How terms of numbers may be asked for, by family."""
TYPES = {"float": "dterms", "number": "lterms", "boolean": "lterms", "date": "lterms"}


@dataclass(frozen=True, slots=True)
class Terms:
    """One terms aggregation; None in `include` takes every value."""

    column: int
    size: int
    shard_size: int
    least: int
    order: Order
    include: frozenset[str] | None
    exclude: frozenset[str]
    with_error: bool
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type with that of its terms."""
        leaf = table.leaves[self.column]
        return "sterms" if leaf is None else TYPES.get(family(leaf), "sterms")

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The first buckets of the order, and how many documents the others hold."""
        self.refuse_words(table)
        found = ordered(self.grouped(rows, table), self.order, self.inner, table)
        if table.shards > 1 and len(found) >= self.shard_size and self.order[0].path != "_key":
            raise unsupported(
                f"a [terms] aggregation of {len(found)} terms over {table.shards} shards, each of which "
                f"would tell its first {self.shard_size}: give a greater [shard_size], or order by `_key`"
            )
        kept = found[: self.size]
        table.spend(len(kept))
        return {
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": sum(len(bucket.rows) for bucket in found[self.size :]),
            "buckets": [self.bucket_as_json(bucket, table) for bucket in kept],
        }

    def refuse_words(self, table: Table) -> None:
        """Refuse a word among the numbers asked for, which Elasticsearch reads in several ways."""
        leaf = table.leaves[self.column]
        if leaf is None or family(leaf) not in NUMBER_FORMS:
            return
        for text in sorted((self.include or frozenset()) | self.exclude):
            if not re.fullmatch(NUMBER_FORMS[family(leaf)], text):
                raise unsupported(f"`{text}` in [include] or [exclude] of a [terms] aggregation of numbers")

    def grouped(self, rows: list[Row], table: Table) -> list[Bucket]:
        """A bucket for each value; a document counts once in each, however often it has the value."""
        groups: dict[Any, list[Row]] = {}
        for row in rows:
            for value in dict.fromkeys(row[self.column]):
                groups.setdefault(value, []).append(row)
        return [
            Bucket(value, members)
            for value, members in groups.items()
            if len(members) >= self.least and self.takes(value, table)
        ]

    def takes(self, value: Any, table: Table) -> bool:
        """Whether a value is among those asked for."""
        if self.include is None and not self.exclude:
            return True
        text = self.text_of(value, table)
        return (self.include is None or text in self.include) and text not in self.exclude

    def text_of(self, value: Any, table: Table) -> str:
        """A value as `include` and `exclude` name it."""
        shown = table.shown(self.column, value) if isinstance(value, (int, float)) else None
        return str(key_of(table.leaves[self.column], value)) if shown is None else shown

    def bucket_as_json(self, bucket: Bucket, table: Table) -> Json:
        """One bucket of the answer."""
        out: Json = {"key": key_of(table.leaves[self.column], bucket.key)}
        if not isinstance(bucket.key, str) and (shown := table.shown(self.column, bucket.key)) is not None:
            out["key_as_string"] = shown
        out["doc_count"] = len(bucket.rows)
        if self.with_error:
            out["doc_count_error_upper_bound"] = 0
        return out | bucket.inside(self.inner, table)

    def sort_value(self, answer: Json, key: str) -> float:
        """Nothing: buckets have no order by many numbers."""
        raise NoOrderError("Can't sort a [terms] aggregation")


def build_terms(definition: Definition) -> Aggregation:
    """A terms aggregation.

    Raises:
        ElasticError: 400 for a parameter that does not exist, is out of its range, or is not supported here.
    """
    size = definition.integer("size", SIZE, 1)
    of_shard = definition.integer("shard_size", size * 3 // 2 + 10, 1, "shardSize")
    least = definition.integer("min_doc_count", 1, 0)
    if least == 0:
        raise unsupported("[min_doc_count] of 0 in a [terms] aggregation")
    return Terms(
        definition.field_column(numeric=False),
        size,
        max(size, of_shard),
        least,
        parse_order("terms", definition.body.get("order", {"_count": "desc"})),
        texts_of(definition, "include"),
        texts_of(definition, "exclude") or frozenset(),
        definition.flag("show_term_doc_count_error"),
        definition.inner,
    )


def texts_of(definition: Definition, key: str) -> frozenset[str] | None:
    """The exact values of `include` or `exclude`; None when it is not given.

    Raises:
        ElasticError: 400 for a regular expression or a partition, which this server does not have.
    """
    value = definition.body.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise unsupported(f"[{key}] in a [terms] aggregation except as a list of values")
    return frozenset(str(it).lower() if isinstance(it, bool) else str(it) for it in value)
