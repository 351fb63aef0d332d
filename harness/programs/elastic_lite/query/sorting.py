"""Sort orders: what a hit is ordered by, how that is shown, and which hits lie behind a `search_after`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.dates import EPOCH, parse_date_math
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    fielddata_disabled,
    illegal_argument,
)
from harness.programs.elastic_lite.mapping.field_types import DATES, FLOATS, KEYWORDS, TEXTS
from harness.programs.elastic_lite.query.clauses import Candidate
from harness.programs.elastic_lite.query.field_values import Reader, reader_of
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
Key = Any
LONG_MAX, LONG_MIN = 2**63 - 1, -(2**63)
PLACES = ("_doc", "_shard_doc")
OPTIONS = frozenset({"order", "missing", "mode", "unmapped_type", "format", "numeric_type", "nested"})


@dataclass(frozen=True, slots=True)
class SortField:
    """One criterion of a sort."""

    name: str
    descending: bool = False
    missing_first: bool = False
    unmapped_type: str | None = None
    shown_format: str | None = None


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
        return [SortField(entry, descending=entry == "_score")]
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
    for key in options:
        if key not in OPTIONS:
            raise ElasticError(400, "x_content_parse_exception", f"[1:1] [field_sort] unknown field [{key}]")
    order = str(options.get("order", "desc" if name == "_score" else "asc")).lower()
    if order not in ("asc", "desc"):
        raise ElasticError(
            400, "x_content_parse_exception", "[1:1] [field_sort] failed to parse field [order]"
        )
    missing = options.get("missing", "_last")
    if missing not in ("_first", "_last"):
        raise illegal_argument(f"elastic_lite sorts missing values _first or _last, not as [{missing}]")
    return SortField(
        name, order == "desc", missing == "_first", options.get("unmapped_type"), options.get("format")
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
        if self.field.name == "_score":
            return 1.0
        if self.reader is None:
            return self.missing_key()
        values: list[Any] = list(self.reader.read(candidate.source))
        if not values:
            return self.missing_key()
        chosen = max(values) if self.field.descending else min(values)
        return (0, chosen) if self.is_text() else chosen

    def is_text(self) -> bool:
        """Whether keys are texts, whose missing value has no text of its own."""
        return self.kind in KEYWORDS or self.kind in ("ip", "flattened")

    def missing_key(self) -> Key:
        """The key of a hit without a value: beyond every other one on the side that the sort says."""
        high = self.field.missing_first == self.field.descending
        if self.is_text():
            return (1 if high else -1, "")
        if self.kind in FLOATS:
            return math.inf if high else -math.inf
        return LONG_MAX if high else LONG_MIN

    def shown(self, key: Key) -> Any:
        """A key as it stands in a hit's `sort`."""
        if self.is_text():
            return key[1] if key[0] == 0 else None
        if isinstance(key, float) and math.isinf(key):
            return "Infinity" if key > 0 else "-Infinity"
        if isinstance(key, bool):
            return int(key)
        if self.kind in DATES and self.field.shown_format and key not in (LONG_MAX, LONG_MIN):
            moment = EPOCH + timedelta(milliseconds=key)
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return key

    def read_back(self, value: Any) -> Key:
        """The key that a value of `search_after` means.

        Raises:
            ElasticError: 400 for a value that this criterion cannot show.
        """
        if value is None:
            return self.missing_key()
        if self.is_text():
            return (0, str(value))
        if isinstance(value, str):
            return self._read_text(value)
        return value

    def _read_text(self, value: str) -> Key:
        if value in ("Infinity", "-Infinity"):
            return math.inf if value == "Infinity" else -math.inf
        if self.kind in DATES:
            found = parse_date_math(value, "strict_date_optional_time||epoch_millis", 0)
            if found is not None:
                return found
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
    if field.name in PLACES or field.name == "_score":
        return Criterion(field, "place")
    if field.name == "_id":
        raise fielddata_disabled(field.name, index.name)
    reader = reader_of(field.name, index)
    if reader is None:
        if field.unmapped_type is None:
            reason = f"No mapping found for [{field.name}] in order to sort on"
            raise SearchError(400, "query_shard_exception", reason, index.name)
        return Criterion(field, field.unmapped_type)
    if reader.leaf.kind in TEXTS:
        raise fielddata_disabled(field.name, index.name)
    return Criterion(field, reader.leaf.kind, reader)


def is_after(keys: Sequence[Key], after: Sequence[Key], fields: Sequence[SortField]) -> bool:
    """Whether a hit lies strictly behind the place that `search_after` names."""
    for key, bound, field in zip(keys, after, fields, strict=False):
        if key != bound:
            return bool(key < bound if field.descending else key > bound)
    return False
