from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_ERROR, ResourceLogs, ScopeLogs
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as ProtobufRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError
from logging_system.gateway.otlp import Found, iso8601, read_records
from logging_system.gateway.otlp_json import parse_json
from logging_system.gateway.otlp_protobuf import encode_response, encode_status, parse_protobuf
from logging_system.records.document import Document
from logging_system.records.processors import NO_PROCESSORS

RECEIVED_NS = 1_700_000_000_000_000_000


def text(value: str) -> AnyValue:
    return AnyValue(string_value=value)


def request(*records: ProtobufRecord, resource: dict[str, str] | None = None) -> ExportLogsServiceRequest:
    attributes = [KeyValue(key=key, value=text(value)) for key, value in (resource or {}).items()]
    scope_logs = ScopeLogs(log_records=records)
    scope_logs.scope.name = "shop.checkout"
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=Resource(attributes=attributes), scope_logs=[scope_logs])]
    )


def as_json(message: ExportLogsServiceRequest) -> bytes:
    """Return a request as OTLP writes it in JSON: ids are hexadecimal there, not base64."""
    content = MessageToDict(message, use_integers_for_enums=True)
    for resource_logs in content.get("resourceLogs", []):
        for scope_logs in resource_logs.get("scopeLogs", []):
            for record in scope_logs.get("logRecords", []):
                for key in ("traceId", "spanId"):
                    if key in record:
                        record[key] = base64.b64decode(record[key]).hex()
    return orjson.dumps(content)


def documents(
    message: ExportLogsServiceRequest, record_bytes_max: int = 100_000
) -> tuple[list[Document], Batch]:
    batch = Batch(NO_PROCESSORS, record_bytes_max)
    read_records(parse_protobuf(message.SerializeToString()), RECEIVED_NS, batch)
    return [orjson.loads(document) for document in batch.documents], batch


def test_a_record_becomes_a_document_with_the_names_of_the_common_schema() -> None:
    record = ProtobufRecord(
        time_unix_nano=1_600_000_000_123_456_789,
        severity_number=SEVERITY_NUMBER_ERROR,
        severity_text="ERROR",
        body=text("payment failed"),
        attributes=[
            KeyValue(key="order", value=AnyValue(int_value=42)),
            KeyValue(key="exception.type", value=text("ValueError")),
            KeyValue(key="exception.message", value=text("no such card")),
            KeyValue(key="exception.stacktrace", value=text("Traceback …")),
        ],
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
    )
    resource = {
        "service.name": "checkout",
        "service.version": "1.2",
        "deployment.environment.name": "live",
        "host.name": "web-1",
    }

    (found,), _batch = documents(request(record, resource=resource))

    assert found == {
        "@timestamp": "2020-09-13T12:26:40.123456789Z",
        "message": "payment failed",
        "log": {"level": "error", "logger": "shop.checkout"},
        "event": {"severity": 17},
        "service": {"name": "checkout", "version": "1.2", "environment": "live"},
        "error": {"type": "ValueError", "message": "no such card", "stack_trace": "Traceback …"},
        "trace": {"id": "000102030405060708090a0b0c0d0e0f"},
        "span": {"id": "0001020304050607"},
        "host": {"name": "web-1"},
        "labels": {"order": 42, **resource},
        "ecs": {"version": "8.17"},
    }


@pytest.mark.parametrize(
    ("time_ns", "observed_ns", "expected_ns"),
    [(5, 7, 5), (0, 7, 7), (0, 0, RECEIVED_NS)],
    ids=["its own time", "when it was observed", "when it was received"],
)
def test_the_time_is_the_best_that_is_known(time_ns: int, observed_ns: int, expected_ns: int) -> None:
    record = ProtobufRecord(time_unix_nano=time_ns, observed_time_unix_nano=observed_ns)
    (found,), _batch = documents(request(record))

    assert found["@timestamp"] == iso8601(expected_ns)


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (0, "unspecified"),
        (1, "trace"),
        (4, "trace"),
        (5, "debug"),
        (9, "info"),
        (13, "warn"),
        (17, "error"),
        (24, "fatal"),
        (25, "unspecified"),
    ],
)
def test_a_severity_without_a_text_is_named_by_its_number(number: int, level: str) -> None:
    record = ProtobufRecord()
    batch = Batch(NO_PROCESSORS, 1_000)
    content = orjson.loads(as_json(request(record)))
    content["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = [{"severityNumber": number}]
    read_records(parse_json(orjson.dumps(content)), RECEIVED_NS, batch)

    assert orjson.loads(batch.documents[0])["log"]["level"] == level


def test_a_body_that_is_no_text_is_written_as_json() -> None:
    body = AnyValue(
        kvlist_value=KeyValueList(
            values=[
                KeyValue(key="ids", value=AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1)]))),
                KeyValue(key="raw", value=AnyValue(bytes_value=b"\x00\xff")),
            ]
        )
    )
    (found,), _batch = documents(request(ProtobufRecord(body=body)))

    assert orjson.loads(found["message"]) == {"ids": [1], "raw": "AP8="}  # type: ignore[arg-type]


