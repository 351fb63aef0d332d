"""What OpenTelemetry exporters send as JSON: each log record is kept, or the request refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from logging_system.gateway.batch import Batch
from logging_system.gateway.bodies import BodyError
from logging_system.gateway.lenient_json import read_json
from logging_system.gateway.otlp import read_records
from logging_system.gateway.otlp_json import parse_json
from logging_system.records.processors import NO_PROCESSORS
from tests.fuzz.target import Target

RECEIVED_NS = 1_700_000_000_000_000_000
RECORD_BYTES_MAX = 100_000


def _seeds() -> Sequence[bytes]:
    values: tuple[object, ...] = (
        {"stringValue": "paid"},
        {"intValue": "42"},
        {"doubleValue": 1.5},
        {"boolValue": True},
        {"bytesValue": "AP8="},
        {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "x"}]}},
        {
            "kvlistValue": {
                "values": [{"key": "ids", "value": {"arrayValue": {"values": [{"intValue": "7"}]}}}]
            }
        },
    )
    small = [{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": value}]}]}]} for value in values]
    whole = [_request(value) for value in values]
    return [orjson.dumps(request) for request in ({}, *small, *whole)]


def _request(value: object) -> object:
    attributes = [
        {"key": "service.name", "value": {"stringValue": "checkout"}},
        {"key": "exception.message", "value": value},
        {"key": "nested", "value": value},
    ]
    record = {
        "timeUnixNano": "1600000000123456789",
        "observedTimeUnixNano": 1600000000123456789,
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": value,
        "attributes": attributes,
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
    }
    scope = {"scope": {"name": "shop"}, "logRecords": [record, {"body": {"stringValue": "second"}}]}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [scope]}]}


def check_documents(batch: Batch, bodies: Sequence[str | None]) -> None:
    """Check that each record of a request became a document with its text, in order, or is counted.

    Args:
        batch: What was made of the request.
        bodies: For each record its body where that is a text, else None.
    """
    assert len(batch.documents) + batch.rejected == len(bodies)
    documents = [orjson.loads(document) for document in batch.documents]
    for document in documents:
        assert {"@timestamp", "message", "log", "service", "ecs"} <= document.keys()
    if not batch.rejected:
        for document, text in zip(documents, bodies, strict=True):
            assert text is None or document["message"] == text


def _check(body: bytes) -> bool:
    batch = Batch(NO_PROCESSORS, RECORD_BYTES_MAX)
    try:
        read_records(parse_json(body), RECEIVED_NS, batch)
    except BodyError as error:
        assert error.status == 400
        assert str(error)
        return False

    assert len(batch.documents) + batch.rejected >= len(texts := list(_texts(read_json(body))))
    if not batch.rejected:
        messages = [orjson.loads(document)["message"] for document in batch.documents]
        assert all(text is None or text in messages for text in texts)
    return True


def _texts(request: Any) -> Iterator[str | None]:
    """Yield the text of each record that stands where one belongs, None where it has no plain one."""
    for resource_logs in _objects(request, "resourceLogs"):
        for scope_logs in _objects(resource_logs, "scopeLogs"):
            for record in _objects(scope_logs, "logRecords"):
                body = record.get("body")
                text = body.get("stringValue") if isinstance(body, dict) and len(body) == 1 else None
                yield storable(text) if isinstance(text, str) else None


def _objects(parent: Any, name: str) -> list[dict[str, Any]]:
    values = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def storable(text: str) -> str:
    """Return a text as a document has it: half of a surrogate pair is written as six characters."""
    return text.encode("utf-8", "backslashreplace").decode()


OTLP_JSON = Target(
    "otlp_json",
    _seeds,
    _check,
    json=True,
    words=(
        b'{"stringValue":"x"}',
        b'{"intValue":"99999999999999999999"}',
        b'{"doubleValue":"NaN"}',
        b'"values":[{}],',
        b'"body":null,',
        b'"attributes":{},',
        b'"severityNumber":-3,',
        b'"timeUnixNano":"18446744073709551615",',
        b"null,",
        b"{},",
        b'{"kvlistValue":{"values":[{"key":"","value":{}}]}},',
        b'"traceId":"\\u0000",',
    ),
)
