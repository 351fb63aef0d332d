"""What OpenTelemetry exporters send as protobuf: each log record is kept, or the request refused."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError
from logging_system.gateway.otlp import read_records
from logging_system.gateway.otlp_protobuf import parse_protobuf
from logging_system.records.processors import NO_PROCESSORS
from tests.fuzz.target import Target
from tests.fuzz.targets.otlp_json import RECEIVED_NS, RECORD_BYTES_MAX, check_documents


def _seeds() -> Sequence[bytes]:
    inner = [KeyValue(key="n", value=AnyValue(int_value=-1)), KeyValue(key="n", value=AnyValue())]
    values = (
        AnyValue(string_value="paid"),
        AnyValue(int_value=2**63 - 1),
        AnyValue(double_value=float("nan")),
        AnyValue(bytes_value=b"\x00\xff"),
        AnyValue(array_value=ArrayValue(values=[AnyValue(bool_value=True), AnyValue(string_value="ü")])),
        AnyValue(kvlist_value=KeyValueList(values=inner)),
        _nested(12),
    )
    return [_request(value).SerializeToString(deterministic=True) for value in values] + [b""]


def _nested(levels: int) -> AnyValue:
    value = AnyValue(string_value="bottom")
    for _ in range(levels):
        value = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="down", value=value)]))
    return value


def _request(value: AnyValue) -> ExportLogsServiceRequest:
    attributes = [KeyValue(key="exception.type", value=value), KeyValue(key="service.name", value=value)]
    record = LogRecord(
        time_unix_nano=1_600_000_000_123_456_789,
        severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR,
        severity_text="ERROR",
        body=value,
        attributes=attributes,
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
    )
    scope_logs = ScopeLogs(log_records=[record, LogRecord(body=AnyValue(string_value="second"))])
    resource = Resource(attributes=attributes)
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope_logs])])


def _check(body: bytes) -> bool:
    batch = Batch(NO_PROCESSORS, RECORD_BYTES_MAX)
    request = _decoded(body)
    try:
        read_records(parse_protobuf(body), RECEIVED_NS, batch)
    except BodyError as error:
        assert error.status == 400
        assert request is None
        return False

    if request is None:  # what is left of it was taken apart; see otlp_neighbours.py
        return True
    records = [
        record
        for resource_logs in request.resource_logs
        for scope_logs in resource_logs.scope_logs
        for record in scope_logs.log_records
    ]
    texts = [
        record.body.string_value if record.body.WhichOneof("value") == "string_value" else None
        for record in records
    ]
    check_documents(batch, texts)
    return True


def _decoded(body: bytes) -> ExportLogsServiceRequest | None:
    try:
        return ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        return None


OTLP_PROTOBUF = Target(
    "otlp_protobuf",
    _seeds,
    _check,
    words=(
        b"\x0a\x00",
        b"\x12\x00",
        b"\x2a\x02\x0a\x00",
        b"\x32\x02\x0a\x00",
        b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ),
)