def test_an_attribute_of_the_resource_does_not_hide_that_of_the_record() -> None:
    record = ProtobufRecord(attributes=[KeyValue(key="zone", value=text("record's"))])
    (found,), _batch = documents(request(record, resource={"zone": "resource's"}))

    assert found["labels"] == {"zone": "record's", "resource.zone": "resource's"}


def test_a_record_too_large_is_rejected_by_itself_and_named() -> None:
    records = [ProtobufRecord(body=text("small")), ProtobufRecord(body=text("x" * 2_000)), ProtobufRecord()]
    found, batch = documents(request(*records), record_bytes_max=1_000)

    assert len(found) == 2
    assert batch.rejected == 1
    assert batch.why_rejected.startswith("resourceLogs[0].scopeLogs[0].logRecords[1]: ")


_any_value: st.SearchStrategy[AnyValue] = st.recursive(
    st.one_of(
        st.builds(lambda value: AnyValue(string_value=value), st.text(max_size=20)),
        st.builds(lambda value: AnyValue(bool_value=value), st.booleans()),
        st.builds(lambda value: AnyValue(int_value=value), st.integers(-(2**63), 2**63 - 1)),
        st.builds(
            lambda value: AnyValue(double_value=value),
            # Whole numbers are left out: protobuf's own JSON writes 1.0 where ours may say 1.
            st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value != int(value)),
        ),
        st.builds(lambda value: AnyValue(bytes_value=value), st.binary(max_size=20)),
        st.builds(AnyValue),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda values: AnyValue(array_value=ArrayValue(values=values)), st.lists(inner, max_size=3)
        ),
        st.builds(
            lambda values: AnyValue(
                kvlist_value=KeyValueList(
                    values=[KeyValue(key=key, value=value) for key, value in values.items()]
                )
            ),
            st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
    ),
    max_leaves=6,
)
_record = st.builds(
    ProtobufRecord,
    time_unix_nano=st.integers(0, 2**64 - 1),
    observed_time_unix_nano=st.integers(0, 2**64 - 1),
    severity_text=st.text(max_size=8),
    severity_number=st.integers(0, 24),
    body=_any_value,
    attributes=st.dictionaries(st.text(max_size=5), _any_value, max_size=3).map(
        lambda values: [KeyValue(key=key, value=value) for key, value in values.items()]
    ),
    trace_id=st.binary(max_size=16),
    span_id=st.binary(max_size=8),
)


@given(st.lists(_record, max_size=4))
def test_protobuf_and_json_of_one_request_become_the_same_documents(records: list[ProtobufRecord]) -> None:
    message = request(*records)
    from_protobuf, from_json = Batch(NO_PROCESSORS, 100_000), Batch(NO_PROCESSORS, 100_000)
    read_records(parse_protobuf(message.SerializeToString()), RECEIVED_NS, from_protobuf)
    read_records(parse_json(as_json(message)), RECEIVED_NS, from_json)

    assert len(from_protobuf.documents) == len(records)
    assert [orjson.loads(document) for document in from_json.documents] == [
        orjson.loads(document) for document in from_protobuf.documents
    ]


def outcome(parse: Callable[[bytes], Iterator[Found]], body: bytes) -> int:
    try:
        read_records(parse(body), RECEIVED_NS, Batch(NO_PROCESSORS, 10_000))
    except BodyError as error:
        return error.status
    return 200


@given(st.binary(max_size=400))
def test_bytes_from_anywhere_are_read_or_refused(body: bytes) -> None:
    assert {outcome(parse, body) for parse in (parse_protobuf, parse_json)} <= {200, 400}


_json_value: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceLogs",
                    "resource",
                    "scopeLogs",
                    "scope",
                    "logRecords",
                    "attributes",
                    "key",
                    "value",
                    "body",
                    "name",
                    "stringValue",
                    "intValue",
                    "arrayValue",
                    "kvlistValue",
                    "values",
                    "timeUnixNano",
                    "traceId",
                    "severityNumber",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_json_value)
