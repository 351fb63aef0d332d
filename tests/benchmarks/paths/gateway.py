"""The gateway: events per second of its own processor time, from 200 that means durable, 256-byte events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from tests.benchmarks.paths.row import Row

_EVENTS = 1_000
_REQUESTS = 60
_CLIENTS = 2
_LINE = b'{"@timestamp":"2026-11-22T10:00:00Z","ecs":{"version":"8.17"},"message":"'
_NDJSON = (_LINE + b"x" * (256 - len(_LINE) - 2) + b'"}\n') * _EVENTS


def measure() -> list[Row]:
    """Return events per processor second by both wires, and Vector's published figure as the goal."""
    record = LogRecord(time_unix_nano=1, body=AnyValue(string_value="x" * 200), severity_text="INFO")
    logs = ScopeLogs(log_records=[record] * _EVENTS)
    otlp = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[logs])]).SerializeToString()
    return [
        Row(
            "gateway, NDJSON: events a processor second",
            _rate("/v1/ndjson", _NDJSON, "application/x-ndjson"),
            "",
            "≥ 41,000",
        ),
        Row(
            "gateway, OTLP protobuf: events a processor second",
            _rate("/v1/logs", otlp, "application/x-protobuf"),
            "",
            "≥ 41,000",
        ),
    ]


def _rate(path: str, body: bytes, kind: str) -> float:
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        command = [sys.executable, "-m", "logging_system", "serve", "--spool", name, "--listen-port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = json.loads(process.stdout.readline())["url"]
                _send(url + path, body, kind, 5)
                before_seconds = _processor_seconds(process.pid)
                clients = [
                    threading.Thread(target=_send, args=(url + path, body, kind, _REQUESTS // _CLIENTS))
                    for _ in range(_CLIENTS)
                ]
                for client in clients:
                    client.start()
                for client in clients:
                    client.join()
                spent_seconds = _processor_seconds(process.pid) - before_seconds
            finally:
                process.terminate()
    return _EVENTS * _REQUESTS / spent_seconds


def _send(url: str, body: bytes, kind: str, times: int) -> None:
    with requests.Session() as session:
        for _ in range(times):
            session.post(url, body, headers={"Content-Type": kind}, timeout=60).raise_for_status()


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
