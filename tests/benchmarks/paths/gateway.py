"""The gateway: events of 256 bytes a second, of its processor time and of the clock; a 200 means durable."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from logging_system.keys.providers.file import FileProvider
from tests.benchmarks.paths.row import Row
from tests.stack.processes import gateway_command

_EVENTS = 1_000
_REQUESTS = 60
_CLIENTS = 2
_LINE = b'{"@timestamp":"2026-11-22T10:00:00Z","ecs":{"version":"8.17"},"message":"'
_EVENT = _LINE + b"x" * (256 - len(_LINE) - 2) + b'"}\n'
_NDJSON = _EVENT * _EVENTS
_CONNECTIONS = 4
_CLOCK_SECONDS = 5.0


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
        *(_pace(count) for count in (1, 20)),
    ]


def measure_protected() -> list[Row]:
    """Return events per processor second with masking and a sealed spool, and without, by turns."""
    plain, protected = (
        _rate("/v1/ndjson", _NDJSON, "application/x-ndjson", protected=each) for each in (False, True)
    )
    what = "gateway, NDJSON, masked and sealed: events a processor second"
    return [
        Row(what, protected, "", "≥ 100,000"),
        Row("gateway, NDJSON, neither masked nor sealed: events a processor second", plain, "", "-"),
        Row("gateway, NDJSON, masked and sealed: of the rate without", protected / plain, "x", "-"),
    ]


@contextmanager
def _gateway(*, protected: bool = False) -> Iterator[tuple[int, str]]:
    """Serve on a fresh spool, with masking and a sealed spool or without; gives process id and URL."""
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        spool, keys = Path(name) / "spool", Path(name) / "keys.json"
        command = gateway_command(spool)
        if protected:
            FileProvider(keys).create("logs")
            command += ["--processors", "mask", "--encryption", f"provider=file,path={keys}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield process.pid, json.loads(process.stdout.readline())["url"]
            finally:
                process.terminate()


def _rate(path: str, body: bytes, kind: str, *, protected: bool = False) -> float:
    with _gateway(protected=protected) as (pid, url):
        _send(url + path, body, kind, 5)
        before_seconds = _processor_seconds(pid)
        _together(
            [
                threading.Thread(target=_send, args=(url + path, body, kind, _REQUESTS // _CLIENTS))
                for _ in range(_CLIENTS)
            ]
        )
        spent_seconds = _processor_seconds(pid) - before_seconds
    return _EVENTS * _REQUESTS / spent_seconds


def _pace(events: int) -> Row:
    """Return events a second of the clock, on connections that each wait for an answer before they go on."""
    body = _EVENT * events
    head = f"POST /v1/ndjson HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Content-Type: application/x-ndjson\r\n\r\n".encode() + body
    answered: list[int] = []
    with _gateway() as (_, url):
        address = urlsplit(url)
        place = (str(address.hostname), int(address.port or 0))
        began_seconds = time.monotonic()
        ends_seconds = began_seconds + _CLOCK_SECONDS
        _together(
            [
                threading.Thread(target=lambda: answered.append(_ask_until(ends_seconds, place, request)))
                for _ in range(_CONNECTIONS)
            ]
        )
        took_seconds = time.monotonic() - began_seconds
    assert len(answered) == _CONNECTIONS, "a connection broke"
    what = f"gateway, NDJSON: events a second, {events} a request, {_CONNECTIONS} connections"
    return Row(what, events * sum(answered) / took_seconds, "", "-")


def _ask_until(ends_seconds: float, place: tuple[str, int], request: bytes) -> int:
    """Return how many requests were answered; a client so plain that it takes little of the processor."""
    answered = 0
    with socket.create_connection(place, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < ends_seconds:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                part = connection.recv(65_536)
                assert part, "the gateway hung up"
                answer += part
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            answered += 1
    return answered


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(url: str, body: bytes, kind: str, times: int) -> None:
    with requests.Session() as session:
        for _ in range(times):
            session.post(url, body, headers={"Content-Type": kind}, timeout=60).raise_for_status()


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
