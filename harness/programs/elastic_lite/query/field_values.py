"""How a field's indexed values are read from a document, under one index's mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.language.words import words
from harness.programs.elastic_lite.mapping.field_types import (
    TEXTS,
    BadValueError,
    Field,
    Indexed,
    flattened_leaves,
    java_length,
    read_value,
)
from harness.programs.elastic_lite.mapping.mappings import values_at
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the indexed values of a field: of a leaf, or of one key (or all of them) of a flattened field."""

    leaf: Field
    key: str | None = None

    def values(self, source: Json) -> Iterator[Indexed]:
        """Every value that the index holds for the field; a text comes whole."""
        if self.leaf.kind == "constant_keyword":
            if self.leaf.parameters.get("value") is not None:
                yield str(self.leaf.parameters["value"])
            return
        for value in self.stored(source):
            if self.leaf.kind == "flattened":
                yield from self.flattened(value)
                continue
            known = lenient_value(self.leaf, value)
            if known is not None:
                yield known

    def stored(self, source: Json) -> Iterator[Any]:
        """The values of the document that the field takes, its own before those copied to it."""
        yield from values_at(source, self.leaf.holder or self.leaf.path, self.leaf.null_value)
        for path in self.leaf.sources:
            yield from values_at(source, path)

    def flattened(self, value: Any) -> Iterator[str]:
        """The texts in one object of a flattened field."""
        limit = self.leaf.parameters.get("ignore_above")
        for key, text in flattened_leaves(self.leaf, value):
            if self.key in (None, key) and (limit is None or java_length(text) <= int(limit)):
                yield text

    def read(self, source: Json) -> Iterator[Indexed]:
        """Every value as a term of the index: a text comes as its words."""
        if self.leaf.kind not in TEXTS:
            yield from self.values(source)
            return
        for text in self.values(source):
            yield from words(str(text))


def reader_of(name: str, index: Index) -> Reader | None:
    """How to read a field, or None when the mapping does not have it, or only inside of nested objects."""
    leaf = index.mapping.leaves.get(name)
    if leaf is not None:
        return None if leaf.nested else Reader(leaf)
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        holder = index.mapping.leaves.get(".".join(parts[:cut]))
        if holder is not None and holder.kind == "flattened" and not holder.nested:
            return Reader(holder, ".".join(parts[cut:]))
    return None


def lenient_value(leaf: Field, value: Any) -> Indexed | None:
    """A stored value as the index holds it; one kept although malformed is not indexed."""
    try:
        return read_value(leaf, value)
    except BadValueError:
        return None
