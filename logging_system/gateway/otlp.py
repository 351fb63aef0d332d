"""Turns OTLP log records into Elastic Common Schema documents, from protobuf and from JSON alike.

Protocol: https://opentelemetry.io/docs/specs/otlp/ (1.8); in JSON, keys are lowerCamelCase, ids hexadecimal,
64-bit integers may be strings, bytes are base64, and unknown keys are ignored.
Names: https://opentelemetry.io/docs/specs/semconv/ on one side, ECS 8.17 on the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from logging_system.gateway.batch import ECS_VERSION, Batch
from logging_system.gateway.otlp_labels import labels_of_attributes, put
from logging_system.records.document import Document, encode_document

_SECOND_NS = 1_000_000_000
_NS_MAX = 253_402_300_799 * _SECOND_NS
"""The last second of the year 9999: the end of what ISO 8601 can say in four digits."""

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#displaying-severity
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_NO_ID = re.compile("0*")
_IDS = {"trace": re.compile("[0-9a-f]{32}"), "span": re.compile("[0-9a-f]{16}")}
_ERROR_FIELDS = {
    "exception.type": "type",
    "exception.message": "message",
    "exception.stacktrace": "stack_trace",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from.

    Attributes:
        resource: The resource's attributes.
        scope: The scope's name.
        more: What else is told of both, by the label it becomes.
    """

    resource: Mapping[str, object]
    scope: str
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log record, whatever it was written in; times in ns since 1970, 0 where unknown.

    Attributes:
        trace_id: In hexadecimal; empty where there is none. What is no id is kept as a label.
        span_id: Likewise.
        more: What no other field holds, by the label it becomes; also values that could not be read.
    """

    time_ns: int
    observed_ns: int
    severity_number: int
    severity_text: str
    body: object
    attributes: Mapping[str, object]
    trace_id: str
    span_id: str
    event_name: str = ""
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a record that nothing can be made of."""

    why: str


Found = tuple[str, Source, LogRecord | Unreadable]
"""A record with its place in the request and its source."""


def read_records(records: Iterable[Found], received_ns: int, batch: Batch) -> None:
    """Add a document for each record; one that cannot become a document is counted, and costs no other.

    Args:
        records: Each with its place in the request and its source.
        received_ns: When the request came, for records that carry no time.
        batch: Where documents go.
    """
    for where, source, record in records:
        if isinstance(record, Unreadable):
            batch.reject(f"{where}: {record.why}")
            continue
        try:
            document = document_of(source, record, received_ns)
        except Exception as error:
            # A value that nobody has thought of must not stop the others.
            batch.reject(f"{where}: cannot be read ({type(error).__name__})")
            continue
        batch.add(document, where)


def document_of(source: Source, record: LogRecord, received_ns: int) -> Document:
    """Return one record as a document.

    Args:
        source: Where it comes from.
        record: The record.
        received_ns: When it was received, in ns since 1970.
    """
    attributes = dict(record.attributes)
    error = {name: _text(attributes.pop(key)) for key, name in _ERROR_FIELDS.items() if key in attributes}
    parts: Document = {
        "event": _event(record),
        "labels": labels_of_attributes(_joined(source, record, attributes)),
        "error": error,
        **{name: {"id": sent} for name, sent in _ids(record) if _IDS[name].fullmatch(sent)},
        "host": {"name": _text(host)} if (host := source.resource.get("host.name")) else {},
    }
    return {
        "@timestamp": iso8601(record.time_ns or record.observed_ns or received_ns),
        "message": "" if record.body is None else _text(record.body),
        "log": {"level": _level(record), "logger": source.scope},
        "service": _service(source.resource),
        "ecs": {"version": ECS_VERSION},
        **{name: part for name, part in parts.items() if part},
    }


def iso8601(time_ns: int) -> str:
    """Return a time as ISO 8601 in UTC, to the nanosecond.

    Args:
        time_ns: In ns since 1970; one before that, or beyond the year 9999, becomes the nearest that is not.
    """
    seconds, rest_ns = divmod(max(0, min(time_ns, _NS_MAX)), _SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


def _ids(record: LogRecord) -> list[tuple[str, str]]:
    """Return the ids that a record has; OTLP takes one of nothing but zeros for none."""
    both = (("trace", record.trace_id), ("span", record.span_id))
    return [(name, sent) for name, sent in both if not _NO_ID.fullmatch(sent)]


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | float) else encode_document(value).decode()


def _event(record: LogRecord) -> Document:
    event: Document = {}
    if record.event_name:
        event["action"] = record.event_name
    if record.severity_number:
        event["severity"] = record.severity_number
    if record.time_ns and record.observed_ns:
        event["created"] = iso8601(record.observed_ns)
    return event


def _level(record: LogRecord) -> str:
    if record.severity_text:
        return record.severity_text.lower()
    place = (record.severity_number - 1) // 4
    return _LEVELS[place] if 0 <= place < len(_LEVELS) else "unspecified"


def _service(resource: Mapping[str, object]) -> Document:
    service: Document = {"name": _text(resource.get("service.name") or "unknown_service")}
    named = {
        "version": "service.version",
        "environment": "deployment.environment.name",
        "node": "service.instance.id",
    }
    for place, name in named.items():
        if value := resource.get(name):
            service[place] = {"name": _text(value)} if place == "node" else _text(value)
    return service


def _joined(source: Source, record: LogRecord, attributes: Mapping[str, object]) -> dict[str, object]:
    """Return all that becomes a label; where record and resource have a name, the resource's moves aside."""
    joined: dict[str, object] = {**attributes}
    for name, value in source.resource.items():
        put(joined, f"resource.{name}" if name in attributes else name, value)
    for more in (source.more, record.more):
        for name, value in more.items():
            put(joined, name, value)
    for name, sent in _ids(record):
        if not _IDS[name].fullmatch(sent):
            put(joined, f"otel.unread.{name}Id", sent)
    return joined
