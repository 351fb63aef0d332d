"""Changes parts of a JSON text and leaves every other byte as it was sent.

Reading a line and writing it again would round integers beyond 64 bits and decimals beyond a double, and lose
spacing and escapes. So only what changes is written anew; the rest is copied.

All texts given here are valid JSON objects already (`orjson.loads` has read them), at most some hundred
levels deep. Grammar: RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import orjson

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SPACE = re.compile(rb"[ \t\n\r]*+")
_SCALAR = re.compile(rb"[^ \t\n\r,\]}]++")
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_OPENING_BRACE = 0x7B
_CONTAINERS = b"{["
_ESCAPED_QUOTE = b"\\u0022"

Key = str | int
"""The name of a member, or the place of an element, counted from 0."""


class EditError(ValueError):
    """A change does not fit what is there."""


@dataclass(frozen=True, slots=True)
class New:
    """What a value becomes: the bytes of another one."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """What a member becomes: the same value under another name."""

    name: str


@dataclass(frozen=True, slots=True)
class Gone:
    """What a member or element becomes: nothing."""


Tree = Mapping[Key, "New | Named | Gone | Tree"]
"""Changes by key; those inside a value are a tree of their own."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A member of an object or an element of an array: `begin` and `end` take in the space around it."""

    key: Key
    begin: int
    name_start: int
    name_end: int
    value_start: int
    value_end: int
    end: int


def rewritten(text: bytes, tree: Tree) -> bytes:
    """Return a JSON object with changes; all bytes that no change names are kept.

    Args:
        text: The object.
        tree: What changes. A member that is not there is added at the end of its object.

    Raises:
        EditError: A change does not fit what is there, or two members would have one name.
    """
    out: list[bytes] = []
    start = _after_space(text, 0)
    end = _rewrite(text, start, tree, out)
    return text[:start] + b"".join(out) + text[end:]


def with_unique_names(text: bytes, parsed: object) -> bytes:
    """Return a JSON object without members whose name comes again in the same object; the last one stays.

    That is how the object is read, so nothing is in the result that `parsed` does not show.

    Args:
        text: The object.
        parsed: The same, read by `orjson.loads`.
    """
    # A member that is read over has two quotes that what was read has not. Counting them is cheap; only a
    # quote written by its number could make up for that.
    if _ESCAPED_QUOTE not in text and text.count(b'"') == orjson.dumps(parsed).count(b'"'):
        return text
    out: list[bytes] = []
    start = _after_space(text, 0)
    end = _keep_last(text, start, out)
    return text[:start] + b"".join(out) + text[end:]


def _rewrite(text: bytes, start: int, tree: Tree, out: list[bytes]) -> int:
    """Append the container at `start` with its changes; return where it ends."""
    left = dict(tree)
    names: list[Key] = []

    def change(part: _Part) -> bool:
        becomes = left.pop(part.key, None)
        if isinstance(becomes, Gone):
            return False
        names.append(becomes.name if isinstance(becomes, Named) else part.key)
        _append_changed(text, part, becomes, out)
        return True

    end = _copy(text, start, change, out)
    added = [_added(key, becomes, text[start] == _OPENING_BRACE) for key, becomes in left.items()]
    if len({*names, *left}) != len(names) + len(left):
        raise EditError("two members of one object would have the same name")
    if added:
        if names:
            added.insert(0, b"")
        out[-1:] = [b",".join(added), out[-1]]
    return end


def _copy(text: bytes, start: int, take: Callable[[_Part], bool], out: list[bytes]) -> int:
    """Append the container at `start`; `take` appends each part, or says that it is left out."""
    out.append(text[start : start + 1])
    position, separator = start + 1, b""
    for part in _parts(text, start):
        out.append(separator)
        if take(part):
            separator = b","
        else:
            out.pop()
        position = part.end
    close = _after_space(text, position)
    out.append(text[position : close + 1])
    return close + 1


def _append_changed(text: bytes, part: _Part, becomes: object, out: list[bytes]) -> None:
    if becomes is None:
        out.append(text[part.begin : part.end])
    elif isinstance(becomes, New):
        out += (text[part.begin : part.value_start], becomes.encoded, text[part.value_end : part.end])
    elif isinstance(becomes, Named):
        if isinstance(part.key, int):
            raise EditError(f"element {part.key} of a list has no name that could change")
        name = orjson.dumps(becomes.name)
        out += (text[part.begin : part.name_start], name, text[part.name_end : part.end])
    elif isinstance(becomes, Mapping):
        if text[part.value_start] not in _CONTAINERS:
            raise EditError(f"{part.key}: is neither an object nor a list, so nothing in it can change")
        out.append(text[part.begin : part.value_start])
        end = _rewrite(text, part.value_start, becomes, out)
        out.append(text[end : part.end])


def _added(key: Key, becomes: object, in_object: bool) -> bytes:
    if isinstance(key, int) or not in_object:
        raise EditError(f"{key}: is not in the list")
    if isinstance(becomes, New):
        return orjson.dumps(key) + b":" + becomes.encoded
    if isinstance(becomes, Mapping):
        return orjson.dumps(key) + b":{" + b",".join(_added(*inner, True) for inner in becomes.items()) + b"}"
    raise EditError(f"{key}: is not there")


def _keep_last(text: bytes, start: int, out: list[bytes]) -> int:
    last = {part.key: part.begin for part in _parts(text, start)}

    def take(part: _Part) -> bool:
        if last[part.key] != part.begin:
            return False
        if text[part.value_start] in _CONTAINERS:
            out.append(text[part.begin : part.value_start])
            end = _keep_last(text, part.value_start, out)
            out.append(text[end : part.end])
        else:
            out.append(text[part.begin : part.end])
        return True

    return _copy(text, start, take, out)


def _parts(text: bytes, start: int) -> Iterator[_Part]:
    """Yield the members or elements of the container at `start`, in order."""
    is_object = text[start] == _OPENING_BRACE
    begin, place = start + 1, 0
    if text[_after_space(text, begin)] in b"}]":
        return
    while True:
        name_start = name_end = value_start = _after_space(text, begin)
        key: Key = place
        if is_object:
            name_end = _end_of_value(text, name_start)
            key = _name(text[name_start:name_end])
            value_start = _after_space(text, _after_space(text, name_end) + 1)  # behind the colon
        value_end = _end_of_value(text, value_start)
        end = _after_space(text, value_end)
        yield _Part(key, begin, name_start, name_end, value_start, value_end, end)
        if text[end] in b"}]":
            return
        begin, place = end + 1, place + 1


def _name(written: bytes) -> str:
    return str(orjson.loads(written)) if b"\\" in written else written[1:-1].decode()


def _end_of_value(text: bytes, start: int) -> int:
    if text[start] not in _CONTAINERS:
        return _match_end(_STRING if text[start] == 0x22 else _SCALAR, text, start)
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text, start):
        token = text[found.start()]
        if token in _CONTAINERS:
            depth += 1
        elif token != 0x22:
            depth -= 1
            if depth == 0:
                return found.end()
    raise ValueError("the text is no JSON")


def _after_space(text: bytes, start: int) -> int:
    return _match_end(_SPACE, text, start)


def _match_end(pattern: re.Pattern[bytes], text: bytes, start: int) -> int:
    found = pattern.match(text, start)
    if found is None:
        raise ValueError("the text is no JSON")
    return found.end()
