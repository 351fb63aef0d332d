"""Turns a `logging.LogRecord` into an Elastic Common Schema document, in two steps on two threads.

`capture` runs on the caller's thread and takes only what a later mutation could change; `encode` runs on the
worker.

The message is kept byte for byte. JSON cannot carry a lone surrogate (Python reads undecodable bytes into
them), so each becomes six ASCII characters: a backslash, `u` and its four digits, `dc80` for U+DC80. Texts
beyond their bound are cut and end in `…[N characters cut]`.

Field names: https://www.elastic.co/guide/en/ecs/8.17/ecs-field-reference.html
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

MESSAGE_CHARACTERS_MAX = 256 * 1024
STACK_CHARACTERS_MAX = 64 * 1024
LABEL_CHARACTERS_MAX = 1024
LABEL_KEY_CHARACTERS_MAX = 256
LABELS_MAX = 64
LABEL_DEPTH_MAX = 4
_FRAMES_MAX = 100

Label = str | int | float | bool | None
Document = dict[str, object]
Scrubber = Callable[[Document], Document]
"""Takes secrets out of a document before it is written anywhere: the seam where masking enters."""

_IMMUTABLE = frozenset({str, int, float, bool, type(None), bytes})
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class Producer:
    """Who writes the records.

    Attributes:
        service: `service.name`.
        entity_id: `process.entity_id`, the writer's epoch: sorting by it and then by `event.sequence`
            gives the order in which each process logged, also across forks and restarts.
    """

    service: str
    entity_id: str


@dataclass(slots=True)
class Captured:
    """A record as the caller left it.

    Attributes:
        record: The record itself; its arguments are read later only if they cannot change.
        message: The formatted message, or None where formatting can wait.
        labels: The `extra` values, flattened.
        error: Type, message and stack trace, where there is an exception.
        size_bytes: Roughly what it holds in memory.
    """

    record: logging.LogRecord
    message: str | None
    labels: dict[str, Label]
    error: dict[str, str] | None
    size_bytes: int


def identity(document: Document) -> Document:
    """Scrub nothing."""
    return document


def capture(record: logging.LogRecord) -> Captured:
    """Take from a record what may change after the call; never raises for what is in it."""
    labels = labels_of(record.__dict__, left_out=_STANDARD)
    error = _error(record)
    args = record.args
    held_bytes = 512 + _size(labels) + _size(error)
    if type(record.msg) is str and (not args or _are_immutable(args)):
        held_bytes += len(record.msg)
        if args:
            held_bytes += sum(len(arg) for arg in args if isinstance(arg, str | bytes))
        return Captured(record, None, labels, error, held_bytes)
    message = _message(record, labels)
    return Captured(record, message, labels, error, held_bytes + len(message))


def labels_of(attributes: Mapping[str, object], left_out: Set[str] = frozenset()) -> dict[str, Label]:
    """Return attributes as flat labels, bounded in number, depth and length.

    Args:
        attributes: Values by name; nested mappings become dotted names.
        left_out: Names that are no labels.
    """
    labels: dict[str, Label] = {}
    for key in attributes.keys() - left_out:
        for path, value in _flatten(str(key), attributes[key], LABEL_DEPTH_MAX):
            if len(labels) >= LABELS_MAX:
                return labels
            labels[path[:LABEL_KEY_CHARACTERS_MAX].replace("\0", "\\0") or "_"] = value
    return labels


def encode(captured: Captured, sequence: int, producer: Producer, scrub: Scrubber = identity) -> bytes:
    """Return the document of a captured record as JSON.

    Args:
        captured: The record.
        sequence: Its number within the writer's epoch, stored as `event.sequence`.
        producer: Who writes it.
        scrub: Takes secrets out.
    """
    return encode_document(scrub(_document(captured, sequence, producer)))


def encode_document(document: Document) -> bytes:
    """Return a document as JSON; what JSON cannot carry is written so that it can."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return orjson.dumps(_storable(document))


def _document(captured: Captured, sequence: int, producer: Producer) -> Document:
    record = captured.record
    labels = captured.labels
    message = captured.message if captured.message is not None else _message(record, labels)
    document: Document = {
        "@timestamp": _timestamp(record.created),
        "message": message,
        "log": {
            "level": str(record.levelname).lower(),
            "logger": record.name,
            "origin": {
                "file": {"name": record.filename, "line": record.lineno},
                "function": record.funcName,
            },
        },
        "service": {"name": producer.service},
        "process": {
            "pid": record.process,
            "entity_id": producer.entity_id,
            "thread": {"name": record.threadName},
        },
        "event": {"sequence": sequence},
        "ecs": {"version": "8.17"},
    }
    if labels:
        document["labels"] = labels
    if captured.error is not None:
        document["error"] = captured.error
    return document


def _timestamp(created: object) -> str:
    try:
        moment = datetime.fromtimestamp(float(created), UTC)  # type: ignore[arg-type]  # anything may be in there
    except (TypeError, ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _are_immutable(args: object) -> bool:
    return type(args) is tuple and all(type(arg) in _IMMUTABLE for arg in args)


def _message(record: logging.LogRecord, labels: dict[str, Label]) -> str:
    try:
        return _cut(str(record.getMessage()), MESSAGE_CHARACTERS_MAX)
    except Exception as error:
        # A template that does not fit its arguments is the application's mistake; the line is worth keeping.
        labels["unformatted"] = type(error).__name__
        return _cut(record.msg, MESSAGE_CHARACTERS_MAX) if type(record.msg) is str else _type_name(record.msg)


def _error(record: logging.LogRecord) -> dict[str, str] | None:
    if not record.exc_info:
        return (
            {"stack_trace": _cut(str(record.stack_info), STACK_CHARACTERS_MAX)} if record.stack_info else None
        )
    try:
        kind, value, trace = record.exc_info
        text = "".join(traceback.format_exception(kind, value, trace, limit=-_FRAMES_MAX))
        return {
            "type": kind.__qualname__ if kind is not None else "None",
            "message": _cut(str(value), MESSAGE_CHARACTERS_MAX),
            "stack_trace": _cut(text, STACK_CHARACTERS_MAX),
        }
    except Exception as error:
        return {"type": _type_name(record.exc_info), "message": f"unformatted: {type(error).__name__}"}


def _flatten(path: str, value: object, depth: int) -> Iterator[tuple[str, Label]]:
    if isinstance(value, dict) and depth > 1:
        for key, inner in list(value.items())[:LABELS_MAX]:
            yield from _flatten(f"{path}.{_text(key)}", inner, depth - 1)
    elif type(value) in (bool, float, type(None)) or (type(value) is int and -(2**63) <= value < 2**63):
        yield path, value  # type: ignore[misc]  # the exact types above are labels
    else:
        yield path, _text(value)


def _text(value: object) -> str:
    try:
        return _cut(value if type(value) is str else str(value), LABEL_CHARACTERS_MAX)
    except Exception as error:
        return f"{_type_name(value)} unformatted: {type(error).__name__}"


def _storable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_storable(str(key)): _storable(inner) for key, inner in value.items()}
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    return _storable(_text(value))


def _cut(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    return f"{text[:characters_max]}…[{len(text) - characters_max} characters cut]"


def _type_name(value: object) -> str:
    return f"<{type(value).__qualname__}>"


def _size(texts: Mapping[str, Label] | None) -> int:
    return sum(len(text) for text in texts.values() if isinstance(text, str)) if texts else 0