def test_json_of_any_shape_is_read_or_refused(value: object) -> None:
    try:
        body = orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [value]}]}]})
    except TypeError:  # an integer beyond 64 bits
        return

    assert outcome(parse_json, body) in (200, 400)


def read_json_records(*records: object) -> tuple[list[Document], Batch]:
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}).encode()
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_json(body), RECEIVED_NS, batch)
    return [orjson.loads(document) for document in batch.documents], batch


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ({"timeUnixNano": "soon"}, {"labels": {"otel.unread.timeUnixNano": "soon"}}),
        ({"timeUnixNano": -1}, {"labels": {"otel.unread.timeUnixNano": -1}}),
        ({"timeUnixNano": 1e18}, {"@timestamp": "2001-09-09T01:46:40.000000000Z"}),
        ({"time_unix_nano": "1000000000000000000"}, {"@timestamp": "2001-09-09T01:46:40.000000000Z"}),
        ({"body": "text"}, {"message": "text"}),
        ({"body": {"stringValue": "great \ud83d"}}, {"message": "great \\ud83d"}),
        ({"body": {"string_value": "text"}}, {"message": "text"}),
        ({"body": {"unknownValue": "text"}}, {"message": '{"unknownValue":"text"}'}),
        ({"body": {"intValue": "1" * 5_000}}, {"message": "1" * 5_000}),
        ({"body": {"doubleValue": float("nan")}}, {"message": "NaN"}),
        ({"body": {"doubleValue": "-Infinity"}}, {"message": "-Infinity"}),
        ({"body": {"arrayValue": {"values": [{"doubleValue": float("inf")}]}}}, {"message": '["Infinity"]'}),
        ({"attributes": {"a": 1}}, {"labels": {"a": 1}}),
        ({"attributes": [{"key": "x", "value": {"doubleValue": None}}]}, {"labels": {"x": None}}),
        ({"attributes": [{"key": "x", "value": {"intValue": 7.0}}]}, {"labels": {"x": 7}}),
        ({"attributes": [{"key": "x", "value": {"boolValue": "true"}}]}, {"labels": {"x": True}}),
        ({"traceId": 7}, {"labels": {"otel.unread.traceId": 7}}),
        ({"traceId": "AAECAwQFBgcICQoLDA0ODw=="}, {"trace": {"id": "000102030405060708090a0b0c0d0e0f"}}),
        (
            {"traceId": "5B8EFFF798038103D269B633813FC60C"},
            {"trace": {"id": "5b8efff798038103d269b633813fc60c"}},
        ),
        ({"spanId": "EEE19B7EC3C1B174"}, {"span": {"id": "eee19b7ec3c1b174"}}),
        ({"traceId": "abcd"}, {"labels": {"otel.unread.traceId": "abcd"}}),
        ({"spanId": "not an id"}, {"labels": {"otel.unread.spanId": "not an id"}}),
        ({"flags": "1"}, {"labels": {"otel.flags": 1}}),
        ({"flags": "loud"}, {"labels": {"otel.unread.flags": "loud"}}),
        ({"severityNumber": "SEVERITY_NUMBER_WARN2"}, {"event": {"severity": 14}}),
        ({"severityNumber": "LOUD"}, {"labels": {"otel.unread.severityNumber": "LOUD"}}),
        ({"severityText": ["a"]}, {"labels": {"otel.unread.severityText": '["a"]'}}),
        ({"madeUp": "x"}, {"labels": {"otel.unread.madeUp": "x"}}),
    ],
)
def test_an_odd_record_in_json_is_kept_and_so_are_its_neighbours(
    record: object, kept: dict[str, object]
) -> None:
    found, batch = read_json_records({"body": {"stringValue": "a"}}, record, {"body": {"stringValue": "b"}})

    assert batch.rejected == 0
    assert [found[0]["message"], found[2]["message"]] == ["a", "b"]
    assert kept.items() <= found[1].items()


@pytest.mark.parametrize("trace_id", [b"", bytes(16), bytes(3)])
def test_an_id_of_zeros_is_none(trace_id: bytes) -> None:
    message = request(ProtobufRecord(body=text("m"), trace_id=trace_id, span_id=bytes(8)))
    (found,), _batch = documents(message)
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_json(as_json(message)), RECEIVED_NS, batch)

    assert not {"trace", "span", "labels"} & set(found)
    assert orjson.loads(batch.documents[0]) == found


