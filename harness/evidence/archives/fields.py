"""The line and other fields within a stored document, named by a key or by a path of keys with dots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.model.declarations import Scalar


def line_of(document: object, field: str) -> str:
    """Return the text at `field`; what is not there reads as an empty line, which no run has sent.

    A dot is part of a key or parts two keys, as in Elasticsearch: `log.original` finds `{"log.original": …}`
    and `{"log": {"original": …}}` alike.

    Args:
        document: as it was stored, of JSON's types.
        field: a key, or several parted by dots.
    """
    found = _at(document, field.split("."))
    try:
        return "" if found is None else str(found)
    except RecursionError:
        return ""  # nested deeper than Python can write: nobody's line


def values_of(document: object, fields: Sequence[str]) -> tuple[Scalar | None, ...]:
    """Return the values at several fields; None where there is none, or more than one.

    Args:
        document: as it was stored, of JSON's types.
        fields: each a key, or several parted by dots; the values come back in this order.
    """
    found = [_at(document, field.split(".")) for field in fields]
    return tuple(value if isinstance(value, str | int | float | bool) else None for value in found)


def scalars_in(document: object, depth_max: int = 20) -> Iterator[tuple[str, Scalar]]:
    """Yield every text, number and truth value in a document with its field, dots parting keys; no lists.

    Args:
        document: as it was stored, of JSON's types; of anything but a mapping nothing is yielded.
        depth_max: how many mappings within each other are looked into; what is deeper is left out.
    """
    if not isinstance(document, Mapping) or not depth_max:
        return
    for key, value in document.items():
        if isinstance(value, str | int | float | bool):
            yield str(key), value
        else:
            for inner, scalar in scalars_in(value, depth_max - 1):
                yield f"{key}.{inner}", scalar


def texts_with(document: object, word: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a document that holds a word, with its field."""
    for field, value in scalars_in(document):
        if isinstance(value, str) and word in value:
            yield field, value


def _at(document: object, path: list[str]) -> object:
    if not path:
        return document
    if not isinstance(document, Mapping):
        return None
    for length in range(len(path), 0, -1):
        key = ".".join(path[:length])
        if key in document and (found := _at(document[key], path[length:])) is not None:
            return found
    return None
