"""Sort orders: what a hit is ordered by, how that is shown, and which hits lie behind a `search_after`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.date_text import date_text
from harness.programs.elastic_lite.language.dates import NS_IN_MS, parse_date_math_ns
from harness.programs.elastic_lite.language.declarations import declare, spelled
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    fielddata_disabled,
    illegal_argument,
    no_doc_values,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import is_text, is_whole
from harness.programs.elastic_lite.mapping.field_types import (
    DATES,
    FLOATS,
    KEYWORDS,
    NUMBERS,
    TEXTS,
    UNSEARCHABLE,
    BadValueError,
    Field,
    ip_text,
    read_ip,
    shortest,
)
from harness.programs.elastic_lite.query.documents import Candidate
from harness.programs.elastic_lite.query.field_values import Reader, reader_of
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
Key = Any
INT_MAX, INT_MIN = 2**31 - 1, -(2**31)
LONG_MAX, LONG_MIN = 2**63 - 1, -(2**63)
PLACES = ("_doc", "_shard_doc")
ONLY_REAL = frozenset(
    {"_score", "_index", "_geo_distance", "_script", "_version", "_ignored", "_routing", "_source"}
)
SEQ_NO = "_seq_no"
OPTIONS = declare(
    "in a sort",
    "order",
    "unmapped_type",
    "format",
    only={"missing": ("_first", "_last"), "mode": ("min", "max")},
    kind="x_content_parse_exception",
    sure={"order": is_text, "unmapped_type": is_text, "format": is_text},
)
UNMAPPED = frozenset({*KEYWORDS, *NUMBERS, *DATES, "boolean", "ip"})


@dataclass(frozen=True, slots=True)
class SortField:
    """One criterion of a sort."""

    name: str
    descending: bool = False
    missing_first: bool = False
    unmapped_type: str | None = None
    shown_format: str | None = None
    by_least: bool | None = None

    @property
    def takes_least(self) -> bool:
        """Whether the least of a document's values counts, not the greatest."""
        return not self.descending if self.by_least is None else self.by_least


def parse_sort(body: Any) -> list[SortField]:
    """A sort as its criteria.

    Raises:
        ElasticError: 400 for an order or an option that does not exist.
    """
    if body is None:
        return []
    listed = body if isinstance(body, list) else [body]
    return [field for entry in listed for field in parse_entry(entry)]


def parse_entry(entry: Any) -> list[SortField]:
    """The criteria of one element of a sort: a name, or names with their options."""
    if isinstance(entry, str):
        return [parse_field(entry, {})]
    if not isinstance(entry, dict):
        raise illegal_argument(
            "malformed sort format, within the sort array, an object, or an actual string are allowed"
        )
    return [parse_field(name, options) for name, options in entry.items()]


def parse_field(name: str, options: Any) -> SortField:
    """One criterion with its options."""
    if isinstance(options, str):
        options = {"order": options}
    if not isinstance(options, dict):
        reason = f"[1:1] [field_sort] Expected START_OBJECT but was: {token(options)}"
        raise ElasticError(400, "x_content_parse_exception", reason)
    OPTIONS.check(options)
    if name in ONLY_REAL:
        raise unsupported(f"a sort by `{name}`")
    order = str(options.get("order", "asc")).lower()
    if order not in ("asc", "desc"):
        raise ElasticError(
            400, "x_content_parse_exception", "[1:1] [field_sort] failed to parse field [order]"
        )
    missing = options.get("missing", "_last")
    if name in (*PLACES, SEQ_NO) and options.keys() - {"order"}:
        raise unsupported(f"options of a sort by `{name}`")
    shown_format, unmapped_type = options.get("format"), options.get("unmapped_type")
    if shown_format is not None:
        date_text(0, str(shown_format))
    if unmapped_type is not None and unmapped_type not in UNMAPPED:
        raise unsupported(f"`unmapped_type` of `{unmapped_type}` in a sort")
    least = options.get("mode")
    return SortField(
        name, order == "desc", missing == "_first", unmapped_type, shown_format, least and least == "min"
    )


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion bound to an index: reads a hit's key, shows it, reads it back from `search_after`."""

    field: SortField
    kind: str
    reader: Reader | None = None

    def key(self, candidate: Candidate, position: int) -> Key:
        """What a hit is compared by; always comparable with another key of the same criterion."""
        if self.field.name in PLACES:
            return position
        if self.field.name == SEQ_NO:
            return candidate.seq_no
        if self.reader is None:
            return self.missing_key()
        values: list[Any] = list(self.reader.read(candidate.source))
        if not values:
            return self.missing_key()
        chosen = min(values) if self.field.takes_least else max(values)
        return (0, chosen) if self.is_text() else chosen

    def is_text(self) -> bool:
        """Whether keys are texts or addresses, whose missing value has no text of its own."""
        return self.kind in KEYWORDS or self.kind in ("ip", "flattened")

    def text_of(self, value: str | bytes) -> str:
        """A text, or an address as a text."""
        return ip_text(value) if isinstance(value, bytes) else value

    def missing_key(self) -> Key:
        """The key of a hit without a value: beyond every other one on the side that the sort says."""
        high = self.field.missing_first == self.field.descending
        if self.is_text():
            return (1 if high else -1, b"" if self.kind == "ip" else "")
        if self.kind in FLOATS:
            return math.inf if high else -math.inf
        if self.kind == "date_nanos" and not high:
            return 0
        if self.kind in ("integer", "short", "byte"):
            return INT_MAX if high else INT_MIN
        return LONG_MAX if high else LONG_MIN

    def shown(self, key: Key) -> Any:
        """A key as it stands in a hit's `sort`."""
        if self.is_text():
            return self.text_of(key[1]) if key[0] == 0 else None
        if isinstance(key, float) and math.isinf(key):
            return "Infinity" if key > 0 else "-Infinity"
        if isinstance(key, bool):
            return int(key)
        if self.field.shown_format is not None:
            if key in (LONG_MAX, LONG_MIN):
                raise unsupported("`format` in a sort by a field that some document does not have")
            return date_text(key, self.field.shown_format)
        return shortest(self.kind, key) if isinstance(key, float) else key

    def read_back(self, value: Any) -> Key:
        """The key that a value of `search_after` means.

        Raises:
            ElasticError: 400 for a value that this criterion cannot show, and for one that is not surely read
                as it is shown.
        """
        if not self.is_text() and not self._is_sure(value):
            raise unsupported(f"`{spelled(value)}` in `search_after` for `{self.field.name}`")
        if value is None:
            return self.missing_key()
        if self.kind == "ip":
            return (0, self._read_ip(str(value)))
        if self.is_text():
            return (0, str(value))
        if isinstance(value, str):
            return self._read_text(value)
        return value

    def _is_sure(self, value: Any) -> bool:
        """Whether it is a number, or a text where a date or a fraction may be one."""
        if self.kind == "boolean":
            return isinstance(value, bool) or is_whole(value)
        if isinstance(value, (int, float)) and self.kind not in FLOATS:
            return not isinstance(value, bool) and LONG_MIN <= value <= LONG_MAX
        return not isinstance(value, bool) and isinstance(value, (int, float, str))

    def _read_ip(self, value: str) -> bytes:
        try:
            return read_ip(value)
        except BadValueError as error:
            raise SearchError(400, "illegal_argument_exception", str(error)) from error

    def _read_text(self, value: str) -> Key:
        if value in ("Infinity", "-Infinity"):
            return math.inf if value == "Infinity" else -math.inf
        if self.kind in DATES:
            date_format = self.field.shown_format or "strict_date_optional_time||epoch_millis"
            found = parse_date_math_ns(value, date_format, 0)
            if found is not None:
                return found // (1 if self.kind == "date_nanos" else NS_IN_MS)
            if not value.lstrip("-").isdecimal() or self.field.shown_format is not None:
                raise unsupported(f"`{value}` in `search_after` for the date `{self.field.name}`")
        try:
            return float(value) if self.kind in FLOATS else int(value)
        except ValueError as error:
            reason = f"Failed to parse search_after value for field [{self.field.name}]."
            raise SearchError(400, "illegal_argument_exception", reason) from error


