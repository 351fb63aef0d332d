"""Queries for exact values: ids, term, terms, exists, prefix, wildcard."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import query_error, unsupported
from harness.programs.elastic_lite.language.names import matches
from harness.programs.elastic_lite.language.sure_values import OF_QUERIES, is_name_or_names
from harness.programs.elastic_lite.mapping.field_types import (
    INTEGER_BITS,
    KEYWORDS,
    TEXTS,
    UNSEARCHABLE,
    BadValueError,
    Field,
    as_text,
    read_ip,
)
from harness.programs.elastic_lite.query.documents import Matcher, everything, nothing
from harness.programs.elastic_lite.query.field_values import reader_of
from harness.programs.elastic_lite.query.scope import (
    Scope,
    asked_value,
    date_bound,
    flag_of,
    is_date,
    one_field,
    plain,
    refuse_metadata,
)

Json = dict[str, Any]
BOOST = {"boost": "changes scores only, and searches here do not rank"}
REWRITE = {"rewrite": "how Elasticsearch runs the query"}
PARSING = "parsing_exception"
IDS = declare(
    "in an [ids] query", "values", inert=BOOST, kind=PARSING, sure={**OF_QUERIES, "values": is_name_or_names}
)
TERM = declare("in a [term] query", "value", "case_insensitive", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
TERMS = declare("in a [terms] query", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
EXISTS = declare("in an [exists] query", "field", inert=BOOST, kind=PARSING, sure=OF_QUERIES)
PREFIX = declare(
    "in a [prefix] query",
    "value",
    "case_insensitive",
    inert={**BOOST, **REWRITE},
    kind=PARSING,
    sure=OF_QUERIES,
)
WILDCARD = declare(
    "in a [wildcard] query",
    "value",
    "wildcard",
    "case_insensitive",
    inert={**BOOST, **REWRITE},
    kind=PARSING,
    sure=OF_QUERIES,
)
TEXTUAL = frozenset({*KEYWORDS, *TEXTS, "flattened"})
TERMS_MAX = 65_536
BIG_LOWERED = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def build_ids(body: Json, scope: Scope) -> Matcher:
    """The documents of some ids."""
    IDS.check(body)
    values = body.get("values", [])
    return with_id(values if isinstance(values, list) else [values])


def with_id(asked: list[Any]) -> Matcher:
    """A matcher for documents of some ids.

    Raises:
        ElasticError: 400 for an id that is empty.
    """
    wanted = {as_text(plain(value)) for value in asked}
    if "" in wanted:
        raise unsupported("an empty id in a query")
    return lambda candidate: candidate.id in wanted


def build_term(body: Json, scope: Scope) -> Matcher:
    """The documents with one exact value."""
    name, asked = one_field(TERM, "term", body)
    folded = flag_of(asked, "case_insensitive", False)
    if isinstance(asked, dict):
        asked = asked.get("value")
    if asked is None or isinstance(asked, list):
        raise query_error(f"[term] query does not support [{name}]" if asked else "value cannot be null")
    return folded_term(name, asked, scope) if folded else equals_any(name, [asked], scope)


def folded_term(name: str, asked: Any, scope: Scope) -> Matcher:
    """The documents with a value that differs in the case of ASCII letters at most."""
    return pattern_matcher(
        "term", name, asked, scope, folded=True, test=lambda wanted, value: value == wanted
    )


def fold(text: str) -> str:
    """A text without the case of its ASCII letters: Elasticsearch folds no others."""
    return text.translate(BIG_LOWERED)


def build_terms(body: Json, scope: Scope) -> Matcher:
    """The documents with one of some exact values."""
    name, asked = one_field(TERMS, "terms", body)
    if isinstance(asked, dict):
        raise unsupported("a [terms] lookup in another document", PARSING)
    if not isinstance(asked, list):
        raise query_error(f"[terms] query does not support [{name}]")
    if len(asked) > TERMS_MAX:
        raise unsupported(f"more than {TERMS_MAX} values in a [terms] query")
    if any(value is None for value in asked):
        raise unsupported("`null` in a [terms] query", PARSING)
    refuse_beyond(name, asked, scope)
    return equals_any(name, asked, scope) if asked else nothing


def refuse_beyond(name: str, asked: list[Any], scope: Scope) -> None:
    """Refuse whole numbers that no document can hold, which a [terms] query alone takes for mistakes.

    Raises:
        ElasticError: 400 that names the number.
    """
    leaf = scope.index.mapping.leaves.get(name)
    bits = 0 if leaf is None else max(INTEGER_BITS.get(leaf.kind, 0), 32)
    if leaf is None or leaf.kind not in INTEGER_BITS:
        return
    for value in asked:
        number = asked_value(leaf, value, scope)
        if not isinstance(number, (int, float)) or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise unsupported(f"the number `{value}` in a [terms] query on a field of type `{leaf.kind}`")


def equals_any(name: str, asked: list[Any], scope: Scope) -> Matcher:
    """A matcher for documents with one of some exact values in a field."""
    if name == "_id":
        return with_id(asked)
    if name == "_index":
        wanted_names = [as_text(plain(value)) for value in asked]
        return everything if any(matches(it, scope.index.name) for it in wanted_names) else nothing
    reader = scope.reader(name)
    if reader is None:
        for value in asked:
            plain(value)
        return nothing
    leaf = reader.leaf
    if is_date(leaf) or leaf.kind == "ip":
        spans = [span_of(leaf, value, scope) for value in asked]
        return lambda candidate: any(
            low <= value <= high for value in reader.read(candidate.source) for low, high in spans
        )
    wanted = {known for value in asked if (known := asked_value(leaf, value, scope)) is not None}
    return lambda candidate: any(value in wanted for value in reader.read(candidate.source))


def span_of(leaf: Field, value: Any, scope: Scope) -> tuple[Any, Any]:
    """The first and the last value that a date with parts left out, or an address with a prefix, stands for.

    Raises:
        ElasticError: 400 for what is none.
    """
    if is_date(leaf):
        return date_bound(leaf, value, scope, False), date_bound(leaf, value, scope, True)
    text = as_text(plain(value))
    try:
        if "/" not in text:
            return read_ip(text), read_ip(text)
        network = ip_network(text, strict=False)
        return read_ip(str(network[0])), read_ip(str(network[-1]))
    except (ValueError, BadValueError) as error:
        raise scope.error(f"failed to create query: '{text}' is not an IP string literal.") from error


def build_exists(body: Json, scope: Scope) -> Matcher:
    """The documents with any value in a field, or in any field of an object."""
    EXISTS.check(body)
    name = body.get("field")
    if not isinstance(name, str):
        raise query_error("[exists] must be provided with a [field]")
    if name in ("_id", "_index"):
        return everything
    refuse_metadata(name)
    if "*" in name:
        raise unsupported("a pattern as the field of an [exists] query", PARSING)
    mapping = scope.index.mapping
    names = (
        [path for path in mapping.leaves if path.startswith(f"{name}.")]
        if name in mapping.objects
        else [name]
    )
    readers = [reader for path in names if (reader := reader_of(path, scope.index)) is not None]
    for reader in readers:
        if reader.leaf.kind in UNSEARCHABLE:
            raise unsupported(f"an [exists] query on the field `{name}` of type `{reader.leaf.kind}`")
    readers = [it for it in readers if it.leaf.indexed or it.leaf.has_doc_values]
    return lambda candidate: any(True for reader in readers for _ in reader.values(candidate.source))


def build_prefix(body: Json, scope: Scope) -> Matcher:
    """The documents with a value that begins with a text."""
    name, asked = one_field(PREFIX, "prefix", body)
    folded = flag_of(asked, "case_insensitive", False)
    wanted = asked.get("value") if isinstance(asked, dict) else asked
    return pattern_matcher(
        "prefix", name, wanted, scope, folded=folded, test=lambda start, value: value.startswith(start)
    )


def build_wildcard(body: Json, scope: Scope) -> Matcher:
    """The documents with a value that fits a pattern of `*` and `?`."""
    name, asked = one_field(WILDCARD, "wildcard", body)
    folded = flag_of(asked, "case_insensitive", False)
    if isinstance(asked, dict):
        asked = asked.get("value", asked.get("wildcard"))
    if asked is None:
        raise query_error("value cannot be null")
    wanted = as_text(plain(asked))
    fits = wildcard_test(fold(wanted) if folded else wanted)
    return pattern_matcher("wildcard", name, wanted, scope, folded=folded, test=lambda _, value: fits(value))


def pattern_matcher(
    kind: str, name: str, asked: Any, scope: Scope, *, folded: bool, test: Callable[[str, str], bool]
) -> Matcher:
    """A matcher for texts that pass a test.

    Raises:
        ElasticError: 400 for a field that holds no texts.
    """
    if asked is None:
        raise query_error("value cannot be null")
    wanted = as_text(plain(asked))
    if name in ("_id", "_index"):
        raise unsupported(f"a [{kind}] query of this kind on `{name}`")
    reader = scope.reader(name)
    if reader is None:
        return nothing
    if reader.leaf.kind == "flattened" and (folded or (kind == "wildcard" and reader.key is not None)):
        raise unsupported(f"a [{kind}] query of this kind on the flattened field `{name}`")
    if reader.leaf.kind not in TEXTUAL:
        if kind == "term":
            raise unsupported(f"`case_insensitive` on the field `{name}` of type `{reader.leaf.kind}`")
        raise scope.error(
            f"Can only use {kind} queries on keyword, text and wildcard fields - not on [{name}] which is of "
            f"type [{reader.leaf.kind}]"
        )
    if not folded:
        return lambda candidate: any(test(wanted, str(it)) for it in reader.read(candidate.source))
    wanted = fold(wanted)
    return lambda candidate: any(test(wanted, fold(str(it))) for it in reader.read(candidate.source))


def parts_of(pattern: str) -> list[list[str]]:
    """What stands between the stars of a pattern, as one regular expression a character."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\" and at + 1 < len(pattern):
            at += 1
            parts[-1].append(re.escape(pattern[at]))
        elif character == "*":
            parts.append([])
        else:
            parts[-1].append("." if character == "?" else re.escape(character))
        at += 1
    return parts


def wildcard_test(pattern: str) -> Callable[[str], bool]:
    """A test for a pattern in which `*` stands for any text and `?` for one character.

    Never tries a place twice for one star: patterns of many stars are answered at once.
    """
    if not pattern:
        return lambda _: False
    pieces = [(re.compile("".join(part), re.DOTALL), len(part)) for part in parts_of(pattern)]
    first, *rest = pieces
    if not rest:
        return lambda text: first[0].fullmatch(text) is not None
    *middle, last = rest

    def fits(text: str) -> bool:
        if first[0].match(text) is None:
            return False
        place = first[1]
        for piece, _ in middle:
            found = piece.search(text, place)
            if found is None:
                return False
            place = found.end()
        start = len(text) - last[1]
        return start >= place and last[0].match(text, start) is not None

    return fits
