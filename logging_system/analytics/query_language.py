"""What a person types to find lines, and the query that it means; nothing typed reaches the store unread.

```
level:error and logger:shop.*        words `and`, `or`, `not`, parentheses; a space means `and`
message:"connection refused"         a phrase; `refused` alone looks in the message too
labels.order:42                      a whole value, or with `*` a pattern
event.duration >= 5000               a bound: >, >=, <, <=; levels have an order too: level>=warning
error.type:*                         has any value
```
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from logging_system.records.levels import RANKS, spelled_where, spellings
from logging_system.sinks.elasticsearch.index_template import MAPPINGS_NAME, Abilities, component_templates

CHARACTERS_MAX = 2_000
TERMS_MAX = 100
DEPTH_MAX = 20

Query = dict[str, Any]

_ALIASES = {"level": "log.level", "logger": "log.logger", "service": "service.name", "host": "host.name"}
_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>[()]|>=|<=|[:><])|(?P<word>[^\s()":<>]+))')
_ESCAPED = re.compile(r"\\(.)")
_LEVEL = "log.level"
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_BOUNDS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_TEXTS = frozenset({"text", "match_only_text"})
_FLATTENED = "labels"


class QuerySyntaxError(ValueError):
    """What was typed is no query: where, what, remedy."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def read_query(text: str) -> Query | None:
    """Return the query that a text means; None for an empty one, which means every line.

    Raises:
        QuerySyntaxError: It is none, is too long, or names a field that cannot be searched.
    """
    if len(text) > CHARACTERS_MAX:
        raise QuerySyntaxError(f"the query has {len(text)} characters; {CHARACTERS_MAX} at most")
    tokens = list(_tokens(text))
    if not tokens:
        return None
    reader = _Reader(tokens, len(text))
    query = reader.either(0)
    if reader.at < len(tokens):
        raise reader.wrong("is not expected here; write and, or, not between conditions")
    return query


def searchable_fields() -> dict[str, str]:
    """Return the type of each field that is mapped, by its name."""
    template = component_templates(Abilities())[MAPPINGS_NAME]["template"]
    mappings: Any = template["mappings"] if isinstance(template, dict) else {}
    return dict(_leaves(mappings["properties"], ""))


def _leaves(properties: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, declared in properties.items():
        if "properties" in declared:
            yield from _leaves(declared["properties"], f"{prefix}{name}.")
        elif declared.get("index", True):
            yield f"{prefix}{name}", str(declared["type"])


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            place = len(text) - len(text[at:].lstrip()) + 1
            raise QuerySyntaxError(f"character {place}: a quotation mark is not closed")
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        at = found.end()


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    length: int
    at: int = 0
    terms: int = 0
    fields: dict[str, str] = field(default_factory=searchable_fields)

    def either(self, depth: int) -> Query:
        if depth > DEPTH_MAX:
            raise self.wrong(f"lies in more than {DEPTH_MAX} parentheses")
        parts = [self.both(depth)]
        while self.takes_word("or"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}

    def both(self, depth: int) -> Query:
        parts = [self.maybe_not(depth)]
        while self.takes_word("and") or self.begins_term():
            parts.append(self.maybe_not(depth))
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def maybe_not(self, depth: int) -> Query:
        negated = False
        while self.takes_word("not"):
            negated = not negated
        query = self.term(depth)
        return {"bool": {"must_not": [query]}} if negated else query

    def term(self, depth: int) -> Query:
        token = self.next()
        if token.text == "(" and token.kind == "sign":
            query = self.either(depth + 1)
            if self.peek() != ")":
                raise self.wrong("stands where a parenthesis must be closed")
            self.at += 1
            return query
        if token.kind == "sign" or (token.kind == "word" and token.text.lower() in ("and", "or")):
            self.at -= 1
            raise self.wrong("stands where a condition is expected")
        self.terms += 1
        if self.terms > TERMS_MAX:
            raise QuerySyntaxError(f"the query has more than {TERMS_MAX} conditions")
        sign = self.peek()
        if token.kind == "quoted" or sign not in (":", *_BOUNDS):
            return self.valued("message", token)
        self.at += 1
        name = self.field_name(token)
        value = self.value()
        return self.bounded(name, _BOUNDS[sign], value) if sign in _BOUNDS else self.valued(name, value)

    def valued(self, name: str, token: _Token) -> Query:
        text, is_quoted = _text_of(token), token.kind == "quoted"
        if text == "*" and not is_quoted:
            return {"exists": {"field": name}}
        is_text = self.fields.get(name) in _TEXTS
        if is_quoted:
            return {"match_phrase": {name: text}} if is_text else {"term": {name: text}}
        if "*" in text or "?" in text:
            return {"wildcard": {name: {"value": text, "case_insensitive": True}}}
        if is_text:
            return {"match": {name: {"query": text, "operator": "and"}}}
        return {"terms": {name: list(spellings(text))}} if name == _LEVEL else {"term": {name: text}}

    def bounded(self, name: str, bound: str, token: _Token) -> Query:
        if name == _LEVEL and (limit := RANKS.get(_text_of(token).lower())):
            compare = _COMPARISONS[bound]
            return {"terms": {name: spelled_where(lambda rank: compare(rank, limit))}}
        if self.fields.get(name) not in ("date", "long"):
            where = f"character {token.place + 1}"
            raise QuerySyntaxError(f"{where}: {name} has no order; only times, numbers and levels have one")
        return {"range": {name: {bound: _text_of(token)}}}

    def field_name(self, token: _Token) -> str:
        name = _ALIASES.get(token.text, token.text)
        if name in self.fields and name != _FLATTENED:
            return name
        if name.startswith(f"{_FLATTENED}."):
            return name
        near = difflib.get_close_matches(name, [*self.fields, *_ALIASES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" Searched are: {', '.join(sorted(self.fields))}"
        raise QuerySyntaxError(f"character {token.place + 1}: no field {token.text!r} is searched.{hint}")

    def value(self) -> _Token:
        token = self.next()
        if token.kind == "sign":
            self.at -= 1
            raise self.wrong("stands where a value is expected; put it into quotation marks")
        return token

    def takes_word(self, word: str) -> bool:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "word" and token.text.lower() == word:
                self.at += 1
                return True
        return False

    def begins_term(self) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.text == "(" or (token.kind != "sign" and token.text.lower() != "or")

    def peek(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "sign":
            return self.tokens[self.at].text
        return ""

    def next(self) -> _Token:
        if self.at >= len(self.tokens):
            raise QuerySyntaxError(
                f"character {self.length + 1}: the query ends where a condition is expected"
            )
        self.at += 1
        return self.tokens[self.at - 1]

    def wrong(self, why: str) -> QuerySyntaxError:
        if self.at >= len(self.tokens):
            return QuerySyntaxError(f"character {self.length + 1}: the end of the query {why}")
        token = self.tokens[self.at]
        return QuerySyntaxError(f"character {token.place + 1}: {token.text[:50]!r} {why}")


def _text_of(token: _Token) -> str:
    return _ESCAPED.sub(r"\1", token.text[1:-1]) if token.kind == "quoted" else token.text
