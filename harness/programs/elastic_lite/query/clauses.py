"""Queries: from the query language to a test of one document under one index's mapping.

A field that the mapping does not declare matches nothing, as in Elasticsearch. Scores are not computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.programs.elastic_lite.language.bulk_body import token
from harness.programs.elastic_lite.language.dates import FORMATS, parse_date_math
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    query_error,
    unsupported,
)
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.mapping.field_types import (
    DATES,
    NUMBERS,
    TEXTS,
    BadValueError,
    Field,
    Indexed,
    as_text,
    read_value,
)
from harness.programs.elastic_lite.query.field_values import reader_of, words
from harness.programs.elastic_lite.storage.catalog import Index
from harness.programs.elastic_lite.storage.documents import parse_stored

Json = dict[str, Any]
DEPTH_MAX = 30
RANGE_BOUNDS = frozenset({"gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper"})
RANGE_OPTIONS = frozenset({"format", "time_zone", "boost", "relation", "_name"})
BOOL_KEYS = frozenset({"must", "filter", "should", "must_not", "minimum_should_match", "boost", "_name"})


class Candidate:
    """One stored document that a query looks at; its source is parsed when first asked for."""

    __slots__ = ("id", "parsed", "raw")

    def __init__(self, document_id: str, raw: bytes) -> None:
        self.id = document_id
        self.raw = raw
        self.parsed: Json | None = None

    @property
    def source(self) -> Json:
        """The document's object."""
        if self.parsed is None:
            self.parsed = parse_stored(self.raw)
        return self.parsed


Matcher = Callable[[Candidate], bool]


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


def everything(_: Candidate) -> bool:
    """The matcher of match_all, recognised by identity where nothing needs to be read."""
    return True


def nothing(_: Candidate) -> bool:
    """The matcher of match_none."""
    return False


def compile_query(query: Any, scope: Scope) -> Matcher:
    """A test for documents of one index.

    Args:
        query: The query as JSON.
        scope: The index whose mapping says what fields hold, and the time that `now` means.

    Raises:
        ElasticError: 400 for a query that does not exist or is malformed.
    """
    kind, body = check_query(query)
    return BUILDERS[kind](body, scope)