@pytest.mark.parametrize("trace_id", [b"abc", bytes(range(17))])
def test_an_id_of_another_length_is_kept_as_one_that_cannot_be_read(trace_id: bytes) -> None:
    (found,), _batch = documents(
        request(ProtobufRecord(body=text("m"), trace_id=trace_id, span_id=b"span-id8"))
    )

    assert "trace" not in found
    assert found["span"] == {"id": b"span-id8".hex()}
    assert found["labels"] == {"otel.unread.traceId": trace_id.hex()}


@pytest.mark.parametrize("levels", [50, 2_000])
@pytest.mark.parametrize("odd", ["nested", "text", "number"])
def test_what_is_no_record_in_json_is_counted_and_its_neighbours_are_kept(odd: str, levels: int) -> None:
    nested = b'{"body":' + b'{"arrayValue":{"values":[' * levels + b"{}" + b"]}}" * levels + b"}"
    record = {"nested": nested, "text": b'"text"', "number": b"7"}[odd]
    good = b'{"body":{"stringValue":"good"}}'
    batch = Batch(NO_PROCESSORS, 10_000)
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%b,%b,%b]}]}]}' % (good, record, good)
    read_records(parse_json(body), RECEIVED_NS, batch)

    assert [orjson.loads(document)["message"] for document in batch.documents] == ["good", "good"]
    assert batch.rejected == 1
    assert "logRecords[1]: " in batch.why_rejected


@pytest.mark.parametrize(
    "odd",
    [
        {"resource": 7},
        {"resource": {"attributes": "x"}},
        {"resource": {"attributes": [{"key": "k", "value": "DEEP"}]}},
        {"resource": {"attributes": [{"key": "DEEP"}]}},
        {"schemaUrl": "DEEP"},
    ],
)
@pytest.mark.parametrize("of_scope", [False, True])
def test_an_odd_resource_or_scope_in_json_costs_no_record(odd: dict[str, Any], of_scope: bool) -> None:
    odd = {"scope" if of_scope and name == "resource" else name: value for name, value in odd.items()}
    scope_logs = {"logRecords": [{"body": {"stringValue": "good"}}], **(odd if of_scope else {})}
    resource_logs = {"scopeLogs": [scope_logs], **({} if of_scope else odd)}
    deep = b"[" * 900 + b"]" * 900
    body = orjson.dumps({"resourceLogs": [resource_logs]}).replace(b'"DEEP"', deep)
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_json(body), RECEIVED_NS, batch)

    assert [orjson.loads(document)["message"] for document in batch.documents] == ["good"]


def odd_protobuf(odd: bytes) -> tuple[list[Document], Batch]:
    """Return what becomes of a record's bytes between two good records."""
    good = [ProtobufRecord(body=text("good")).SerializeToString()] * 2
    records = b"".join(b"\x12" + _size(one) + one for one in (good[0], odd, good[1]))
    scope = b"\x12" + _size(records) + records
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_protobuf(b"\x0a" + _size(scope) + scope), RECEIVED_NS, batch)
    return [orjson.loads(document) for document in batch.documents], batch


def _size(part: bytes) -> bytes:
    assert len(part) < 1 << 14
    return bytes((len(part) & 0x7F | 0x80, len(part) >> 7))


def test_a_text_in_protobuf_that_is_no_utf8_is_kept_with_its_bytes_shown() -> None:
    record = ProtobufRecord(body=text("caf@"), attributes=[KeyValue(key="k@", value=text("v@"))])
    found, batch = odd_protobuf(record.SerializeToString().replace(b"@", b"\xe9"))

    assert batch.rejected == 0
    assert [document["message"] for document in found] == ["good", "caf\\xe9", "good"]
    assert found[1]["labels"] == {"k\\xe9": "v\\xe9"}


@pytest.mark.parametrize("odd", [b"\xff", b"\x2a\x05ab", b"\x2a\x02\x0a\x7f", b"\x0f\x01", b"\x00\x00"])
def test_what_is_no_record_in_protobuf_is_counted_and_its_neighbours_are_kept(odd: bytes) -> None:
    found, batch = odd_protobuf(odd)

    assert [document["message"] for document in found] == ["good", "good"]
    assert batch.rejected == 1
    assert "logRecords[1]: " in batch.why_rejected


