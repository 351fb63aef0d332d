"""Turns OTLP log records into Elastic Common Schema documents, from protobuf and from JSON alike.

Protocol: https://opentelemetry.io/docs/specs/otlp/ (1.8); in JSON, keys are lowerCamelCase, ids hexadecimal,
64-bit integers may be strings, bytes are base64, and unknown keys are ignored.
Names: https://opentelemetry.io/docs/specs/semconv/ on one side, ECS 8.17 on the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from logging_system.gateway.batch import ECS_VERSION, Batch
from logging_system.records.document import Document
from logging_system.records.record import labels_of

_SECOND_NS = 1_000_000_000
_NS_MAX = 253_402_300_799 * _SECOND_NS
"""The last second of the year 9999: the end of what ISO 8601 can say in four digits."""

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#displaying-severity
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_ERROR_FIELDS = {
    "exception.type": "type",
    "exception.message": "message",
    "exception.stacktrace": "stack_trace",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from: the resource's attributes and the scope's name."""

    resource: Mapping[str, object]
    scope: str


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log record, whatever it was written in; times in ns since 1970, 0 where unknown."""

    time_ns: int
    observed_ns: int
    severity_number: int
    severity_text: str
    body: object
    attributes: Mapping[str, object]
    trace_id: str
    span_id: str


def read_records(records: Iterable[tuple[str, Source, LogRecord]], received_ns: int, batch: Batch) -> None:
    """Add a document for each record.

    Args:
        records: Each with its place in the request and its source.
        received_ns: When the request came, for records that carry no time.
        batch: Where documents go.
    """
    for where, source, record in records:
        batch.add(document_of(source, record, received_ns), where)


def document_of(source: Source, record: LogRecord, received_ns: int) -> Document:
    """Return one record as a document.

    Args:
        source: Where it comes from.
        record: The record.
        received_ns: When it was received, in ns since 1970.
    """
    attributes = dict(record.attributes)
    error = {field: str(attributes.pop(name)) for name, field in _ERROR_FIELDS.items() if name in attributes}
    document: Document = {
        "@timestamp": iso8601(record.time_ns or record.observed_ns or received_ns),
        "message": _message(record.body),
        "log": {"level": _level(record), "logger": source.scope},
        "service": _service(source.resource),
        "ecs": {"version": ECS_VERSION},
    }
    if labels := labels_of(_joined(source.resource, attributes)):
        document["labels"] = labels
    if error:
        document["error"] = error
    if record.trace_id:
        document["trace"] = {"id": record.trace_id}
    if record.span_id:
        document["span"] = {"id": record.span_id}
    if host := source.resource.get("host.name"):
        document["host"] = {"name": str(host)}
    return document


def iso8601(time_ns: int) -> str:
    """Return a time in ns since 1970 as ISO 8601 in UTC, to the nanosecond; what is beyond is cut."""
    seconds, rest_ns = divmod(max(0, min(time_ns, _NS_MAX)), _SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


def _message(body: object) -> str:
    if isinstance(body, str | float):
        return str(body)  # JSON has no word for a float that is no number
    return "" if body is None else orjson.dumps(body, default=str).decode()


def _level(record: LogRecord) -> str:
    if record.severity_text:
        return record.severity_text.lower()
    place = (record.severity_number - 1) // 4
    return _LEVELS[place] if 0 <= place < len(_LEVELS) else "unspecified"


def _service(resource: Mapping[str, object]) -> Document:
    service: Document = {"name": str(resource.get("service.name") or "unknown_service")}
    named = {
        "version": "service.version",
        "environment": "deployment.environment.name",
        "node": "service.instance.id",
    }
    for field, name in named.items():
        if value := resource.get(name):
            service[field] = {"name": str(value)} if field == "node" else str(value)
    return service


def _joined(resource: Mapping[str, object], attributes: Mapping[str, object]) -> dict[str, object]:
    """Return both sets of attributes; where both have a name, the resource's moves aside."""
    joined = dict(attributes)
    for name, value in resource.items():
        joined[f"resource.{name}" if name in attributes else name] = value
    return joined
