"""What a query is compiled for, and what its values mean there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.dates import parse_date_math_ns
from harness.programs.elastic_lite.language.declarations import Declaration
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    query_error,
    unsupported,
)
from harness.programs.elastic_lite.mapping.field_types import (
    DATES,
    NUMBERS,
    TEXTS,
    UNSEARCHABLE,
    BadValueError,
    Field,
    Indexed,
    as_text,
    check_nanos,
    kept_float,
    read_value,
    refuse_odd_date,
)
from harness.programs.elastic_lite.query.field_values import Reader, reader_of
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
DEPTH_MAX = 30
NUMBER = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?")
NUMBER_FORMAT = "epoch_millis"  # what a number means as a date in a query, whatever the field reads
METADATA = frozenset(
    {
        "_data_stream_timestamp", "_doc_count", "_feature", "_field_names", "_ignored", "_ignored_source",
        "_nested_path", "_primary_term", "_routing", "_seq_no", "_size", "_source", "_tier",
        "_ts_routing_hash", "_tsid", "_type", "_version",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query is compiled for."""

    index: Index
    now_ms: int
    depth: int = 0

    def inside(self) -> Scope:
        """The scope of a query inside another.

        Raises:
            ElasticError: 400 when queries are nested deeper than Elasticsearch allows by default.
        """
        if self.depth + 1 >= DEPTH_MAX:
            raise illegal_argument(
                "The nested depth of the query exceeds the maximum nested depth for queries set in "
                "[indices.query.bool.max_nested_depth]"
            )
        return replace(self, depth=self.depth + 1)

    def error(self, why: str, kind: str = "query_shard_exception") -> ElasticError:
        """A 400 for a query that the index's mapping has no answer to."""
        return SearchError(400, kind, why, self.index.name)

    def reader(self, name: str) -> Reader | None:
        """How to read the field that a query asks for; None for one that no document of this index holds.

        Raises:
            ElasticError: 400 for a field that cannot be searched, here or at all.
        """
        refuse_metadata(name)
        reader = reader_of(name, self.index)
        if reader is None:
            return None
        leaf = reader.leaf
        if leaf.kind in UNSEARCHABLE:
            raise unsupported(f"a query on the field `{name}` of type `{leaf.kind}`")
        if not leaf.indexed and not leaf.has_doc_values:
            rest = "" if leaf.kind in TEXTS else " nor has doc values"
            raise self.error(
                f"failed to create query: Cannot search on field [{name}] since it is not indexed{rest}."
            )
        return reader


def refuse_metadata(name: str) -> None:
    """Refuse to search what the server itself notes about a document, other than `_id` and `_index`.

    Raises:
        ElasticError: 400.
    """
    if name in METADATA:
        raise unsupported(f"a query on `{name}`")


def one_field(declaration: Declaration, kind: str, body: Json) -> tuple[str, Any]:
    """The single field of a query and what is asked of it; what stands beside it must be declared.

    Raises:
        ElasticError: 400.
    """
    fields = [name for name in body if name not in ("boost", "_name")]
    declaration.check({name: value for name, value in body.items() if name in ("boost", "_name")})
    if len(fields) > 1:
        raise query_error(
            f"[{kind}] query doesn't support multiple fields, found [{fields[0]}] and [{fields[1]}]"
        )
    if not fields:
        raise illegal_argument("fieldName must not be null or empty")
    asked = body[fields[0]]
    if isinstance(asked, dict):
        declaration.check(asked)
    return fields[0], asked


def plain(value: Any) -> Any:
    """A value that is asked for.

    Raises:
        ElasticError: 400 for a list or an object, of which Elasticsearch takes some.
    """
    if isinstance(value, (dict, list)):
        raise unsupported(f"a [{token(value)}] in the place of a value in a query", "parsing_exception")
    return value


