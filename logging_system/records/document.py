"""One record on its way to the spool, as processors see it, wherever it came from.

A record is a JSON object with the names of the Elastic Common Schema. One that a handler or an OTLP client
made is a document that is not encoded yet; one that came as a line of NDJSON is its bytes. `Record` shows
both alike, and changes each in its own way: of a line, only the bytes of what changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from logging_system.records.json_bytes import (
    EditError,
    Gone,
    Key,
    Named,
    New,
    Tree,
    rewritten,
    with_unique_names,
)
from logging_system.records.truncation import label_text

Document = dict[str, object]

Path = tuple[Key, ...]
"""Where a value is: names of members and places in lists, from the outermost inwards."""


@dataclass(frozen=True, slots=True)
class Put:
    """Gives a field a value; the field and the objects around it are created where they are missing.

    Attributes:
        path: Where.
        value: Any value that JSON has.
    """

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Remove:
    """Takes a field out.

    Attributes:
        path: Where; nothing happens where there is no such field.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class Rename:
    """Gives a field another name; its value is kept as it was sent.

    Attributes:
        path: Where.
        name: Its new last name.
    """

    path: Path
    name: str


Edit = Put | Remove | Rename
_Tree = dict[Key, "Edit | _Tree"]


class Record:
    """A record that cannot change; `edited` returns another one.

    Made by `of_document` and `of_line`.

    Args:
        document: The fields; None where `encoded` has them.
        encoded: The JSON; None where it is not made yet.
        is_line: Whether it came as a line.
    """

    __slots__ = ("_document", "_encoded", "_is_line")

    def __init__(self, document: Document | None, encoded: bytes | None, *, is_line: bool) -> None:
        self._document = document
        self._encoded = encoded
        self._is_line = is_line

    @classmethod
    def of_document(cls, document: Document) -> Record:
        """Return the record that a document is."""
        return cls(document, None, is_line=False)

    @classmethod
    def of_line(cls, line: bytes, parsed: Document) -> Record:
        """Return the record that a JSON object is.

        Args:
            line: The object's bytes. Of members with the same name in one object only the last one is taken:
                what processors do not see is not written either.
            parsed: The same, read by `orjson.loads`.
        """
        return cls(parsed, with_unique_names(line, parsed), is_line=True)

    @property
    def document(self) -> Mapping[str, object]:
        """The fields, to be read only.

        A number beyond 64 bits is shown as a float; `encoded` has its digits.
        """
        if self._document is None:
            self._document = orjson.loads(self.encoded)
        return self._document

    @property
    def encoded(self) -> bytes:
        """The JSON object as it would be stored."""
        if self._encoded is None:
            self._encoded = encode_document(self._document or {})
        return self._encoded

    def edited(self, edits: Sequence[Edit]) -> Record:
        """Return a record with changes, or this one where there are none.

        All edits are made at once, each at the path that its field has in this record. Cost: once over the
        record, however many they are.

        Args:
            edits: What changes.

        Raises:
            EditError: A path is empty, lies within another one, or does not fit what is there; or two fields
                of one object would have the same name.
        """
        if not edits:
            return self
        tree = _tree(edits)
        if self._is_line:
            return Record(None, rewritten(self.encoded, _byte_tree(tree)), is_line=True)
        return Record(_edited_object(self._document or {}, tree), None, is_line=False)


def encode_document(document: object) -> bytes:
    """Return a document, or a value in it, as JSON; what JSON cannot carry is written so that it can."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return orjson.dumps(_storable(document))


def _storable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_storable(str(key)): _storable(inner) for key, inner in value.items()}
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return _storable(label_text(value))


def _tree(edits: Sequence[Edit]) -> _Tree:
    root: _Tree = {}
    for edit in edits:
        if not edit.path:
            raise EditError("an edit's path is empty")
        node = root
        for key in edit.path[:-1]:
            inner = node.setdefault(key, {})
            if not isinstance(inner, dict):
                raise EditError(f"{_shown(edit.path)}: lies within the path of another edit")
            node = inner
        if edit.path[-1] in node:
            raise EditError(f"{_shown(edit.path)}: another edit has this path or one within it")
        node[edit.path[-1]] = edit
    return root


def _shown(path: Path) -> str:
    return ".".join(map(str, path))


def _byte_tree(tree: _Tree) -> Tree:
    return {key: _byte_change(inner) for key, inner in tree.items()}


def _byte_change(inner: Edit | _Tree) -> New | Named | Gone | Tree:
    if isinstance(inner, Put):
        return New(encode_document(inner.value))
    if isinstance(inner, Rename):
        return Named(inner.name)
    return _byte_tree(inner) if isinstance(inner, dict) else Gone()


def _edited_value(value: object, inner: Edit | _Tree, key: Key) -> object:
    if isinstance(inner, Put):
        return inner.value
    if isinstance(inner, Rename):
        return value
    if isinstance(inner, dict) and isinstance(value, Mapping):
        return _edited_object(value, inner)
    if isinstance(inner, dict) and isinstance(value, list):
        return _edited_list(value, inner)
    raise EditError(f"{key}: is neither an object nor a list, so nothing in it can change")


def _edited_object(value: Mapping[str, object], tree: _Tree) -> Document:
    changed: Document = {}
    left = dict(tree)
    fields = 0
    for name, inner in value.items():
        change = left.pop(name, None)
        if isinstance(change, Remove):
            continue
        fields += 1
        kept = name if not isinstance(change, Rename) else change.name
        changed[kept] = inner if change is None else _edited_value(inner, change, name)
    for key, change in left.items():
        fields += 1
        changed[str(key)] = _added_value(key, change)
    if len(changed) != fields:
        raise EditError("two members of one object would have the same name")
    return changed


def _edited_list(values: list[object], tree: _Tree) -> list[object]:
    changed: list[object] = []
    left = dict(tree)
    for place, inner in enumerate(values):
        change = left.pop(place, None)
        if isinstance(change, Rename):
            raise EditError(f"element {place} of a list has no name that could change")
        if not isinstance(change, Remove):
            changed.append(inner if change is None else _edited_value(inner, change, place))
    if left:
        raise EditError(f"{next(iter(left))}: is not in the list")
    return changed


def _added_value(key: Key, change: Edit | _Tree) -> object:
    if isinstance(key, int):
        raise EditError(f"{key}: is not in the list")
    if isinstance(change, Put):
        return change.value
    if isinstance(change, dict):
        return {str(name): _added_value(name, inner) for name, inner in change.items()}
    raise EditError(f"{key}: is not there")
