"""A record of any content beside good ones: n good records in, n good records out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from logging_system.gateway.batch import Batch
from logging_system.gateway.otlp import Found, read_records
from logging_system.gateway.otlp_json import parse_json
from logging_system.gateway.otlp_protobuf import parse_protobuf
from logging_system.gateway.protobuf_wire import messages
from logging_system.records.processors import NO_PROCESSORS
from tests.fuzz.target import Target
from tests.fuzz.targets.otlp_json import OTLP_JSON, RECEIVED_NS, RECORD_BYTES_MAX
from tests.fuzz.targets.otlp_protobuf import OTLP_PROTOBUF

_GOOD = ("first good", "second good", "third good")


def _json_seeds() -> Sequence[bytes]:
    """Return the single records of the requests that the other target mutates."""
    records = [
        record
        for request in map(orjson.loads, OTLP_JSON.seeds())
        for resource_logs in request.get("resourceLogs", ())
        for scope_logs in resource_logs["scopeLogs"]
        for record in scope_logs["logRecords"]
    ]
    return [orjson.dumps(record) for record in records]


def _check_json(odd: bytes) -> bool:
    if not _is_json(odd):
        return False
    good = [orjson.dumps({"body": {"stringValue": text}}) for text in _GOOD]
    records = b",".join((good[0], odd, good[1]))
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%b]},{"logRecords":[%b]}]}]}' % (records, good[2])
    return _check(parse_json, body)


def _is_json(odd: bytes) -> bool:
    """Tell whether a body stays JSON with this in it; read by the standard library, which is as lenient."""
    try:
        json.loads(odd.decode("utf-8", "replace"), strict=False, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _protobuf_seeds() -> Sequence[bytes]:
    requests = (part for seed in OTLP_PROTOBUF.seeds() for part in _parts(seed, 1))
    scopes = (part for request in requests for part in _parts(request, 2))
    return [record for scope in scopes for record in _parts(scope, 2)]


def _parts(message: bytes, number: int) -> Iterator[bytes]:
    return messages(message, number)


def _check_protobuf(odd: bytes) -> bool:
    good = [LogRecord(body=AnyValue(string_value=text)).SerializeToString() for text in _GOOD]
    scopes = _field(2, _field(2, good[0]) + _field(2, odd) + _field(2, good[1])) + _field(
        2, _field(2, good[2])
    )
    return _check(parse_protobuf, _field(1, scopes))


def _field(number: int, content: bytes) -> bytes:
    size, written = len(content), bytearray()
    while size > 0x7F:
        written.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((number << 3 | 2, *written, size)) + content


def _check(parse: Callable[[bytes], Iterator[Found]], body: bytes) -> bool:
    batch = Batch(NO_PROCESSORS, RECORD_BYTES_MAX)
    read_records(parse(body), RECEIVED_NS, batch)
    messages = [orjson.loads(document)["message"] for document in batch.documents]

    assert [message for message in messages if message in _GOOD] == list(_GOOD)
    assert len(messages) + batch.rejected == len(_GOOD) + 1
    assert (batch.why_rejected != "") == (batch.rejected > 0)
    return True


OTLP_JSON_NEIGHBOURS = Target(
    "otlp_json_neighbours", _json_seeds, _check_json, json=True, words=OTLP_JSON.words
)
OTLP_PROTOBUF_NEIGHBOURS = Target(
    "otlp_protobuf_neighbours", _protobuf_seeds, _check_protobuf, words=OTLP_PROTOBUF.words
)
