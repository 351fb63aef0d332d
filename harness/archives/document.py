"""A document's fields, by the dotted paths that stack files use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.protocols import Scalar


def field_value(document: object, path: str) -> Scalar | None:
    """Return a field's value; None where it is missing or holds more than one value.

    A document may spell a path out (`{"a": {"b": 1}}`) or have it as a key (`{"a.b": 1}`), as Elasticsearch
    allows.
    """
    if isinstance(document, Mapping) and path in document:
        value = document[path]
    else:
        value = _inside(document, path.split("."))
    return value if isinstance(value, str | int | float | bool) else None


def field_values(document: object, paths: Sequence[str]) -> tuple[Scalar | None, ...]:
    """Return the values of several fields."""
    return tuple(field_value(document, path) for path in paths)


def _inside(document: object, parts: Sequence[str]) -> object:
    for part in parts:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document