def flag_of(body: Any, name: str, default: bool) -> bool:
    """A boolean option of a query.

    Raises:
        ElasticError: 400 for anything else.
    """
    value = body.get(name, default) if isinstance(body, dict) else default
    if value not in (True, False, "true", "false"):
        raise illegal_argument(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")
    return value in (True, "true")


def asked_value(leaf: Field, value: Any, scope: Scope) -> Indexed | None:
    """A value in a query as the index would hold it; None for a number that no document can hold.

    Raises:
        ElasticError: 400 when the field's type cannot hold it.
    """
    value = plain(value)
    if leaf.kind == "boolean" and value not in (True, False, "true", "false"):
        raise scope.error(f"failed to create query: Can't parse boolean value [{value}]")
    if leaf.kind in ("flattened", "keyword", "constant_keyword", "wildcard") or leaf.kind in TEXTS:
        return as_text(value)
    try:
        if leaf.kind in NUMBERS:
            return asked_number(leaf, value)
        return read_value(leaf, value)
    except BadValueError as error:
        raise scope.error(f"failed to create query: {error}") from error


def asked_number(leaf: Field, value: Any) -> int | float:
    """A number in a query, which may be one that the field's type cannot hold.

    Raises:
        BadValueError: It is no number.
    """
    if isinstance(value, bool):
        raise BadValueError(f'For input string: "{as_text(value)}"')
    number: int | float = spelled_number(leaf, value) if isinstance(value, str) else value
    if not math.isfinite(number):
        raise unsupported(f"the number `{number}` in a query on the field `{leaf.path}`")
    if leaf.kind in ("float", "half_float", "scaled_float", "double"):
        try:
            return kept_float(leaf, float(number))
        except (BadValueError, OverflowError) as error:
            raise unsupported(f"the number `{number}` in a query on a field of type `{leaf.kind}`") from error
    return number


def spelled_number(leaf: Field, text: str) -> int | float:
    """A number that a query spells as a text.

    Raises:
        BadValueError: It is none.
        ElasticError: 400 for spellings that each type and query of Elasticsearch takes in its own way.
    """
    if NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text.isalpha() and text.isascii() and text not in ("NaN", "Infinity"):
        raise BadValueError(f'For input string: "{text}"')
    raise unsupported(f"the number `{text}` in a query on the field `{leaf.path}`")


def date_bound(leaf: Field, value: Any, scope: Scope, round_up: bool) -> int:
    """A date in a query as the index would hold it.

    Raises:
        ElasticError: 400 when it cannot be read.
    """
    value = plain(value)
    if isinstance(value, float):
        raise unsupported(f"the fraction `{value}` as a date in a query")
    if isinstance(value, bool):
        raise scope.error(f"failed to parse date field [{as_text(value)}]", "parse_exception")
    date_format = leaf.date_format if isinstance(value, str) else NUMBER_FORMAT
    found = parse_date_math_ns(value, date_format, scope.now_ms, round_up)
    if found is None:
        refuse_real_date(str(value), date_format)
        why = f"failed to parse date field [{value}] with format [{leaf.date_format}]"
        raise scope.error(why, "parse_exception")
    if leaf.kind == "date_nanos":
        try:
            check_nanos(found)
        except BadValueError as error:
            raise scope.error(str(error), "illegal_argument_exception") from error
    return found // leaf.unit_ns


def refuse_real_date(text: str, date_format: str) -> None:
    """Refuse what could not be read here and may be a date to Elasticsearch.

    Raises:
        ElasticError: 400 that names it.
    """
    if is_named_zone(text):
        raise unsupported(f"the time zone in the date `{text}`")
    refuse_odd_date(text.partition("||")[0], date_format)


def is_named_zone(text: str) -> bool:
    """Whether a date names its time zone, such as `Europe/Paris`."""
    rest = text.partition("T")[2]
    return bool(rest) and any(
        character.isalpha() and character not in "TZ" for character in rest.partition("||")[0]
    )


def is_date(leaf: Field) -> bool:
    """Whether a field holds dates."""
    return leaf.kind in DATES
