"""How a field's indexed values are read from a document, under one index's mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.programs.elastic_lite.mapping.field_types import (
    TEXTS,
    BadValueError,
    Field,
    Indexed,
    flattened_leaves,
    read_value,
)
from harness.programs.elastic_lite.mapping.mappings import values_at
from harness.programs.elastic_lite.storage.catalog import Index

Json = dict[str, Any]
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the indexed values of a field: of a leaf, or of one key (or all of them) of a flattened field."""

    leaf: Field
    key: str | None = None

    def read(self, source: Json) -> Iterator[Indexed]:
        """Every value that the index holds for the field; text comes as its words."""
        for value in values_at(source, self.leaf.path):
            if self.leaf.kind == "flattened":
                yield from (
                    text for key, text in flattened_leaves(self.leaf, value) if self.key in (None, key)
                )
                continue
            known = lenient_value(self.leaf, value)
            if known is None:
                continue
            if self.leaf.kind in TEXTS:
                yield from words(str(known))
            else:
                yield known


def reader_of(name: str, index: Index) -> Reader | None:
    """How to read a field, or None when the mapping does not have it."""
    leaf = index.mapping.leaves.get(name)
    if leaf is not None:
        main = parent_path(name, index)
        return Reader(Field(main, leaf.kind, leaf.parameters))
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        holder = index.mapping.leaves.get(".".join(parts[:cut]))
        if holder is not None and holder.kind == "flattened":
            return Reader(holder, ".".join(parts[cut:]))
    return None


def parent_path(name: str, index: Index) -> str:
    """Where the values of a leaf lie in a document: a multi-field reads the field it hangs on."""
    holder = name.rpartition(".")[0]
    return holder if holder in index.mapping.leaves else name


def lenient_value(leaf: Field, value: Any) -> Indexed | None:
    """A stored value as the index holds it; one kept although malformed is not indexed."""
    try:
        return read_value(leaf, value)
    except BadValueError:
        return None


def words(text: str) -> Iterator[str]:
    """The words of a text in lower case, close to the standard analyzer."""
    return (found.group().lower() for found in WORD.finditer(text))
