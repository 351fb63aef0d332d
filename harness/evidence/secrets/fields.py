"""Which field of a document holds what was found in its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from harness.evidence.secrets.needles import Needle, Needles

_LINE_BYTES_MAX = 256 << 10
_DEPTH_MAX = 20


def field_with(body: bytes, needles: Needles, needle: Needle) -> str:
    """Return the path of the field that holds a needle, its keys parted by dots; empty where none is told.

    Args:
        body: the document's bytes; what is not JSON tells no field.
        needles: what is looked for in each text of it.
        needle: the one that was found in `body`.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    for path, text in _texts(document, "", _DEPTH_MAX):
        if any(found == needle for _, _, found in needles.hits(text.encode("utf-8", "surrogatepass"))):
            return path
    return ""


def line_around(path: Path, at_byte: int) -> bytes:
    """Return the line of a file that holds a byte; nothing where it is too long or cannot be read.

    Args:
        path: a file that others may still write to.
        at_byte: the byte's place in the file, from 0.
    """
    try:
        with path.open("rb") as file:
            begin = max(0, at_byte - _LINE_BYTES_MAX)
            file.seek(begin)
            around = file.read(2 * _LINE_BYTES_MAX)
    except OSError:
        return b""
    at = at_byte - begin
    first = around.rfind(b"\n", 0, at) + 1
    last = around.find(b"\n", at)
    return around[first : len(around) if last < 0 else last]


def _texts(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every text in a document with the path of its field; keys are texts of their own."""
    if isinstance(value, str):
        yield path, value
    elif depth and isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            yield from _texts(inner, below, depth - 1)
            yield f"{path or 'the document'} (a key)", str(key)
    elif depth and isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{place}]", depth - 1)
