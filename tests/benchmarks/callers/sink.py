"""Counts what arrives by the wires that the other contenders speak: lines over TCP, OTLP over HTTP."""

from __future__ import annotations

import gzip
import http.server
import json
import socketserver
import sys
import threading

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

_counts = {"tcp": 0, "otlp": 0}
_lock = threading.Lock()


def _count(wire: str, records: int) -> None:
    with _lock:
        _counts[wire] += records


class Lines(socketserver.StreamRequestHandler):
    """A Logstash input: one event a line."""

    def handle(self) -> None:
        """Count lines until the client goes."""
        for _line in self.rfile:
            _count("tcp", 1)


class Otlp(http.server.BaseHTTPRequestHandler):
    """An OTLP receiver; GET tells the counts."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Count a request's records."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportLogsServiceRequest.FromString(body)
        _count("otlp", sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs))
        self._answer(b"", "application/x-protobuf")

    def do_GET(self) -> None:
        """Tell what has arrived."""
        self._answer(json.dumps(_counts).encode(), "application/json")

    def log_message(self, *_arguments: object) -> None:  # type: ignore[override]
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
