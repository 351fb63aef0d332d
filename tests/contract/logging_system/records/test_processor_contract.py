"""The same processor sees and changes records alike, whichever way they came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from logging_system.gateway.batch import Batch
from logging_system.gateway.ndjson import read_ndjson
from logging_system.gateway.otlp import read_records
from logging_system.gateway.otlp_json import parse_json
from logging_system.gateway.otlp_protobuf import parse_protobuf
from logging_system.handler.handler import SpoolHandler
from logging_system.records.add_labels import AddLabels
from logging_system.records.document import Document, Put, Record, Remove, Rename
from logging_system.records.processors import Chain, Drop, Processor
from tests.unit.logging_system.spooling import read_all, reading

WAIT_SECONDS = 20.0
Given = Mapping[str, Any]
Way = Callable[[Path, Chain, list[Given]], tuple[list[Document], Mapping[str, int]]]
"""Takes records (message and labels) through a chain; returns what is kept, and what is dropped by reason."""


def handler(folder: Path, chain: Chain, records: list[Given]) -> tuple[list[Document], Mapping[str, int]]:
    logger = logging.Logger("contract")
    spool_handler = SpoolHandler(spool=folder, service="s", durability="write", chain=chain)
    logger.addHandler(spool_handler)
    try:
        for each in records:
            logger.info(each["message"], extra=dict(each["labels"]))
        assert spool_handler.flush(WAIT_SECONDS)
        dropped = spool_handler.stats().dropped
    finally:
        spool_handler.close()
    with reading(folder) as reader:
        kept = [orjson.loads(document) for _, document in read_all(reader)]
    return kept, dropped


def ndjson(_folder: Path, chain: Chain, records: list[Given]) -> tuple[list[Document], Mapping[str, int]]:
    batch = Batch(chain, 10_000)
    read_ndjson(b"\n".join(map(orjson.dumps, records)), "2026-11-22T10:00:00Z", batch)
    return list(map(orjson.loads, batch.documents)), batch.dropped


def otlp_json(_folder: Path, chain: Chain, records: list[Given]) -> tuple[list[Document], Mapping[str, int]]:
    logs = [
        {
            "body": {"stringValue": each["message"]},
            "attributes": [
                {
                    "key": name,
                    "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
                }
                for name, value in each["labels"].items()
            ],
        }
        for each in records
    ]
    batch = Batch(chain, 10_000)
    body = orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]})
    read_records(parse_json(body), 1, batch)
    return list(map(orjson.loads, batch.documents)), batch.dropped


def otlp_protobuf(
    _folder: Path, chain: Chain, records: list[Given]
) -> tuple[list[Document], Mapping[str, int]]:
    logs = [
        LogRecord(
            body=AnyValue(string_value=each["message"]),
            attributes=[
                KeyValue(
                    key=name,
                    value=AnyValue(int_value=value)
                    if isinstance(value, int)
                    else AnyValue(string_value=value),
                )
                for name, value in each["labels"].items()
            ],
        )
        for each in records
    ]
    message = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=logs)])])
    batch = Batch(chain, 10_000)
    read_records(parse_protobuf(message.SerializeToString()), 1, batch)
    return list(map(orjson.loads, batch.documents)), batch.dropped


WAYS = [handler, ndjson, otlp_json, otlp_protobuf]


class Masking:
    """Masks by name, by what is in the encoded record, and drops and fails on demand; notes what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, object]] = []

    def process(self, record: Record) -> Record | Drop:
        message, labels = record.document["message"], record.document["labels"]
        assert isinstance(labels, Mapping)
        self.seen.append((message, dict(labels)))
        assert orjson.loads(record.encoded)["message"] == message
        if message == "ping":
            return Drop("health_check")
        if message == "broken":
            raise ValueError("cannot be masked")
        if b"4111" not in record.encoded:
            return record
        return record.edited(
            [Put(("message",), "card ***"), Remove(("labels", "pin")), Rename(("labels", "4111"), "card")]
        )


RECORDS: list[Given] = [
    {"message": "public", "labels": {"order": 42}},
    {"message": "ping", "labels": {"order": 43}},
    {"message": "card 4111", "labels": {"pin": "1234", "4111": "yes", "order": 44}},
    {"message": "broken", "labels": {"order": 45}},
    {"message": "last", "labels": {"order": 46}},
]


@pytest.mark.parametrize("way", WAYS)
def test_a_processor_sees_changes_drops_and_fails_alike(tmp_path: Path, way: Way) -> None:
    masking = Masking()
    kept, dropped = way(tmp_path, Chain([masking, AddLabels({"env": "prod"})]), RECORDS)

    assert masking.seen == [(each["message"], each["labels"]) for each in RECORDS]
    assert [(each["message"], each["labels"]) for each in kept] == [
        ("public", {"order": 42, "env": "prod"}),
        ("card ***", {"card": "yes", "order": 44, "env": "prod"}),
        ("last", {"order": 46, "env": "prod"}),
    ]
    assert dropped == {"processor:health_check": 1, "processor_error": 1}


class Looking:
    """Changes nothing."""

    def process(self, record: Record) -> Record:
        assert record.document
        assert record.encoded
        return record


@pytest.mark.parametrize("way", WAYS)
def test_a_processor_that_changes_nothing_changes_nothing(tmp_path: Path, way: Way) -> None:
    plain, _ = way(tmp_path / "plain", Chain(), RECORDS)
    looked, dropped = way(tmp_path / "looked", Chain([Looking()]), RECORDS)

    for each in (*plain, *looked):  # of the handler: what two runs do not share
        for name in ("@timestamp", "process", "log"):
            each.pop(name, None)
    assert looked == plain
    assert dropped == {}


EXACT = (
    b'{"@timestamp":"2026-11-22T10:00:00Z", "ecs":{"version":"1"},  "n":18446744073709551617,'
    b'"d" : 0.1000000000000000055,\t"e":"\\u00e4\\/", "message":"card 4111" ,"labels":{"pin":1, "4111":2.50}}'
)


@pytest.mark.parametrize("processor", [Looking(), AddLabels({"pin": "other"})])
def test_a_line_that_no_processor_changes_keeps_its_bytes(processor: Processor) -> None:
    batch = Batch(Chain([processor]), 10_000)
    read_ndjson(EXACT, "2026-11-22T10:00:00Z", batch)

    assert batch.documents == [EXACT]


def test_a_change_of_a_line_leaves_all_beside_it_byte_for_byte() -> None:
    batch = Batch(Chain([Masking(), AddLabels({"env": "prod"})]), 10_000)
    read_ndjson(EXACT, "2026-11-22T10:00:00Z", batch)

    assert batch.documents == [
        EXACT.replace(b"card 4111", b"card ***")
        .replace(b'"pin":1,', b"")
        .replace(b'"4111":2.50}', b'"card":2.50,"env":"prod"}')
    ]
