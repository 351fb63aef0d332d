"""The shape of a masked line: its words, its punctuation, and where its values are.

    masked    Received block blk_? of size ? from /?
    shape     Received block <*> of size <*> from <*>

Lines whose values differ have one shape, however long a list of values is, and whatever their units are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from sys import intern

from logging_system.coordination.learning.masks import MASK
from logging_system.coordination.learning.word_lists import (
    BEFORE_USER,
    CONSTANTS,
    MONTHS_AND_DAYS,
    SOURCE_FILES,
    UNITS,
)

WILDCARD = "<*>"
TOKENS_MAX = 128
"""More words and signs of a line are one value."""
_WORD_CHARACTERS_MAX = 64
"""A longer word is a value: nobody wrote it into a message."""

Shape = tuple[str, ...]

_TOKEN = re.compile(
    r"""
     (?<==)"[^"]*"                                     # what a name is set to, quoted
    |(?<==)'[^']*'
    |(?<==)[\w\0.$@-]*+[({\[][^(){}\[\]]*+[)}\]]      # and in brackets: Rect(0, 0), {"a": 1}, []
    |(?<!\w)(?:"[^"\s]*"|'[^'\s]*')(?!\w)              # one quoted word: how many show a value
    |(?<![\w\0])(?:~|\.{1,2})?/(?:[^\s"'<>()\[\]{},;|:]|:(?=\S))++      # a path
    |(?:[^\s=,;:()\[\]{}"'|<>.\#]|\.(?!\.)|\#(?!\#))++                  # a word
    |\S
    """,
    re.VERBOSE,
)
_SIGNS = frozenset("=,;:()[]{}\"'|<>.#")
_BETWEEN_VALUES = frozenset(',;:-#|/.+*&"<>')
"""Signs that only separate the values of a list."""


_ADDRESS = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a shape and where in the masked line it stands.

    Attributes:
        text: A word, a sign, or the wildcard.
        begin: Where it begins.
        end: Where what belongs to it ends.
        spaced: Whether white space stands before it.
    """

    text: str
    begin: int
    end: int
    spaced: bool


def is_word(token: str) -> bool:
    """Tell whether a token of a shape is a word: neither the wildcard nor a sign."""
    return token != WILDCARD and token not in _SIGNS and token not in _BETWEEN_VALUES


def tokens(masked_line: str) -> list[Token]:
    """Return the parts of a masked line.

    Args:
        masked_line: What `masked` made of a line.
    """
    found: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(masked_line):
        begin, spaced = match.start(), match.start() > end
        end = match.end()
        if len(found) >= TOKENS_MAX:
            found[-1] = Token(WILDCARD, found[-1].begin, len(masked_line.rstrip()), found[-1].spaced)
            break
        word = _kind(match.group())
        if is_word(word) and _is_value_after(found, spaced):
            word = WILDCARD
        _append(found, Token(word, begin, end, spaced))
    return found


def shape(parts: Sequence[Token]) -> Shape:
    """Return the shape of a line's parts."""
    return tuple(intern(part.text) for part in parts)


def spaces(parts: Sequence[Token]) -> int:
    """Return before which parts white space stands, as the bits of a number."""
    return sum(1 << place for place, part in enumerate(parts) if part.spaced)


def _kind(word: str) -> str:
    if word in _SIGNS:
        return word
    return WILDCARD if _is_value(word) else word


def _is_value(word: str) -> bool:
    if MASK in word or len(word) > _WORD_CHARACTERS_MAX:
        return True
    return (
        len(word) > 1
        and (
            word[0] in "\"'/~"
            or word[-1] in ")}]"  # longer than a sign: what a name is set to
            or word.startswith(("./", "../"))
            or word.count("/") > 1
            or "\\" in word
            or "@" in word[1:-1]
            or (word.count(".") > 1 and ("/" in word or _is_host(word)))
            or word.lower() in CONSTANTS
        )
    )


def _is_host(word: str) -> bool:
    """Tell whether a word with dots is a host or a property: small letters, where a class has capitals."""
    return word.islower() and word.replace(".", "").replace("-", "").isalpha()


def _is_value_after(before: Sequence[Token], spaced: bool) -> bool:
    """Tell whether the next word is a value whatever it says: `name=word`, `name = word`, `for user word`."""
    if not before:
        return False
    last = before[-1]
    if last.text == "=":
        return last.spaced or not spaced  # in "logname= uid=0", nothing is the value of the first
    return len(before) > 1 and last.text.lower() == "user" and before[-2].text.lower() in BEFORE_USER


def _append(found: list[Token], token: Token) -> None:
    """Append a token; what belongs to the value before it becomes one with it."""
    if token.text == WILDCARD:
        _append_value(found, token)
    elif token.text == ")" and found and found[-1].text == "(" and not token.spaced:
        found += [Token(WILDCARD, token.begin, token.begin, False), token]  # "()": nothing is a value too
    elif found and found[-1].text == WILDCARD and token.text.lower().rstrip(".") in UNITS:
        found[-1] = Token(WILDCARD, found[-1].begin, token.end, found[-1].spaced)
    else:
        found.append(token)


def _append_value(found: list[Token], token: Token) -> None:
    begin = token
    while found and found[-1].text.lower() in MONTHS_AND_DAYS:
        begin = found.pop()
    if found and found[-1].text in "<>" and found[-1].spaced and not token.spaced:
        begin = found.pop()  # "<1 sec" is a value as "3 sec" is
    if _is_port(found, token):
        del found[-1]
        begin = found.pop()  # "example.com:443" is a value as "10.0.0.1:443" is
    signs = len(found)
    while signs and _is_between_values(found[signs - 1].text):
        signs -= 1
    if signs and found[signs - 1].text == WILDCARD:
        begin = found[signs - 1]
        del found[signs - 1 :]
    found.append(Token(WILDCARD, begin.begin, token.end, begin.spaced))


def _is_between_values(token: str) -> bool:
    return token in _BETWEEN_VALUES or not token.strip("*")


def _is_port(found: Sequence[Token], token: Token) -> bool:
    """Tell whether a value is the port of a host before it, and not a line of a source file."""
    if len(found) < 2 or token.spaced or found[-1].spaced or found[-1].text != ":":
        return False
    host = found[-2].text
    return _ADDRESS.fullmatch(host) is not None and not host.endswith(SOURCE_FILES)
