"""Counts what arrives by the wires that the other contenders speak: lines over TCP, OTLP over HTTP.

What arrives twice counts once: records are told apart by the number that each carries.
"""

from __future__ import annotations

import gzip
import http.server
import json
import re
import socketserver
import sys
import threading
from collections import Counter
from collections.abc import Iterable

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.benchmarks.callers.numbers import ORDER_JSON, caller_of

_arrived: set[int] = set()
_per_caller: Counter[int] = Counter()
_lock = threading.Lock()


def _note(numbers: Iterable[int]) -> None:
    with _lock:
        for number in numbers:
            if number not in _arrived:
                _arrived.add(number)
                _per_caller[caller_of(number)] += 1


class Lines(socketserver.StreamRequestHandler):
    """A Logstash input: one event a line."""

    def handle(self) -> None:
        """Count whole lines until the client goes."""
        for line in self.rfile:
            if line.endswith(b"\n") and (found := re.search(ORDER_JSON, line)):
                _note([int(found[1])])


class Otlp(http.server.BaseHTTPRequestHandler):
    """An OTLP receiver; GET tells the counts."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Count a request's records."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportLogsServiceRequest.FromString(body)
        _note(
            attribute.value.int_value
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
            for attribute in record.attributes
            if attribute.key == "order"
        )
        self._answer(b"", "application/x-protobuf")

    def do_GET(self) -> None:
        """Tell how much of each caller has arrived."""
        with _lock:
            counts = dict(_per_caller)
        self._answer(json.dumps(counts).encode(), "application/json")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until standard input ends; print the two ports."""
    lines = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lines)
    otlp = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Otlp)
    for server in (lines, otlp):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"tcp": lines.server_address[1], "otlp": otlp.server_address[1]}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
