"""Reads an OTLP export request written as JSON: what one record brings costs no other its place.

The mapping is that of https://protobuf.dev/programming-guides/json/, which takes more than it writes: names
as in the .proto file, integers as text or with a fraction of zero, enums by name, null for a default. What
cannot be read as its field, and what has none, is kept below `otel.unread`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from logging_system.gateway.bodies import BodyError
from logging_system.gateway.lenient_json import NotJsonError, read_json
from logging_system.gateway.otlp import Found, LogRecord, Source, Unreadable
from logging_system.gateway.otlp_labels import put
from logging_system.gateway.otlp_values import (
    TooDeepError,
    any_value,
    as_sent,
    identity,
    integer,
    key_values,
    member,
    proto_name,
)

_Object = Mapping[str, object]

_UINT64_END = 2**64
_SEVERITIES = {
    f"SEVERITY_NUMBER_{name}{step or ''}": 4 * place + (step or 1)
    for place, name in enumerate(("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))
    for step in (0, 2, 3, 4)
} | {"SEVERITY_NUMBER_UNSPECIFIED": 0}
_FIELDS = (
    "timeUnixNano",
    "observedTimeUnixNano",
    "severityNumber",
    "severityText",
    "body",
    "attributes",
    "droppedAttributesCount",
    "flags",
    "traceId",
    "spanId",
    "eventName",
)
_KNOWN = frozenset((*_FIELDS, *map(proto_name, _FIELDS)))


def parse_json(body: bytes) -> Iterator[Found]:
    """Yield each log record with its place and source, or why it is none.

    Raises:
        BodyError: The body is no JSON object.
    """
    try:
        request = read_json(body)
    except NotJsonError as error:
        raise BodyError(400, f"the body is not JSON: {error}") from error
    if request is not None and not isinstance(request, dict):
        raise BodyError(400, "the body: expected an object")
    for where, resource_logs in _each(request or {}, "resourceLogs", ""):
        if isinstance(resource_logs, Unreadable):
            yield where, Source({}, ""), resource_logs
            continue
        for scope_where, scope_logs in _each(resource_logs, "scopeLogs", f"{where}."):
            if isinstance(scope_logs, Unreadable):
                yield scope_where, Source({}, ""), scope_logs
                continue
            source = _source(resource_logs, scope_logs)
            for record_where, record in _each(scope_logs, "logRecords", f"{scope_where}."):
                yield record_where, source, record if isinstance(record, Unreadable) else _record(record)


def _each(parent: _Object, name: str, before: str) -> Iterator[tuple[str, _Object | Unreadable]]:
    values = member(parent, name)
    if values is None:
        return
    for place, value in enumerate(values if isinstance(values, list) else [values]):
        is_object = value is None or isinstance(value, dict)
        yield f"{before}{name}[{place}]", (value or {}) if is_object else Unreadable("expected an object")


class _Reader:
    """Reads the fields of one object, and keeps aside what could not be read.

    Args:
        content: The object; where it is none, all of it is kept aside.
        more: Where to.
        name: What the object is called there; empty for a record.
    """

    def __init__(self, content: object, more: dict[str, object], name: str = "") -> None:
        self._more = more
        self._name = f"{name}." if name else ""
        self._content: _Object = content if isinstance(content, dict) else {}
        if content is not None and not isinstance(content, dict):
            more[f"otel.unread.{name}"] = as_sent(content)

    def text(self, name: str) -> str:
        value = member(self._content, name)
        if isinstance(value, str):
            return value
        if value is not None:
            self.keep_aside(name, value)
        return ""

    def count(self, name: str) -> int:
        value = member(self._content, name)
        number = _SEVERITIES.get(value) if isinstance(value, str) else None
        number = integer(value) if number is None else number
        if number is not None and 0 <= number < _UINT64_END:
            return number
        if value is not None:
            self.keep_aside(name, value)
        return 0

    def attributes(self) -> dict[str, object]:
        given = member(self._content, "attributes")
        return {} if given is None else key_values(given)

    def raw(self, name: str) -> object:
        return as_sent(member(self._content, name))

    def keep_aside(self, name: str, value: object) -> None:
        put(self._more, f"otel.unread.{self._name}{name}", as_sent(value))


def _source(resource_logs: _Object, scope_logs: _Object) -> Source:
    more: dict[str, object] = {}
    resource = _Reader(member(resource_logs, "resource"), more, "resource")
    scope = _Reader(member(scope_logs, "scope"), more, "scope")
    told = {
        "otel.resource.schema_url": as_sent(member(resource_logs, "schemaUrl")),
        "otel.resource.dropped_attributes_count": resource.raw("droppedAttributesCount"),
        "otel.resource.entity_refs": resource.raw("entityRefs"),
        "otel.scope.version": scope.raw("version"),
        "otel.scope.schema_url": as_sent(member(scope_logs, "schemaUrl")),
        "otel.scope.dropped_attributes_count": scope.raw("droppedAttributesCount"),
    }
    more |= {label: value for label, value in told.items() if value}
    for name, value in _attributes(scope).items():
        put(more, f"otel.scope.{name}", value)
    return Source(_attributes(resource), scope.text("name"), more)


def _attributes(reader: _Reader) -> dict[str, object]:
    """Return the attributes that many records share, so that no value of theirs may cost all of them."""
    try:
        return reader.attributes()
    except TooDeepError as error:
        reader.keep_aside("attributes", str(error))
        return {}


def _record(record: _Object) -> LogRecord | Unreadable:
    more: dict[str, object] = {}
    read = _Reader(record, more)
    try:
        body, attributes = any_value(member(record, "body")), read.attributes()
    except TooDeepError as error:
        return Unreadable(str(error))
    if flags := read.count("flags"):
        more["otel.flags"] = flags
    if dropped := read.raw("droppedAttributesCount"):
        more["otel.dropped_attributes_count"] = dropped
    for name, value in record.items():
        if name not in _KNOWN and value is not None:
            read.keep_aside(name, value)
    return LogRecord(
        time_ns=read.count("timeUnixNano"),
        observed_ns=read.count("observedTimeUnixNano"),
        severity_number=read.count("severityNumber"),
        severity_text=read.text("severityText"),
        body=body,
        attributes=attributes,
        trace_id=identity(read.text("traceId"), 16),
        span_id=identity(read.text("spanId"), 8),
        event_name=read.text("eventName"),
        more=more,
    )
