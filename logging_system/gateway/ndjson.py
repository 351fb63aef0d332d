"""Reads newline-delimited JSON: an object a line, already named as the Elastic Common Schema does.

A line that is no JSON object is kept all the same, as the message of a document of its own: a shipper that is
told "400" drops the neighbours with it, or sends them for ever.
"""

from __future__ import annotations

import orjson

from logging_system.gateway.batch import ECS_VERSION, Batch
from logging_system.gateway.bodies import BodyError
from logging_system.records.document import Document

UNPARSED = "gateway.unparsed"
_DEPTH_MAX = 100
"""The encoder ends at 254 levels, Elasticsearch's flattened fields at 20."""


def read_ndjson(body: bytes, received: str, batch: Batch) -> None:
    """Add a document for each line that is not empty.

    Args:
        body: The unpacked body.
        received: When it came, for lines that don't say when they were written (ISO 8601, UTC).
        batch: Where documents go.

    Raises:
        BodyError: A line is longer than one may be; nothing of the body may be kept.
    """
    for number, ended in enumerate(body.split(b"\n"), start=1):
        line = ended.removesuffix(b"\r")
        if not line.strip():
            continue
        if len(line) > batch.record_bytes_max:
            raise BodyError(
                413, f"line {number} has {len(line)} bytes, the limit is {batch.record_bytes_max}"
            )
        where = f"line {number}"
        parsed = _object(line)
        if isinstance(parsed, str):
            batch.add({**_defaults(received), **_unparsed(line, parsed)}, where)
            continue
        lacking = {key: value for key, value in _defaults(received).items() if key not in parsed}
        members = orjson.dumps(lacking)[1:-1] + b"," if lacking else b""
        batch.add_line(line, members, {**lacking, **parsed}, where)


def _defaults(received: str) -> Document:
    return {"@timestamp": received, "ecs": {"version": ECS_VERSION}}


def _object(line: bytes) -> Document | str:
    """Return the object a line holds, or why it holds none."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return str(error)
    if not isinstance(value, dict):
        return "not an object"
    # Counting is cheap and says "surely not too deep" for nearly every line.
    if line.count(b"{") + line.count(b"[") > _DEPTH_MAX and not _is_shallow(value, _DEPTH_MAX):
        return f"nested deeper than {_DEPTH_MAX} levels"
    return value


def _is_shallow(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(one, depth - 1) for one in inner)


def _unparsed(line: bytes, why: str) -> Document:
    return {"message": line.decode("utf-8", "backslashreplace"), "labels": {UNPARSED: why}}