def test_a_resource_and_a_scope_that_cannot_be_read_cost_no_record() -> None:
    message = request(ProtobufRecord(body=text("good")), resource={"zone": "caf@"})
    body = message.SerializeToString().replace(b"caf@", b"caf\xe9").replace(b"shop", b"sh\xe9p")
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_protobuf(body), RECEIVED_NS, batch)
    (found,) = (orjson.loads(document) for document in batch.documents)

    assert (found["message"], found["log"]["logger"]) == ("good", "sh\\xe9p.checkout")
    assert found["labels"] == {"zone": "caf\\xe9"}


def test_what_has_no_field_of_its_own_is_a_label() -> None:
    record = ProtobufRecord(
        time_unix_nano=RECEIVED_NS,
        observed_time_unix_nano=RECEIVED_NS + 9_000_000_000,
        event_name="order.failed",
        flags=1,
        dropped_attributes_count=3,
    )
    message = request(record, resource={"k8s.pod.name": "pod-1"})
    message.resource_logs[0].schema_url = "https://resource"
    message.resource_logs[0].resource.dropped_attributes_count = 4
    scope_logs = message.resource_logs[0].scope_logs[0]
    scope_logs.schema_url = "https://scope"
    scope_logs.scope.version = "1.2.3"
    scope_logs.scope.attributes.append(KeyValue(key="tenant", value=text("acme")))
    (found,), _batch = documents(message)
    batch = Batch(NO_PROCESSORS, 10_000)
    read_records(parse_json(as_json(message)), RECEIVED_NS, batch)

    assert found["event"] == {"action": "order.failed", "created": iso8601(RECEIVED_NS + 9_000_000_000)}
    assert found["labels"] == {
        "k8s.pod.name": "pod-1",
        "otel.flags": 1,
        "otel.dropped_attributes_count": 3,
        "otel.resource.schema_url": "https://resource",
        "otel.resource.dropped_attributes_count": 4,
        "otel.scope.schema_url": "https://scope",
        "otel.scope.version": "1.2.3",
        "otel.scope.tenant": "acme",
    }
    assert orjson.loads(batch.documents[0]) == found


def test_attributes_that_come_to_one_name_are_all_kept() -> None:
    values = [KeyValue(key="b", value=AnyValue(int_value=2))]
    attributes = [
        KeyValue(key="a.b", value=AnyValue(int_value=1)),
        KeyValue(key="a", value=AnyValue(kvlist_value=KeyValueList(values=values))),
        KeyValue(key="a.b", value=AnyValue(int_value=3)),
        KeyValue(key="empty", value=AnyValue(kvlist_value=KeyValueList())),
    ]
    (found,), _batch = documents(request(ProtobufRecord(attributes=attributes)))

    assert found["labels"] == {"a.b": 1, "a.b#2": 3, "a.b#3": 2, "empty": "{}"}


def test_attributes_beyond_what_one_record_may_have_are_named() -> None:
    attributes = [KeyValue(key=f"name-{n:04}", value=AnyValue(int_value=n)) for n in range(1_500)]
    (found,), _batch = documents(request(ProtobufRecord(attributes=attributes)))
    labels: dict[str, object] = found["labels"]  # type: ignore[assignment]  # a document's labels

    assert labels["otel.left_out.0"] == "500 attributes:"
    told = ", ".join(str(value) for name, value in labels.items() if name.startswith("otel.left_out."))
    assert all(f"name-{n:04}" in labels for n in range(1_000))
    assert all(f"name-{n:04}" in told for n in range(1_000, 1_500))
    assert max(len(str(value)) for value in labels.values()) <= 1_024


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**20 - 1])
def test_an_integer_beyond_64_bits_is_kept_as_its_digits(number: int) -> None:
    value = {"arrayValue": {"values": [{"intValue": str(number)}, {"intValue": "7"}]}}
    batch = Batch(NO_PROCESSORS, 1_000)
    body = orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": value}]}]}]})
    read_records(parse_json(body), RECEIVED_NS, batch)

    assert orjson.loads(orjson.loads(batch.documents[0])["message"]) == [str(number), 7]


def test_a_full_success_sets_no_partial_success() -> None:
    response = ExportLogsServiceResponse.FromString(encode_response(0, ""))

    assert not response.HasField("partial_success")


def test_a_partial_success_counts_what_was_rejected_and_says_why() -> None:
    response = ExportLogsServiceResponse.FromString(encode_response(3, "too large"))

    assert response.partial_success.rejected_log_records == 3
    assert response.partial_success.error_message == "too large"


def test_a_failure_is_told_as_a_status() -> None:
    assert Status.FromString(encode_status("no room")).message == "no room"
