"""Aggregations into buckets that the request itself lists: filter, filters, missing, range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.aggregations.columns import QueryColumn, Row, Table, x_content_error
from harness.programs.elastic_lite.aggregations.tree import (
    Aggregation,
    Aggregations,
    Definition,
    NoOrderError,
)
from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import (
    SearchError,
    illegal_argument,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import OF_AGGREGATIONS
from harness.programs.elastic_lite.mapping.field_types import DATES
from harness.programs.elastic_lite.query.clauses import check_query

Json = dict[str, Any]
OTHER = "_other_"
SPAN = declare(
    "in a range of a [range] aggregation",
    "from",
    "to",
    "key",
    kind="x_content_parse_exception",
    sure=OF_AGGREGATIONS,
)
PLAIN_MIN, PLAIN_MAX = 1e-3, 1e7  # outside of these Java writes a double with an exponent


def counted(rows: list[Row], inner: Aggregations, table: Table) -> Json:
    """How many documents, and the answers inside."""
    table.spend(1)
    return {"doc_count": len(rows), **inner.answers(rows, table)}


@dataclass(frozen=True, slots=True)
class OneBucket:
    """filter or missing: one bucket of the documents whose column says so."""

    kind: str
    column: int
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return self.kind

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The bucket; `missing` takes documents without a value, `filter` those that match."""
        wanted = self.kind == "filter"
        return counted([row for row in rows if bool(row[self.column]) is wanted], self.inner, table)

    def sort_value(self, answer: Json, key: str) -> float:
        """How many documents it holds."""
        if key not in ("", "_count", "doc_count"):
            raise unsupported(f"an order by `{key}` of a [{self.kind}] aggregation")
        return float(answer["doc_count"])


@dataclass(frozen=True, slots=True)
class Filters:
    """A bucket for each of several queries, and one for the rest where it is asked for."""

    names: tuple[str, ...]
    columns: tuple[int, ...]
    named: bool
    keyed: bool
    other: str | None
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return "filters"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The buckets by name or in a list."""
        groups = {
            name: [row for row in rows if row[column]]
            for name, column in zip(self.names, self.columns, strict=True)
        }
        if self.other is not None:
            groups[self.other] = [row for row in rows if not any(row[column] for column in self.columns)]
        buckets = {name: counted(members, self.inner, table) for name, members in groups.items()}
        if self.named and self.keyed:
            return {"buckets": buckets}
        return {
            "buckets": [{"key": name, **bucket} if self.named else bucket for name, bucket in buckets.items()]
        }

    def sort_value(self, answer: Json, key: str) -> float:
        """Nothing: it has several buckets."""
        raise NoOrderError("Can't sort a [filters] aggregation")


@dataclass(frozen=True, slots=True)
class Span:
    """One range as asked: its bounds as given, and the key it was named by."""

    low: Any
    high: Any
    key: str | None


@dataclass(frozen=True, slots=True)
class Range:
    """A bucket for each span of a field's values; the lower bound is in it, the upper one not."""

    name: str
    column: int
    spans: tuple[Span, ...]
    keyed: bool
    inner: Aggregations

    def type_name(self, table: Table) -> str:
        """The type itself."""
        return "range"

    def answer(self, rows: list[Row], table: Table) -> Json:
        """The buckets in the order of their bounds."""
        bounds = sorted(
            ((bound(span.low, -math.inf), bound(span.high, math.inf), span) for span in self.spans),
            key=lambda entry: entry[:2],
        )
        found = [self.bucket(low, high, span, rows, table) for low, high, span in bounds]
        if self.keyed:
            return {"buckets": dict(found)}
        return {"buckets": [{"key": key, **bucket} for key, bucket in found]}

    def bucket(self, low: float, high: float, span: Span, rows: list[Row], table: Table) -> tuple[str, Json]:
        """One bucket and its key."""
        out: Json = {}
        texts = []
        for name, value in (("from", low), ("to", high)):
            if math.isinf(value):
                texts.append("*")
                continue
            out[name] = value
            leaf = table.leaves[self.column]
            shown = table.shown(self.column, value) if leaf is not None and leaf.kind in DATES else None
            texts.append(java_double(value) if shown is None else shown)
            if shown is not None:
                out[f"{name}_as_string"] = shown
        members = [row for row in rows if any(low <= value < high for value in row[self.column])]
        key = span.key if span.key is not None else "-".join(texts)
        return key, out | counted(members, self.inner, table)

    def sort_value(self, answer: Json, key: str) -> float:
        """Nothing: it has several buckets."""
        raise NoOrderError("Can't sort a [range] aggregation")


