"""What a request may contain: each handler, query, field type and setting declares the words that it takes.

A word is either carried out, or it is named here with the reason why it cannot change an answer, or it is
taken with some values only. Whatever is not declared is refused in words that name it, so the next part of
Elasticsearch that this server does not have cannot be passed by in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.errors import unsupported
from harness.programs.elastic_lite.language.sure_values import Sure

ILLEGAL = "illegal_argument_exception"
SHOWN_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Word:
    """One word that a request may contain.

    Args:
        why_inert: Why it cannot change an answer; empty where it is carried out.
        values: The only values that are taken, as JSON or as the text itself; empty: the handler checks it.
        is_sure: Whether a value is surely read as Elasticsearch reads it; None: the handler sees to that.
    """

    why_inert: str = ""
    values: tuple[str, ...] = ()
    is_sure: Sure | None = None

    def takes(self, value: Any) -> bool:
        """Whether a value is one of those that are taken, as far as is declared."""
        if self.values and spelled(value) not in self.values:
            return False
        return self.is_sure is None or self.is_sure(value)


@dataclass(frozen=True, slots=True)
class Declaration:
    """The words that one place of a request takes.

    Args:
        where: The place, as an error names it: `in a [term] query`.
        words: Each word with what is done about it.
        kind: Elasticsearch's own type of the error for a word that it does not know there.
    """

    where: str
    words: Mapping[str, Word]
    kind: str = ILLEGAL

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse words that are not declared, and values that are not taken.

        Raises:
            ElasticError: 400 that names the first of them.
        """
        for name, value in given.items():
            word = self.words.get(name)
            if word is None:
                raise unsupported(f"`{name}` {self.where}", self.kind)
            if not word.takes(value):
                shown = spelled(value)[:SHOWN_CHARACTERS_MAX]
                raise unsupported(f"`{name}` of `{shown}` {self.where}", self.kind)

    def at(self, where: str) -> Declaration:
        """The same words at another place."""
        return Declaration(where, self.words, self.kind)


def declare(
    where: str,
    *served: str,
    inert: Mapping[str, str] | None = None,
    only: Mapping[str, Iterable[str]] | None = None,
    kind: str = ILLEGAL,
    sure: Mapping[str, Sure] | None = None,
) -> Declaration:
    """A declaration.

    Args:
        where: The place, as an error names it.
        served: The words that are carried out.
        inert: Words that cannot change an answer, each with the reason.
        only: Words of which some values are taken: those that this server does or that ask for nothing.
        kind: Elasticsearch's own type of the error for an unknown word there.
        sure: For words that are declared, or others, which values are surely read alike.
    """
    known = sure or {}
    words = {name: Word(is_sure=known.get(name)) for name in served}
    words |= {name: Word(reason, is_sure=known.get(name)) for name, reason in (inert or {}).items()}
    words |= {name: Word("", tuple(values)) for name, values in (only or {}).items()}
    return Declaration(where, words, kind)


def spelled(value: Any) -> str:
    """A value as a declaration lists it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