def check_query(query: Any) -> tuple[str, Json]:
    """A query's type and what it asks; what is inside it is not looked at.

    Raises:
        ElasticError: 400 for a query that does not exist or is malformed.
    """
    if not isinstance(query, dict):
        raise query_error("[_na] query malformed, must start with start_object")
    if not query:
        raise illegal_argument("query malformed, empty clause found at [1:1]")
    if len(query) > 1:
        raise query_error(
            f"[{next(iter(query))}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )
    kind, body = next(iter(query.items()))
    if not isinstance(body, dict):
        raise query_error(f"[{kind}] query malformed, no start_object after query name")
    if kind not in BUILDERS:
        raise query_error(f"unknown query [{kind}]")
    return kind, body


def one_field(kind: str, body: Json) -> tuple[str, Any]:
    """The single field of a query and what is asked of it."""
    fields = [name for name in body if name not in ("boost", "_name")]
    if len(fields) > 1:
        raise query_error(
            f"[{kind}] query doesn't support multiple fields, found [{fields[0]}] and [{fields[1]}]"
        )
    if not fields:
        raise illegal_argument("fieldName must not be null or empty")
    return fields[0], body[fields[0]]


def _build_match_all(body: Json, scope: Scope) -> Matcher:
    return everything


def _build_match_none(body: Json, scope: Scope) -> Matcher:
    return nothing


def _build_ids(body: Json, scope: Scope) -> Matcher:
    values = body.get("values")
    if not isinstance(values, list):
        raise query_error("[ids] requires values to be specified")
    wanted = {as_text(plain(value)) for value in values}
    return lambda candidate: candidate.id in wanted


def _build_term(body: Json, scope: Scope) -> Matcher:
    name, asked = one_field("term", body)
    if isinstance(asked, dict):
        asked = asked.get("value")
    if asked is None or isinstance(asked, list):
        raise query_error(f"[term] query does not support [{name}]" if asked else "value cannot be null")
    return equals_any(name, [asked], scope)


def _build_terms(body: Json, scope: Scope) -> Matcher:
    name, asked = one_field("terms", body)
    if not isinstance(asked, list):
        raise query_error(f"[terms] query does not support [{name}]")
    return equals_any(name, asked, scope)


def equals_any(name: str, asked: list[Any], scope: Scope) -> Matcher:
    """A matcher for documents with one of some exact values in a field."""
    if name == "_id":
        return _build_ids({"values": asked}, scope)
    if name == "_index":
        return everything if any(matches(str(value), scope.index.name) for value in asked) else nothing
    reader = reader_of(name, scope.index)
    if reader is None:
        return nothing
    wanted = {known for value in asked if (known := asked_value(reader.leaf, value, scope)) is not None}
    return lambda candidate: any(value in wanted for value in reader.read(candidate.source))


def asked_value(leaf: Field, value: Any, scope: Scope) -> Indexed | None:
    """A value in a query as the index would hold it; None for a number that no document can hold.

    Raises:
        ElasticError: 400 when the field's type cannot hold it.
    """
    value = plain(value)
    if leaf.kind == "flattened" or leaf.kind in TEXTS:
        return as_text(value)
    if leaf.kind in DATES:
        found = parse_date_math(value, leaf.date_format, scope.now_ms)
        if found is None:
            raise shard_error(scope, f"failed to parse date field [{value}] with format [{leaf.date_format}]")
        return found
    if leaf.kind in NUMBERS and isinstance(value, float) and not value.is_integer():
        return value
    try:
        return read_value(leaf, value)
    except BadValueError as error:
        raise shard_error(scope, str(error)) from error


def shard_error(scope: Scope, why: str) -> ElasticError:
    """A 400 for a query that an index's mapping has no answer to."""
    return SearchError(400, "query_shard_exception", f"failed to create query: {why}", scope.index.name)


def _build_range(body: Json, scope: Scope) -> Matcher:
    name, asked = one_field("range", body)
    if not isinstance(asked, dict):
        raise query_error("[range] query malformed, no start_object after field name")
    for key in asked:
        if key not in RANGE_BOUNDS and key not in RANGE_OPTIONS:
            raise query_error(f"[range] query does not support [{key}]")
    reader = reader_of(name, scope.index)
    if reader is None:
        return nothing
    leaf = reader.leaf
    if asked.get("format") is not None:
        check_format(asked["format"])
        leaf = Field(leaf.path, leaf.kind, {**leaf.parameters, "format": asked["format"]})
    tests = [
        (test, bound) for key, test in COMPARISONS.items()
        if asked.get(key) is not None and (bound := asked_value(leaf, asked[key], scope)) is not None
    ]  # fmt: skip
    return lambda candidate: any(
        all(test(value, bound) for test, bound in tests) for value in reader.read(candidate.source)
    )


def plain(value: Any) -> Any:
    """A value that is asked for; 400 for a list or an object, which no field holds as such."""
    if isinstance(value, (dict, list)):
        raise query_error(f"query malformed, found a [{token(value)}] in the place of a value")
    return value


def check_format(value: Any) -> None:
    """A 400 for a format of dates that this server does not know."""
    if not isinstance(value, str) or any(name not in FORMATS for name in value.split("||")):
        raise illegal_argument(f"Invalid format: [{value}]: elastic_lite knows {', '.join(sorted(FORMATS))}")


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "from": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
    "to": lambda value, bound: value <= bound,
}


def _build_exists(body: Json, scope: Scope) -> Matcher:
    name = body.get("field")
    if not isinstance(name, str):
        raise query_error("[exists] must be provided with a [field]")
    names = [path for path in scope.index.mapping.leaves if path == name or path.startswith(f"{name}.")]
    readers = [reader for path in names or [name] if (reader := reader_of(path, scope.index)) is not None]
    return lambda candidate: any(True for reader in readers for _ in reader.read(candidate.source))


