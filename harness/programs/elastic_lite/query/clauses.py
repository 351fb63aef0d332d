"""Queries: from the query language to a test of one document under one index's mapping.

A field that the mapping does not declare matches nothing, as in Elasticsearch. Scores are not computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.declarations import Declaration, declare
from harness.programs.elastic_lite.language.errors import (
    ElasticError,
    SearchError,
    illegal_argument,
    query_error,
    unsupported,
)
from harness.programs.elastic_lite.language.sure_values import INT_MAX, OF_QUERIES
from harness.programs.elastic_lite.query.documents import Matcher, everything, nothing
from harness.programs.elastic_lite.query.exact import (
    BOOST,
    EXISTS,
    IDS,
    PARSING,
    PREFIX,
    TERM,
    TERMS,
    WILDCARD,
    build_exists,
    build_ids,
    build_prefix,
    build_term,
    build_terms,
    build_wildcard,
)
from harness.programs.elastic_lite.query.full_text import (
    MATCH,
    MATCH_PHRASE,
    build_match,
    build_match_phrase,
)
from harness.programs.elastic_lite.query.ranges import RANGE, build_range
from harness.programs.elastic_lite.query.scope import Scope

Json = dict[str, Any]
ALL = declare("in a [match_all] query", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
NONE = declare("in a [match_none] query", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
CONSTANT = declare("in a [constant_score] query", "filter", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
BOOL = declare(
    "in a [bool] query",
    "must",
    "filter",
    "should",
    "must_not",
    "minimum_should_match",
    inert=BOOST,
    kind="x_content_parse_exception",
    sure=OF_QUERIES,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One kind of query: what its body takes, and how it becomes a test."""

    takes: Declaration
    build: Callable[[Json, Scope], Matcher]


def compile_query(query: Any, scope: Scope) -> Matcher:
    """A test for documents of one index.

    Args:
        query: The query as JSON.
        scope: The index whose mapping says what fields hold, and the time that `now` means.

    Raises:
        ElasticError: 400 for a query that does not exist or is malformed.
    """
    kind, body = check_query(query)
    return CLAUSES[kind].build(body, scope)


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
    if kind not in CLAUSES:
        raise unsupported(f"the [{kind}] query", PARSING)
    return kind, body


def _build_match_all(body: Json, scope: Scope) -> Matcher:
    ALL.check(body)
    return everything


def _build_match_none(body: Json, scope: Scope) -> Matcher:
    NONE.check(body)
    return nothing


def _build_constant_score(body: Json, scope: Scope) -> Matcher:
    CONSTANT.check(body)
    return compile_query(body.get("filter"), scope.inside())


def _build_bool(body: Json, scope: Scope) -> Matcher:
    BOOL.check(body)
    failed: list[SearchError] = []
    must = [*clauses(body.get("must"), scope, failed), *clauses(body.get("filter"), scope, failed)]
    must_not = clauses(body.get("must_not"), scope, failed)
    should = clauses(body.get("should"), scope, failed)
    empty = any(clause is nothing for clause in must) or any(clause is everything for clause in must_not)
    if failed:
        sibling = empty or has_range((body.get("must"), body.get("filter")))
        raise unsure(failed[0]) if sibling else failed[0]
    if empty:
        return nothing
    needed = needed_of(body, must, should)
    if not must_not and not needed and all(clause is everything for clause in must):
        return everything
    return lambda candidate: (
        all(clause(candidate) for clause in must)
        and not any(clause(candidate) for clause in must_not)
        and (not needed or sum(clause(candidate) for clause in should) >= needed)
    )


def has_range(value: Any) -> bool:
    """Whether there is a range in some clauses: one that no date of a shard lies in finds nothing early."""
    if isinstance(value, dict):
        return "range" in value or has_range(tuple(value.values()))
    return isinstance(value, (list, tuple)) and any(has_range(inner) for inner in value)


def unsure(error: SearchError) -> ElasticError:
    """The 400 for a broken clause beside one that finds nothing: Elasticsearch may never look at it."""
    return unsupported(
        f"a [bool] query that finds nothing whatever one of its clauses means ({error.reason})"
    )


def needed_of(body: Json, must: list[Matcher], should: list[Matcher]) -> int:
    """How many optional clauses must match: at least one where nothing else must.

    More than there are is lawful: then nothing matches, unless nothing else must match either.

    Raises:
        ElasticError: 400 for anything but a number.
    """
    least = 1 if should and not must else 0
    value = body.get("minimum_should_match")
    if value is None or not (should or must):
        return least
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise unsupported(f"`minimum_should_match` of `{value}`") from error
    if isinstance(value, (bool, float)) or abs(number) > INT_MAX:
        raise unsupported(f"`minimum_should_match` of `{value}`")
    return max(least, number if number >= 0 else len(should) + number)


def clauses(value: Any, scope: Scope, failed: list[SearchError]) -> list[Matcher]:
    """The clauses of one part of a bool query: none, one or a list.

    Args:
        value: What the request gives.
        scope: What the query is compiled for.
        failed: Gets the errors of clauses whose field cannot hold what they look for.
    """
    if value is None:
        return []
    listed: Iterable[Any] = value if isinstance(value, list) else [value]
    inner = scope.inside()
    found: list[Matcher] = []
    for clause in listed:
        try:
            found.append(compile_query(clause, inner))
        except SearchError as error:
            failed.append(error)
    return found


CLAUSES: dict[str, Clause] = {
    "match_all": Clause(ALL, _build_match_all),
    "match_none": Clause(NONE, _build_match_none),
    "ids": Clause(IDS, build_ids),
    "term": Clause(TERM, build_term),
    "terms": Clause(TERMS, build_terms),
    "range": Clause(RANGE, build_range),
    "exists": Clause(EXISTS, build_exists),
    "match": Clause(MATCH, build_match),
    "match_phrase": Clause(MATCH_PHRASE, build_match_phrase),
    "prefix": Clause(PREFIX, build_prefix),
    "wildcard": Clause(WILDCARD, build_wildcard),
    "constant_score": Clause(CONSTANT, _build_constant_score),
    "bool": Clause(BOOL, _build_bool),
}
