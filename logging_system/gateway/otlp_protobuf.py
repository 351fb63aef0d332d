"""Reads an OTLP export request written as protobuf; wants the extra `gateway`."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as ProtobufRecord
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from logging_system.gateway.bodies import BodyError
from logging_system.gateway.otlp import Found, LogRecord, Source, Unreadable
from logging_system.gateway.otlp_labels import put
from logging_system.gateway.otlp_values import decimal
from logging_system.gateway.protobuf_wire import WireError, messages, with_utf8

M = TypeVar("M", bound=Message)


def parse_protobuf(body: bytes) -> Iterator[Found]:
    """Yield each log record with its place and source, or why it is none.

    Raises:
        BodyError: The body is no such request.
    """
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        yield from _parse_apart(body, error)
        return
    for resource_place, resource_logs in enumerate(request.resource_logs):
        for scope_place, scope_logs in enumerate(resource_logs.scope_logs):
            source = _source(resource_logs, scope_logs)
            for place, record in enumerate(scope_logs.log_records):
                yield _where(resource_place, scope_place, place), source, _record(record)


def _parse_apart(body: bytes, error: DecodeError) -> Iterator[Found]:
    """Read each record of a request by itself: protobuf refuses all of it for one text that is no UTF-8."""
    try:
        resources = list(messages(body, _number(ExportLogsServiceRequest, "resource_logs")))
    except WireError:
        raise BodyError(400, f"the body is not an ExportLogsServiceRequest: {error}") from error
    for resource_place, resource_logs in enumerate(resources):
        try:
            scopes = list(messages(resource_logs, _number(ResourceLogs, "scope_logs")))
        except WireError as inner:
            yield f"resourceLogs[{resource_place}]", Source({}, ""), Unreadable(str(inner))
            continue
        for scope_place, scope_logs in enumerate(scopes):
            try:
                records = list(messages(scope_logs, _number(ScopeLogs, "log_records")))
            except WireError as inner:
                where = f"resourceLogs[{resource_place}].scopeLogs[{scope_place}]"
                yield where, Source({}, ""), Unreadable(str(inner))
                continue
            source = _source_apart(resource_logs, scope_logs)
            for place, record in enumerate(records):
                yield _where(resource_place, scope_place, place), source, _record_apart(record)


def _record_apart(encoded: bytes) -> LogRecord | Unreadable:
    try:
        return _record(_mended(ProtobufRecord, encoded))
    except (DecodeError, WireError) as error:
        return Unreadable(str(error))


def _source_apart(resource_logs: bytes, scope_logs: bytes) -> Source:
    whole, whole_scope = ResourceLogs(), ScopeLogs()
    more: dict[str, object] = {}
    for parent, encoded, name in ((whole, resource_logs, "resource"), (whole_scope, scope_logs, "scope")):
        kind = Resource if name == "resource" else InstrumentationScope
        try:
            for part in messages(encoded, _number(type(parent), name)):
                getattr(parent, name).MergeFrom(_mended(kind, part))
            for url in messages(encoded, _number(type(parent), "schema_url")):
                parent.schema_url = url.decode("utf-8", "backslashreplace")
        except (DecodeError, WireError) as error:
            # Its records are kept without it, and say so.
            more[f"otel.unread.{name}"] = str(error)
    source = _source(whole, whole_scope)
    return replace(source, more={**source.more, **more})


def _mended(kind: type[M], encoded: bytes) -> M:
    try:
        return kind.FromString(encoded)
    except DecodeError:
        return kind.FromString(with_utf8(encoded, cast(Descriptor, kind.DESCRIPTOR)))


def _number(kind: type[Message], name: str) -> int:
    return int(kind.DESCRIPTOR.fields_by_name[name].number)


def _where(resource_place: int, scope_place: int, place: int) -> str:
    return f"resourceLogs[{resource_place}].scopeLogs[{scope_place}].logRecords[{place}]"


def _source(resource_logs: ResourceLogs, scope_logs: ScopeLogs) -> Source:
    resource, scope = resource_logs.resource, scope_logs.scope
    told: dict[str, object] = {
        "otel.resource.schema_url": resource_logs.schema_url,
        "otel.resource.dropped_attributes_count": resource.dropped_attributes_count,
        "otel.resource.entity_refs": [MessageToDict(one) for one in resource.entity_refs],
        "otel.scope.version": scope.version,
        "otel.scope.schema_url": scope_logs.schema_url,
        "otel.scope.dropped_attributes_count": scope.dropped_attributes_count,
    }
    more = {label: value for label, value in told.items() if value}
    for name, value in _attributes(scope.attributes).items():
        put(more, f"otel.scope.{name}", value)
    return Source(_attributes(resource.attributes), scope.name, more)


def _record(record: ProtobufRecord) -> LogRecord:
    told = {"otel.flags": record.flags, "otel.dropped_attributes_count": record.dropped_attributes_count}
    severity = int(record.severity_number)
    if severity < 0:
        told["otel.unread.severityNumber"] = severity
    return LogRecord(
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_time_unix_nano,
        severity_number=max(0, severity),
        severity_text=record.severity_text,
        body=_any_value(record.body),
        attributes=_attributes(record.attributes),
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        event_name=record.event_name,
        more={label: value for label, value in told.items() if value},
    )


def encode_response(rejected: int, message: str) -> bytes:
    """Return an ExportLogsServiceResponse; without rejected records `partial_success` is not set.

    Args:
        rejected: How many records of the request were not taken.
        message: Why, for whoever operates the sender.
    """
    response = ExportLogsServiceResponse()
    if rejected:
        response.partial_success.rejected_log_records = rejected
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def encode_status(message: str) -> bytes:
    """Return a `google.rpc.Status`, which OTLP/HTTP asks for as the body of a failure.

    Args:
        message: What went wrong, for whoever operates the sender.
    """
    return bytes(Status(message=message).SerializeToString())


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in pairs:
        put(found, pair.key, _any_value(pair.value))
    return found


def _any_value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_any_value(inner) for inner in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()  # as OTLP writes bytes in JSON
    return decimal(value.double_value) if kind == "double_value" else getattr(value, kind)
