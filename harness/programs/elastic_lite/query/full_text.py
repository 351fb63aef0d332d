"""Queries for words of a text: match, match_phrase."""

from __future__ import annotations

from typing import Any

from harness.programs.elastic_lite.language.declarations import declare
from harness.programs.elastic_lite.language.errors import query_error, unsupported
from harness.programs.elastic_lite.language.sure_values import OF_QUERIES
from harness.programs.elastic_lite.language.words import is_searchable, words
from harness.programs.elastic_lite.mapping.field_types import TEXTS, as_text
from harness.programs.elastic_lite.query.documents import Candidate, Matcher, never
from harness.programs.elastic_lite.query.exact import equals_any
from harness.programs.elastic_lite.query.field_values import Reader
from harness.programs.elastic_lite.query.scope import Scope, one_field, plain

Json = dict[str, Any]
INERT = {
    "boost": "changes scores only, and searches here do not rank",
    "auto_generate_synonyms_phrase_query": "there are no synonyms",
}
MATCH = declare(
    "in a [match] query",
    "query",
    "operator",
    inert=INERT,
    only={"zero_terms_query": ("none", "NONE"), "analyzer": ("standard",), "lenient": ("false",)},
    kind="parsing_exception",
    sure=OF_QUERIES,
)
MATCH_PHRASE = declare(
    "in a [match_phrase] query",
    "query",
    inert={"boost": INERT["boost"]},
    only={"zero_terms_query": ("none", "NONE"), "analyzer": ("standard",), "slop": ("0",)},
    kind="parsing_exception",
    sure=OF_QUERIES,
)


def build_match(body: Json, scope: Scope) -> Matcher:
    """The documents with any word of a text, or with every one."""
    name, asked = one_field(MATCH, "match", body)
    every = wants_every(asked)
    reader, text = asked_text("match", name, asked, scope)
    if reader is None:
        return never
    if reader.leaf.kind not in TEXTS:
        return equals_any(name, [text], scope)
    wanted = set(asked_words(text))
    if not wanted:
        return never
    if every:
        return lambda candidate: wanted <= set(reader.read(candidate.source))
    return lambda candidate: any(word in wanted for word in reader.read(candidate.source))


def wants_every(asked: Any) -> bool:
    """Whether every word must be there.

    Raises:
        ElasticError: 400 for an operator that there is not.
    """
    operator = str(asked.get("operator", "or")).lower() if isinstance(asked, dict) else "or"
    if operator not in ("or", "and"):
        raise query_error(f"operator needs to be either AND or OR, but not [{operator}]")
    return operator == "and"


def asked_text(kind: str, name: str, asked: Any, scope: Scope) -> tuple[Reader | None, Any]:
    """How to read the field, and what is looked for in it.

    Raises:
        ElasticError: 400 where nothing is looked for, or the field cannot be searched.
    """
    if isinstance(asked, dict):
        asked = asked.get("query")
    if asked is None:
        raise query_error(f"[{kind}] query malformed, no value for [{name}]")
    if name in ("_id", "_index"):
        raise unsupported(f"a [{kind}] query on `{name}`")
    return scope.reader(name), plain(asked)


def asked_words(text: Any) -> list[str]:
    """The words of a text that is looked for.

    Raises:
        ElasticError: 400 for writing systems whose words are found with rules that this server lacks.
    """
    shown = as_text(text)
    if not is_searchable(shown):
        raise unsupported(f"a full-text query for `{shown}`: its writing has word boundaries of its own")
    return list(words(shown))


def build_match_phrase(body: Json, scope: Scope) -> Matcher:
    """The documents in which the words of a text follow each other, in one value."""
    name, asked = one_field(MATCH_PHRASE, "match_phrase", body)
    reader, text = asked_text("match_phrase", name, asked, scope)
    if reader is None:
        return never
    if reader.leaf.kind not in TEXTS:
        return equals_any(name, [text], scope)
    phrase = asked_words(text)
    if not phrase:
        return never

    def test(candidate: Candidate) -> bool:
        for value in reader.values(candidate.source):
            found = list(words(str(value)))
            if any(found[at : at + len(phrase)] == phrase for at in range(len(found) - len(phrase) + 1)):
                return True
        return False

    return test
