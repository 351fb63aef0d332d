"""What aggregations read of each document: one row a document, one column a field or a query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.programs.elastic_lite.language.date_text import date_text
from harness.programs.elastic_lite.language.dates import NS_IN_MS, parse_date_math_ns
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    ReduceError,
    SearchError,
    fielddata_disabled,
    no_doc_values,
    unsupported,
)
from harness.programs.elastic_lite.mapping.field_types import (
    DATES,
    FLOATS,
    NUMBERS,
    TEXTS,
    UNSEARCHABLE,
    BadValueError,
    Field,
    ip_text,
    read_value,
)
from harness.programs.elastic_lite.query.clauses import compile_query
from harness.programs.elastic_lite.query.documents import Candidate, Matcher
from harness.programs.elastic_lite.query.field_values import reader_of
from harness.programs.elastic_lite.query.scope import Scope, refuse_metadata

Json = dict[str, Any]
Row = tuple[Any, ...]
Cell = Callable[[Candidate], Any]
NUMERIC = NUMBERS | DATES | {"boolean"}
BUCKETS_MAX = 65_536  # Elasticsearch's default of search.max_buckets


class Column(Protocol):
    """One thing that some aggregation asks of every document."""

    def bind(self, scope: Scope) -> tuple[Cell, Field | None]:
        """How to read it under one index's mapping, and the field that holds it there, if any.

        Raises:
            ElasticError: 400 when the mapping has no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueryColumn:
    """Whether a document matches a query."""

    query: Any

    def bind(self, scope: Scope) -> tuple[Cell, Field | None]:
        """The query as a test."""
        matcher: Matcher = compile_query(self.query, scope)
        return matcher, None


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """The values of a field: sorted, each term of a text once, numbers as often as they stand there.

    Args:
        name: The field.
        aggregation: The type of the aggregation that asks, for its errors.
        numeric: Whether it asks for numbers, dates or booleans only.
        missing: What a document without a value counts as; None leaves it out.
    """

    name: str
    aggregation: str
    numeric: bool
    missing: Any = None

    def bind(self, scope: Scope) -> tuple[Cell, Field | None]:
        """How to read the field; one that the mapping does not have has no values."""
        noted = self.noted(scope)
        if noted is not None:
            return noted
        reader = reader_of(self.name, scope.index)
        known = scope.index.mapping.leaves.get(self.name)
        if known is not None:
            self.check(known, scope)
        if reader is None:
            filling = () if self.missing is None else (self.filling(),)
            return lambda _: filling, None
        leaf = reader.leaf
        self.check(leaf, scope)
        if self.aggregation == "cardinality" and reader.key is not None:
            raise unsupported(f"a [cardinality] aggregation of a key of a flattened field, as `{self.name}`")
        default = self.default(leaf, scope)
        stored = STORED.get(leaf.kind)

        def cell(candidate: Candidate) -> tuple[Any, ...]:
            values: Any = reader.read(candidate.source)
            if stored is not None:
                values = (stored(leaf, value) for value in values)
            return tuple(sorted(values if leaf.kind in NUMERIC else set(values))) or default

        return cell, leaf

    def noted(self, scope: Scope) -> tuple[Cell, Field | None] | None:
        """How to read what the server itself notes about a document; None where the field is the document's.

        Raises:
            ElasticError: 400 for what is not read here.
        """
        if self.name == "_index":
            name, leaf = scope.index.name, Field("_index", "keyword")
            self.check(leaf, scope)
            return lambda _: (name,), leaf
        if self.name == "_seq_no" and self.aggregation == "max":
            return lambda candidate: (candidate.seq_no,), None
        refuse_metadata(self.name)
        if self.name == "_id":
            raise fielddata_disabled(self.name, scope.index.name)
        return None

    def check(self, leaf: Field, scope: Scope) -> None:
        """Refuse a field whose type keeps no values to aggregate, or none of the kind asked for."""
        if leaf.kind in TEXTS:
            raise fielddata_disabled(self.name, scope.index.name)
        if leaf.kind in UNSEARCHABLE:
            raise unsupported(f"an aggregation on the field `{self.name}` of type `{leaf.kind}`")
        if not leaf.has_doc_values:
            raise no_doc_values(self.name, leaf.kind, scope.index.name)
        if self.aggregation == "range" and leaf.kind == "boolean":
            raise unsupported(f"a [range] aggregation of the boolean field `{self.name}`")
        if self.numeric and leaf.kind not in NUMERIC:
            reason = (
                f"Field [{self.name}] of type [{leaf.kind}] is not supported for aggregation "
                f"[{self.aggregation}]"
            )
            raise SearchError(400, "illegal_argument_exception", reason, scope.index.name)

    def default(self, leaf: Field, scope: Scope) -> tuple[Any, ...]:
        """The values of a document that has none.

        Raises:
            ElasticError: 400 for one that Elasticsearch reads in another way than a document's own: it takes
                a fraction for a whole number there, 5 for true, and no empty text.
        """
        if self.missing is None:
            return ()
        if leaf.kind in DATES and not isinstance(self.missing, float):
            found = parse_date_math_ns(self.missing, leaf.date_format, scope.now_ms)
            if found is None:
                reason = f"failed to parse date field [{self.missing}] with format [{leaf.date_format}]"
                raise SearchError(400, "parse_exception", reason, scope.index.name)
            return (found // NS_IN_MS,)
        if leaf.kind == "flattened" or self.missing == "" or is_cut(leaf, self.missing):
            raise self.unreadable()
        try:
            value = read_value(leaf, self.missing)
        except BadValueError as error:
            raise self.unreadable() from error
        if value is None:
            raise self.unreadable()
        return (value,)

    def filling(self) -> Any:
        """The value of every document of an index that does not have the field.

        Raises:
            ElasticError: 400 where it does not make clear of which type that is.
        """
        is_number = isinstance(self.missing, (int, float)) and not isinstance(self.missing, bool)
        fits = is_number if self.numeric else isinstance(self.missing, str)
        if not fits or self.aggregation == "date_histogram":
            raise self.unreadable()
        return self.missing

    def unreadable(self) -> ElasticError:
        """A refusal of the value for documents without one."""
        return unsupported(
            f"`missing` of `{self.missing}` in a [{self.aggregation}] aggregation of `{self.name}`"
        )


def is_cut(leaf: Field, value: Any) -> bool:
    """Whether a value is a fraction, or a text of one, that the field would keep a part of."""
    if leaf.kind not in NUMERIC - FLOATS - {"boolean"}:
        return False
    return isinstance(value, float) or (isinstance(value, str) and not value.lstrip("-").isdigit())


STORED: dict[str, Callable[[Field, Any], Any]] = {
    "date_nanos": lambda _, value: value // NS_IN_MS,
}
"""What a type's values are in aggregations, where they are not what queries compare."""


@dataclass(slots=True)
class Table:
    """Every matching document's row, and which field each column turned out to be.

    Args:
        columns: What is read of each document.
        typed: Whether the answer names each aggregation's type before its name.
        shards: Over how many shards Elasticsearch would have the documents.
    """

    columns: list[Column]
    typed: bool = False
    rows: list[Row] = field(default_factory=list)
    leaves: list[Field | None] = field(init=False)
    buckets_left: int = BUCKETS_MAX
    shards: int = 1

    def __post_init__(self) -> None:
        self.leaves = [None] * len(self.columns)

    def bind(self, scope: Scope) -> list[Cell]:
        """How to read the columns under one more index's mapping.

        Raises:
            ElasticError: 400 for a field that cannot be aggregated, alone or with the indices before it.
        """
        cells = []
        for at, column in enumerate(self.columns):
            cell, leaf = column.bind(scope)
            known = self.leaves[at]
            if leaf is not None and known is not None and family(leaf) != family(known):
                raise unsupported(
                    f"[{leaf.path}] as [{known.kind}] in one index and [{leaf.kind}] in another"
                )
            self.leaves[at] = known or leaf
            cells.append(cell)
        return cells

    def add(self, cells: list[Cell], candidate: Candidate) -> None:
        """Read one document."""
        self.rows.append(tuple(cell(candidate) for cell in cells))

    def spend(self, buckets: int) -> None:
        """Account for buckets of the answer.

        Raises:
            ElasticError: 400 when there are more than a search may have.
        """
        self.buckets_left -= buckets
        if self.buckets_left < 0:
            reason = (
                f"Trying to create too many buckets. Must be less than or equal to: [{BUCKETS_MAX}] but this "
                "number of buckets was exceeded. This limit can be set by changing the [search.max_buckets] "
                "cluster level setting."
            )
            raise ReduceError("too_many_buckets_exception", reason, {"max_buckets": BUCKETS_MAX})

    def values(self, column: int, rows: list[Row]) -> list[Any]:
        """All values of a column."""
        return [value for row in rows for value in row[column]]

    def shown(self, column: int, value: float) -> str | None:
        """A number as the column's field spells it; None where the number itself is the spelling."""
        leaf = self.leaves[column]
        if leaf is None or leaf.kind not in NUMERIC:
            return None
        if leaf.kind == "boolean":
            return "true" if value else "false"
        return date_text(int(value), leaf.date_format) if leaf.kind in DATES else None


def family(leaf: Field) -> str:
    """What the values of two fields must have in common to be aggregated together."""
    for name, kinds in (("date", DATES), ("float", FLOATS), ("number", NUMBERS), ("boolean", {"boolean"})):
        if leaf.kind in kinds:
            return name
    return "ip" if leaf.kind == "ip" else "text"


def key_of(leaf: Field | None, value: Any) -> Any:
    """A term as a bucket's key shows it."""
    if isinstance(value, bytes):
        return ip_text(value)
    return int(value) if isinstance(value, bool) else value


def x_content_error(reason: str, cause: ElasticError | None = None) -> ElasticError:
    """A 400 for a part of an aggregation that is not what the parser expects there."""
    told = None if cause is None else cause.as_cause()
    return ElasticError(400, "x_content_parse_exception", f"[1:1] {reason}", cause=told)