def bound(value: Any, unbounded: float) -> float:
    """A bound as a number.

    Raises:
        ElasticError: 400 for a text that is none.
    """
    if value is None:
        return unbounded
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise SearchError(400, "number_format_exception", f'For input string: "{value}"') from error
    if math.isnan(number):
        raise SearchError(400, "number_format_exception", f'For input string: "{value}"')
    return number


def java_double(value: float) -> str:
    """A number as Java's `Double.toString` writes it."""
    if value == 0 or PLAIN_MIN <= abs(value) < PLAIN_MAX:
        return repr(float(value))
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        digits, _, exponent = f"{value:.17e}".partition("e")
        shortest = repr(float(value)).replace(".", "").strip("-0")
        digits = f"{'-' if value < 0 else ''}{shortest[0]}.{shortest[1:] or '0'}"
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def build_filter(definition: Definition) -> Aggregation:
    """A filter, whose whole body is a query."""
    check_query(definition.body)
    return OneBucket("filter", definition.add(QueryColumn(definition.body)), definition.inner)


def build_missing(definition: Definition) -> Aggregation:
    """The documents without a value of a field."""
    return OneBucket("missing", definition.field_column(numeric=False), definition.inner)


def build_filters(definition: Definition) -> Aggregation:
    """Several filters, named or not.

    Raises:
        ElasticError: 400 for none of them, or an unknown parameter.
    """
    given = definition.body.get("filters")
    if not isinstance(given, (dict, list)) or not given:
        raise illegal_argument("[filters] cannot be empty.")
    named = isinstance(given, dict)
    pairs = (
        sorted(given.items()) if isinstance(given, dict) else [(str(at), it) for at, it in enumerate(given)]
    )
    for _, query in pairs:
        check_query(query)
    wants_other = definition.flag("other_bucket", default="other_bucket_key" in definition.body)
    other = str(definition.body.get("other_bucket_key", OTHER)) if wants_other else None
    return Filters(
        tuple(name for name, _ in pairs), tuple(definition.add(QueryColumn(query)) for _, query in pairs),
        named, definition.flag("keyed", default=True), other, definition.inner,
    )  # fmt: skip


def build_range(definition: Definition) -> Aggregation:
    """Spans of a field.

    Raises:
        ElasticError: 400 for an unknown parameter, or a bound that is no number; unsupported without spans.
    """
    column = definition.field_column(numeric=True)
    given = definition.body.get("ranges")
    if not given or not isinstance(given, list):
        # A shard finds fault with it, so that where none is asked it is none.
        raise unsupported("a [range] aggregation without a list of `ranges`")
    spans = tuple(span_of(entry) for entry in given)
    return Range(definition.name, column, spans, definition.flag("keyed"), definition.inner)


def span_of(entry: Any) -> Span:
    """One span as the request gives it."""
    if not isinstance(entry, dict):
        raise x_content_error(f"[range] ranges doesn't support values of type: {token(entry)}")
    SPAN.check(entry)
    for key, value in entry.items():
        if isinstance(value, (dict, list, bool)):
            raise x_content_error(f"[range] {key} doesn't support values of type: {token(value)}")
    key = entry.get("key")
    return Span(entry.get("from"), entry.get("to"), None if key is None else str(key))
