"""Turns a `logging.LogRecord` into an Elastic Common Schema document, in two steps on two threads.

`capture` runs on the caller's thread: it copies the attributes, which is one step, and formats only what a
later mutation could change. `encode` runs on the worker.

The message is kept byte for byte. JSON cannot carry a lone surrogate (Python reads undecodable bytes into
them), so each becomes six ASCII characters: a backslash, `u` and its four digits, `dc80` for U+DC80. Texts
beyond their bound are cut and say so: `…[N characters cut]`.

Field names: https://www.elastic.co/guide/en/ecs/8.17/ecs-field-reference.html
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple, get_args

import orjson

from logging_system.records.document import Document, Record, encode_document
from logging_system.records.exception import error_of
from logging_system.records.labels import are_plain, labels_of
from logging_system.records.origin import origin_fields, origin_members, origin_of
from logging_system.records.processors import Chain, Dropped
from logging_system.records.trace_fields import FLAGS_LABEL, trace_fields
from logging_system.records.truncation import Label, message_text

DURABILITY_KEY = "durability"
"""What `extra` calls the class one record asks for; with any other value it is a label like all others."""

_BARE_BYTES = 512
_TIMESTAMPS_END = 2.0**32
_MOST = b'{"@timestamp":"%b","message":%b,%b,"event":{"sequence":%d},"ecs":{"version":"8.17"}%b}'
"""`_document` of a record that has no more than most, as JSON."""

Durability = Literal["memory", "write", "fsync"]
_DURABILITIES: frozenset[object] = frozenset(get_args(Durability))

_IMMUTABLE = frozenset({str, int, float, bool, type(None), bytes})
_OWN = tuple(logging.makeLogRecord({}).__dict__)
_LAST_OWN = _OWN[-1]
_STANDARD = frozenset((*_OWN, "message", "asctime", "taskName"))


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


class Aside(NamedTuple):
    """What few records have; a named tuple, because it is made on the caller's time.

    Attributes:
        message: The formatted message, or None where formatting can wait.
        labels: The `extra` values, flattened on the spot, or None where none of them can change.
        error: Type, message and stack trace, where there is an exception.
    """

    message: str | None
    labels: dict[str, Label] | None
    error: dict[str, str] | None


_NOTHING_ASIDE = Aside(None, None, None)

Captured = tuple[dict[str, Any], int, Durability | None, logging.LogRecord | None, Aside, object | None]
"""A record as the caller left it; a tuple, because an object of a class takes the caller ten times as long.