def bind(fields: Sequence[SortField], index: Index) -> list[Criterion]:
    """A sort's criteria under one index's mapping.

    Raises:
        ElasticError: 400 for a field that is not mapped or cannot be sorted on.
    """
    return [bind_one(field, index) for field in fields]


def bind_one(field: SortField, index: Index) -> Criterion:
    """One criterion under one index's mapping."""
    if field.name in PLACES:
        return Criterion(field, "place")
    if field.name == SEQ_NO:
        return Criterion(field, "long")
    if field.name == "_id":
        raise fielddata_disabled(field.name, index.name)
    known = index.mapping.leaves.get(field.name)
    if known is not None and known.nested:
        raise unsupported(f"a sort by `{field.name}`, which lies in nested objects")
    reader = reader_of(field.name, index)
    if reader is None:
        if field.unmapped_type is None:
            reason = f"No mapping found for [{field.name}] in order to sort on"
            raise SearchError(400, "query_shard_exception", reason, index.name)
        return Criterion(field, field.unmapped_type)
    check_sortable(field, reader.leaf, index)
    return Criterion(field, reader.leaf.kind, reader)


def check_sortable(field: SortField, leaf: Field, index: Index) -> None:
    """Refuse a field whose type keeps nothing to sort by.

    Raises:
        ElasticError: 400.
    """
    if leaf.kind in TEXTS:
        raise fielddata_disabled(field.name, index.name)
    if leaf.kind in UNSEARCHABLE:
        raise unsupported(f"a sort by the field `{field.name}` of type `{leaf.kind}`")
    if not leaf.has_doc_values:
        raise no_doc_values(field.name, leaf.kind, index.name)
    if field.shown_format is not None and leaf.kind != "date":
        raise unsupported(f"`format` in a sort by a field of type `{leaf.kind}`")


def check_alike(bound: Sequence[Sequence[Criterion]]) -> None:
    """Refuse to compare what different indices hold under one name in different ways.

    Raises:
        ElasticError: 400.
    """
    for criteria in zip(*bound, strict=True):
        kinds = {family(it.kind) for it in criteria}
        if len(kinds) > 1:
            raise unsupported(f"a sort by `{criteria[0].field.name}`, which is {' and '.join(sorted(kinds))}")


def family(kind: str) -> str:
    """What two types must have in common to be sorted together."""
    if kind in KEYWORDS or kind == "flattened":
        return "text"
    if kind in FLOATS:
        return "a fraction" if kind != "float" else kind
    return "a whole number" if kind in NUMBERS else kind


def is_after(keys: Sequence[Key], after: Sequence[Key], fields: Sequence[SortField]) -> bool:
    """Whether a hit lies strictly behind the place that `search_after` names."""
    for key, bound, field in zip(keys, after, fields, strict=False):
        if key != bound:
            return bool(key < bound if field.descending else key > bound)
    return False
