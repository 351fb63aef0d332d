"""JSON as it was spelled: no name twice in an object, and numbers whose text matters.

Elasticsearch keeps the text of a number, `1.50` or `1e3`, where a field holds texts; a stored document is
read here as values. So a number whose text would be another one, written again, is marked, and refused as a
text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from harness.programs.elastic_lite.language.errors import unsupported

Json = dict[str, Any]
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
COMMENT = re.compile(rb"/[/*]")
LONG = re.compile(rb"[0-9]{19}")
INT_MIN, INT_MAX = -(2**63), 2**64 - 1  # beyond them a stored document is read as a fraction


class OddFloat(float):
    """A fraction that is spelled in another way than it would be written again."""

    text: str = ""


class OddInt(int):
    """A whole number that would be read as another one, or written in another way."""

    text: str = ""


class RepeatedNameError(ValueError):
    """A name stands twice in one object."""


def reread(source: bytes) -> Any:
    """JSON that has been found well-formed, with its odd numbers marked.

    Raises:
        RepeatedNameError: A name stands twice in an object.
        ValueError: It is not even JSON for a lenient reader.
        RecursionError: It is nested too deeply.
    """
    text = source.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    return json.loads(
        text,
        object_pairs_hook=unique,
        parse_float=read_float,
        parse_int=read_int,
        parse_constant=refuse_constant,
    )


def loads_whole(source: bytes) -> Any:
    """JSON whose numbers are to be written again.

    Raises:
        ElasticError: 400 for a whole number that would lose digits.
    """
    refuse_long_numbers(source)
    return orjson.loads(source)


def refuse_long_numbers(source: bytes) -> None:
    """Refuse to write a whole number of more than 64 bits again.

    Raises:
        ElasticError: 400 that names it.
    """
    if LONG.search(source):
        json.loads(source.decode("utf-8", "surrogatepass").removeprefix("\ufeff"), parse_int=whole)


def whole(text: str) -> int:
    """A whole number of 64 bits.

    Raises:
        ElasticError: 400 for a longer one.
    """
    value = int(text)
    if INT_MIN <= value <= INT_MAX:
        return value
    raise unsupported(f"`_source` or `filter_path` over a document with the number {text}")


def is_plain(value: Any, source: bytes) -> bool:
    """Whether JSON is spelled as it would be written again; what is too deep to be written is not."""
    try:
        return orjson.dumps(value) == source
    except orjson.JSONEncodeError:
        return False


def read_float(text: str) -> float:
    """A fraction, marked when it is odd."""
    value = float(text)
    if orjson.dumps(value).decode() == text:
        return value
    odd = OddFloat(value)
    odd.text = text
    return odd


def read_int(text: str) -> int:
    """A whole number, marked when it is odd."""
    value = int(text)
    if INT_MIN <= value <= INT_MAX and text != "-0":
        return value
    odd = OddInt(value)
    odd.text = text
    return odd


def unique(pairs: list[tuple[str, Any]]) -> Json:
    """The members of an object.

    Raises:
        RepeatedNameError: One of them stands there twice.
    """
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise RepeatedNameError(name)
        seen.add(name)
    return members


def refuse_comments(source: bytes) -> None:
    """Refuse what is no JSON for a comment in it, which Elasticsearch reads over.

    Raises:
        ElasticError: 400.
    """
    if COMMENT.search(TEXT.sub(b"", source)):
        raise unsupported("a comment in JSON")


def refuse_half_characters(source: bytes) -> None:
    """Refuse what is JSON to Elasticsearch only: half a surrogate pair, or a byte order mark.

    Raises:
        ElasticError: 400.
    """
    try:
        reread(source)
    except (ValueError, RecursionError):
        return
    raise unsupported("half a surrogate pair, or a byte order mark, in a line that says what to do")


def refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"Non-standard token '{name}'")