def _build_match(body: Json, scope: Scope) -> Matcher:
    asked = one_field("match", body)[1]
    every = isinstance(asked, dict) and str(asked.get("operator", "or")).lower() == "and"

    def fits_of(sought: list[str]) -> Callable[[list[Any]], bool]:
        wanted = set(sought)
        return wanted.issubset if every else lambda found: not wanted.isdisjoint(found)

    return _build_text("match", body, scope, fits_of)


def _build_match_phrase(body: Json, scope: Scope) -> Matcher:
    def fits_of(phrase: list[str]) -> Callable[[list[Any]], bool]:
        size = len(phrase)
        return lambda found: any(found[at : at + size] == phrase for at in range(len(found) - size + 1))

    return _build_text("match_phrase", body, scope, fits_of)


def _build_text(
    kind: str, body: Json, scope: Scope, fits_of: Callable[[list[str]], Callable[[list[Any]], bool]]
) -> Matcher:
    """Compare a text's words with those asked for; a field that is no text is compared as a whole."""
    name, asked = one_field(kind, body)
    if isinstance(asked, dict):
        asked = asked.get("query")
    reader = reader_of(name, scope.index)
    if reader is None:
        return nothing
    if reader.leaf.kind not in TEXTS:
        return equals_any(name, [asked], scope)
    fits = fits_of(list(words(as_text(plain(asked)))))
    return lambda candidate: fits(list(reader.read(candidate.source)))


def _build_prefix(body: Json, scope: Scope) -> Matcher:
    return _build_pattern("prefix", body, scope, lambda asked, value: value.startswith(asked))


def _build_wildcard(body: Json, scope: Scope) -> Matcher:
    return _build_pattern("wildcard", body, scope, matches)


def _build_pattern(kind: str, body: Json, scope: Scope, test: Callable[[str, str], bool]) -> Matcher:
    """A matcher for texts that fit a prefix or a wildcard pattern."""
    name, asked = one_field(kind, body)
    if isinstance(asked, dict):
        asked = asked.get("value", asked.get("wildcard"))
    reader = reader_of(name, scope.index)
    if reader is None:
        return nothing
    return lambda candidate: any(test(str(asked), str(value)) for value in reader.read(candidate.source))


def _build_constant_score(body: Json, scope: Scope) -> Matcher:
    return compile_query(body.get("filter"), scope.inside())


def _build_bool(body: Json, scope: Scope) -> Matcher:
    for key in body:
        if key not in BOOL_KEYS:
            raise ElasticError(400, "x_content_parse_exception", f"[1:1] [bool] unknown field [{key}]")
    must = [*clauses(body.get("must"), scope), *clauses(body.get("filter"), scope)]
    must_not = clauses(body.get("must_not"), scope)
    should = clauses(body.get("should"), scope)
    needed = needed_of(body.get("minimum_should_match", 0 if must or not should else 1))
    if not must_not and not needed and all(clause is everything for clause in must):
        return everything
    return lambda candidate: (
        all(clause(candidate) for clause in must)
        and not any(clause(candidate) for clause in must_not)
        and (not needed or sum(clause(candidate) for clause in should) >= needed)
    )


def needed_of(value: Any) -> int:
    """How many optional clauses must match.

    Raises:
        ElasticError: 400 for anything but a number.
    """
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise unsupported(f"[minimum_should_match] of [{value}]") from error


def clauses(value: Any, scope: Scope) -> list[Matcher]:
    """The clauses of one part of a bool query: none, one or a list."""
    if value is None:
        return []
    listed: Iterable[Any] = value if isinstance(value, list) else [value]
    inner = scope.inside()
    return [compile_query(clause, inner) for clause in listed]


BUILDERS: dict[str, Callable[[Json, Scope], Matcher]] = {
    "match_all": _build_match_all,
    "match_none": _build_match_none,
    "ids": _build_ids,
    "term": _build_term,
    "terms": _build_terms,
    "range": _build_range,
    "exists": _build_exists,
    "match": _build_match,
    "match_phrase": _build_match_phrase,
    "prefix": _build_prefix,
    "wildcard": _build_wildcard,
    "constant_score": _build_constant_score,
    "bool": _build_bool,
}
