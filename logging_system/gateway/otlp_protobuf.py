"""Reads an OTLP export request written as protobuf; wants the extra `gateway`."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from logging_system.gateway.bodies import BodyError
from logging_system.gateway.otlp import LogRecord, Source


def parse_protobuf(body: bytes) -> Iterator[tuple[str, Source, LogRecord]]:
    """Yield each log record with its place and source.

    Raises:
        BodyError: The body is no such request.
    """
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise BodyError(400, f"the body is not an ExportLogsServiceRequest: {error}") from error
    for resource_place, resource_logs in enumerate(request.resource_logs):
        resource = _attributes(resource_logs.resource.attributes)
        for scope_place, scope_logs in enumerate(resource_logs.scope_logs):
            source = Source(resource, scope_logs.scope.name)
            for place, record in enumerate(scope_logs.log_records):
                where = f"resourceLogs[{resource_place}].scopeLogs[{scope_place}].logRecords[{place}]"
                yield (
                    where,
                    source,
                    LogRecord(
                        time_ns=record.time_unix_nano,
                        observed_ns=record.observed_time_unix_nano,
                        severity_number=record.severity_number,
                        severity_text=record.severity_text,
                        body=_any_value(record.body),
                        attributes=_attributes(record.attributes),
                        trace_id=record.trace_id.hex(),
                        span_id=record.span_id.hex(),
                    ),
                )


def encode_response(rejected: int, message: str) -> bytes:
    """Return an ExportLogsServiceResponse; without rejected records `partial_success` is not set."""
    response = ExportLogsServiceResponse()
    if rejected:
        response.partial_success.rejected_log_records = rejected
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def encode_status(message: str) -> bytes:
    """Return a `google.rpc.Status`, which OTLP/HTTP asks for as the body of a failure."""
    return bytes(Status(message=message).SerializeToString())


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: _any_value(pair.value) for pair in pairs}


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
    return getattr(value, kind)
