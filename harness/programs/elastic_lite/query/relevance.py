"""Whether Elasticsearch would rank the matches of a query: their order without a `sort` is then unknown."""

from __future__ import annotations

from typing import Any

from harness.programs.elastic_lite.mapping.field_types import KEYWORDS
from harness.programs.elastic_lite.query.field_values import reader_of
from harness.programs.elastic_lite.query.scope import Scope

Json = dict[str, Any]
CONSTANT = frozenset(
    {"match_all", "match_none", "ids", "terms", "range", "exists", "prefix", "wildcard", "constant_score"}
)
BY_FREQUENCY = frozenset({*KEYWORDS, "boolean", "flattened"})


def is_ranked(query: Any, scope: Scope, many_shards: bool) -> bool:
    """Whether two matches of a query may have different scores.

    Args:
        query: A query that has been compiled: it is well formed.
        scope: The index whose mapping says what fields hold.
        many_shards: Whether there are several shards, each of which counts its own terms.
    """
    kind, body = next(iter(query.items()))
    if kind in CONSTANT:
        return False
    if kind == "bool":
        return is_ranked_bool(body, scope, many_shards)
    name = next((key for key in body if key != "boost"), "")
    reader = reader_of(name, scope.index)
    if reader is None or reader.leaf.kind == "match_only_text":
        return False
    if reader.leaf.kind == "text":
        return True
    return many_shards and reader.leaf.kind in BY_FREQUENCY


def is_ranked_bool(body: Json, scope: Scope, many_shards: bool) -> bool:
    """Whether two matches of a bool query may have different scores: filters and exclusions give none."""
    must, should = listed(body.get("must")), listed(body.get("should"))
    if any(is_ranked(clause, scope, many_shards) for clause in (*must, *should)):
        return True
    alone = len(should) == 1 and not must and not listed(body.get("filter"))
    return bool(should) and not alone


def listed(value: Any) -> list[Any]:
    """The clauses of one part of a bool query."""
    return [] if value is None else value if isinstance(value, list) else [value]