* A copy of its attributes; what is in them cannot change, but for what is aside.
* Roughly the bytes it holds in memory.
* The class it is acknowledged at: what the call asked for, or else what the handler does.
* The record itself where a callback will name it; nothing of it is read here after the call.
* What few records have.
* OpenTelemetry's context of the span it was logged in, which cannot change; None where it was in none.
"""


def size_bytes(captured: Captured) -> int:
    """Return roughly what a captured record holds in memory."""
    return captured[1]


def is_acknowledged(captured: Captured) -> bool:
    """Tell whether it is named to the application as soon as it is queued: it must not be given up then.

    Args:
        captured: A record that is queued.
    """
    return captured[2] == "memory"


def is_to_be_synced(captured: Captured, durability: Durability) -> bool:
    """Tell whether it is acknowledged only when synced.

    Args:
        captured: A record that is queued.
        durability: That of records that ask for none.
    """
    return (captured[2] or durability) == "fsync"


def to_be_named(group: Iterable[Captured]) -> list[logging.LogRecord]:
    """Return the records of a durable group that the callback has not named yet."""
    return [
        record
        for _attributes, _bytes, durability, record, _aside, _context in group
        if record is not None and durability != "memory"
    ]


def delays_seconds(group: Sequence[Captured], now_seconds: float) -> list[float]:
    """Return how long ago each record was logged; 0 where that lies ahead, or is no number.

    Args:
        group: One record or more.
        now_seconds: Seconds since 1970.
    """
    try:
        delays = [now_seconds - captured[0]["created"] for captured in group]
        if min(delays) >= 0.0 and max(delays) < math.inf:
            return delays
    except (KeyError, TypeError, OverflowError):
        pass
    return [_delay_seconds(captured[0].get("created"), now_seconds) for captured in group]


def _delay_seconds(created: object, now_seconds: float) -> float:
    # An application may put anything there.
    try:
        delay_seconds = now_seconds - float(created)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return delay_seconds if 0.0 <= delay_seconds < math.inf else 0.0


def capture(
    record: logging.LogRecord,
    durability: Durability | None = None,
    is_named: bool = False,
    span_context: object | None = None,
) -> Captured:
    """Take from a record what may change after the call; never raises for what is in it.

    Args:
        record: The record.
        durability: The class of a record that asks for none.
        is_named: Whether a callback names the record later; otherwise it can go as soon as the call returns.
        span_context: OpenTelemetry's context of the span that the caller is in, or None.
    """
    attributes = record.__dict__.copy()
    if DURABILITY_KEY in attributes:
        durability = _take_durability(attributes) or durability
    labels: dict[str, Label] | None = None
    added_bytes = _added_bytes(attributes)
    if added_bytes is None:
        labels = labels_of(_extras(attributes))
        added_bytes = _size(labels)
    held_bytes = _BARE_BYTES + added_bytes
    error: dict[str, str] | None = None
    if attributes.get("exc_info") or attributes.get("exc_text") or attributes.get("stack_info"):
        error = error_of(attributes)
        held_bytes += _size(error)
    template, args = attributes["msg"], attributes["args"]
    message: str | None = None
    # A subclass may format in its own way.
    if type(template) is str and type(record) is logging.LogRecord and (not args or _are_immutable(args)):
        held_bytes += len(template)
        if args:
            held_bytes += sum(len(arg) for arg in args if isinstance(arg, str | bytes))
    else:
        notes: dict[str, object] = {}
        message = message_text(template, args, notes, None if type(record) is logging.LogRecord else record)
        held_bytes += len(message)
        if notes:
            labels = labels_of(notes, labels_of(_extras(attributes)) if labels is None else labels)
    aside = _NOTHING_ASIDE
    if message is not None or labels is not None or error is not None:
        aside = Aside(message, labels, error)
    return attributes, held_bytes, durability, record if is_named else None, aside, span_context


def encode(captured: Captured, sequence: int, producer: Producer) -> bytes:
    """Return the document of a captured record as JSON.

    Args:
        captured: The record.
        sequence: Its number within the writer's epoch, stored as `event.sequence`.
        producer: Who writes it.
    """
    usual = _encoded_as_most(captured, sequence, producer)
    return usual if usual is not None else encode_document(_document(captured, sequence, producer))


def encode_left(
    group: Sequence[Captured], first_sequence: int, producer: Producer, chain: Chain
) -> list[bytes] | None:
    """Return the documents of records that a chain leaves as they are; None where it may change one.

    Args:
        group: The records.
        first_sequence: `event.sequence` of the first; the others follow.
        producer: Who writes them.
        chain: What is done to each.
    """
    if not chain.may_leave:
        return None
    documents = [
        encode(captured, sequence, producer) for sequence, captured in enumerate(group, first_sequence)
    ]
    return documents if chain.leaves(documents) else None


def encode_processed(captured: Captured, sequence: int, producer: Producer, chain: Chain) -> bytes | Dropped:
    """Return what `encode` does once a chain of processors was run, or why the record is not kept.

    Args:
        captured: The record.
        sequence: Its number within the writer's epoch, stored as `event.sequence`.
        producer: Who writes it.
        chain: What is done to it first.
    """
    outcome = chain.run(Record.of_document(_document(captured, sequence, producer)))
    return outcome.encoded if isinstance(outcome, Record) else outcome


def _document(captured: Captured, sequence: int, producer: Producer) -> Document:
    attributes, _bytes, _durability, _record, (_message, _labels, error), span_context = captured
    message, labels = _message_and_labels(captured)
    document: Document = {
        "@timestamp": _timestamp(attributes["created"]),
        "message": message,
        **origin_fields(producer.service, producer.entity_id, *origin_of(attributes)),
        "event": {"sequence": sequence},
        "ecs": {"version": "8.17"},
    }
    if span_context is not None or "otelTraceID" in attributes:
        labels = _put_trace(document, labels, attributes, span_context)
    if labels:
        document["labels"] = labels
    if error is not None:
        document["error"] = error
    return document


def _encoded_as_most(captured: Captured, sequence: int, producer: Producer) -> bytes | None:
    """Return `_document` as JSON, put together from parts; None for a record that has more than most.

    The part of the origin is kept, since it is the same for each call at one place of a program.
    """
    attributes, _bytes, _durability, _record, (_message, _labels, error), span_context = captured
    if error is not None or span_context is not None or "otelTraceID" in attributes:
        return None
    message, labels = _message_and_labels(captured)
    try:
        return _MOST % (
            _timestamp(attributes["created"]).encode(),
            orjson.dumps(message),
            origin_members(producer.service, producer.entity_id, *origin_of(attributes)),
            sequence,
            b',"labels":%b' % orjson.dumps(labels) if labels else b"",
        )
    except TypeError:  # what JSON cannot carry, or what cannot be kept
        return None


def _message_and_labels(captured: Captured) -> tuple[str, dict[str, Label]]:
    attributes, _bytes, _durability, _record, (message, labels, _error), _context = captured
    if labels is None:
        labels = _added_labels(attributes)
    if message is None:
        notes: dict[str, object] = {}
        message = message_text(attributes["msg"], attributes["args"], notes)
        if notes:
            labels = labels_of(notes, labels)
    return message, labels


def _put_trace(
    document: Document, labels: dict[str, Label], attributes: dict[str, Any], span_context: object | None
) -> dict[str, Label]:
    """Put in which span it was logged; return the labels with the flags."""
    fields = trace_fields(attributes, span_context)
    if fields is None:
        return labels
    document["trace"], document["span"] = {"id": fields.trace_id}, {"id": fields.span_id}
    if not fields.flags:
        return labels
    if FLAGS_LABEL in labels:  # the application's own
        return labels_of({FLAGS_LABEL: fields.flags}, labels)
    return {**labels, FLAGS_LABEL: fields.flags}


def _added_labels(attributes: dict[str, Any]) -> dict[str, Label]:
    """Return `labels_of` what was added behind a record's own attributes.

    Most values are labels as they are. Walking them was a third of what a record cost the worker.
    """
    labels: dict[str, Label] = {name: attributes[name] for name in islice(attributes, len(_OWN), None)}
    labels.pop("message", None)  # what a formatter leaves behind
    labels.pop("asctime", None)
    return labels if are_plain(labels) else labels_of(_extras(attributes))


def _timestamp(created: object) -> str:
    if type(created) is float and 0.0 <= created < _TIMESTAMPS_END:
        second = int(created)
        # As `datetime.fromtimestamp` rounds: half to even, from the exact fraction.
        microseconds = round((created - second) * 1e6)
        if microseconds < 1_000_000:
            return f"{_second_text(second)}.{microseconds:06d}Z"
    try:
        moment = datetime.fromtimestamp(float(created), UTC)  # type: ignore[arg-type]  # anything may be in there
    except (TypeError, ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def _extras(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an application added to a record.

    A record's own attributes come first and in the order of its making, so that what follows the last of
    them was added; where somebody has taken one out, names decide.
    """
    if next(islice(attributes, len(_OWN) - 1, None), None) == _LAST_OWN:
        extras = dict(islice(attributes.items(), len(_OWN), None))
        extras.pop("message", None)  # what a formatter leaves behind
        extras.pop("asctime", None)
        return extras
    return {name: value for name, value in attributes.items() if name not in _STANDARD}


def _take_durability(extras: dict[str, Any]) -> Durability | None:
    asked = extras[DURABILITY_KEY]
    if type(asked) is not str or asked not in _DURABILITIES:
        return None
    del extras[DURABILITY_KEY]
    return asked  # type: ignore[return-value]  # one of the three


def _added_bytes(attributes: dict[str, Any]) -> int | None:
    """Return roughly what was added to a record's own attributes, or None where that needs a closer look.

    It does where a value may change later, and where the record's own attributes are not all in their place:
    something added may then stand before them.
    """
    size_bytes = 0
    unseen = len(attributes) - len(_OWN)
    for name, value in reversed(attributes.items()):
        if name == _LAST_OWN:
            return None if unseen else size_bytes
        kind = type(value)
        if kind is str or kind is bytes:
            size_bytes += len(value)
        elif kind not in _IMMUTABLE:
            return None
        unseen -= 1
    return None


def _are_immutable(args: object) -> bool:
    return type(args) is tuple and all(type(arg) in _IMMUTABLE for arg in args)


def _size(texts: Mapping[str, Label] | None) -> int:
    if not texts:
        return 0
    return sum(len(name) + (len(text) if isinstance(text, str) else 0) for name, text in texts.items())
