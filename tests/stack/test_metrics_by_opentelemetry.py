"""`ship` sends its metrics by OTLP, as the environment says; a receiver that is dead changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.stack.processes import PYTHON, eventually, finish, ready_line, started

APPLICATION = """
import logging, sys
from logging_system import install
installation = install(service="shop", spool=sys.argv[1], shipper="none")
for number in range(100):
    logging.getLogger("shop").info("paid")
installation.close()
"""
STOP_SECONDS_MAX = 5.0


class Receiver:
    """A collector: keeps the newest value of each point, or never answers."""

    def __init__(self, *, hangs: bool) -> None:
        self.values: dict[tuple[str, str], float] = {}
        self.service = ""
        self.asked = threading.Event()
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked.set()
                if hangs:
                    receiver.released.wait(60)
                    return
                receiver.take(ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
            self.service = next(
                each.value.string_value for each in resource.resource.attributes if each.key == "service.name"
            )
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in (
                        metric.sum.data_points if metric.HasField("sum") else metric.gauge.data_points
                    ):
                        errors = [each for each in point.attributes if each.key == "error.type"]
                        kind = errors[0].value.string_value if errors else ""
                        self.values[metric.name, kind] = point.as_int or point.as_double

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(hangs=getattr(request, "param", False))
    yield made
    made.close()


def ship(folder: Path, endpoint: str, **more: str) -> subprocess.Popen[bytes]:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_METRIC_EXPORT_INTERVAL": "200"}
    environment = {**os.environ, **exporting, **more}
    command = [
        *(sys.executable, "-m", "logging_system", "ship", "--lifeline", "--opentelemetry-metrics"),
        *("--spool", str(folder / "spool"), "--service", "shop", "--file", str(folder / "out.ndjson")),
    ]
    with (folder / "errors").open("wb") as errors:
        process = started(command, env=environment, stderr=errors)
    ready_line(process)
    return process


def log_hundred(folder: Path) -> None:
    subprocess.run([*PYTHON, "-c", APPLICATION, str(folder / "spool")], check=True, timeout=60)


def delivered(folder: Path) -> int:
    out = folder / "out.ndjson"
    return out.read_bytes().count(b"\n") if out.exists() else 0


def stopped_within(process: subprocess.Popen[bytes]) -> float:
    begun_seconds = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert finish(process) == 0
    return time.monotonic() - begun_seconds


def test_a_collector_gets_what_became_of_every_record(tmp_path: Path, receiver: Receiver) -> None:
    log_hundred(tmp_path)
    process = ship(tmp_path, f"http://127.0.0.1:{receiver.server.server_port}")
    eventually(
        lambda: receiver.values.get(("otel.sdk.exporter.log.exported", "")) == 100, "the collector's numbers"
    )
    seconds = stopped_within(process)

    assert receiver.service == "shop"
    assert receiver.values["otel.sdk.log.created", ""] == 100
    assert receiver.values["otel.sdk.processor.log.processed", ""] == 100
    assert receiver.values["otel.sdk.processor.log.processed", "queue_full"] == 0
    assert receiver.values["logging_system.shipper.logged_to_searchable.count", ""] == 100
    assert seconds < STOP_SECONDS_MAX


@pytest.mark.parametrize("receiver", [True], indirect=True, ids=["hangs"])
def test_a_collector_that_never_answers_holds_up_nothing(tmp_path: Path, receiver: Receiver) -> None:
    log_hundred(tmp_path)
    process = ship(tmp_path, f"http://127.0.0.1:{receiver.server.server_port}")
    eventually(receiver.asked.is_set, "a request to the collector")
    eventually(lambda: delivered(tmp_path) == 100, "the delivery")

    assert stopped_within(process) < STOP_SECONDS_MAX


def test_a_collector_that_is_not_there_holds_up_nothing(tmp_path: Path) -> None:
    log_hundred(tmp_path)
    process = ship(tmp_path, "http://127.0.0.1:1")
    eventually(lambda: delivered(tmp_path) == 100, "the delivery")

    assert stopped_within(process) < STOP_SECONDS_MAX


def test_without_the_packages_it_ships_and_says_why_nothing_is_exported(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise ImportError('not here')\n")
    log_hundred(tmp_path)
    process = ship(tmp_path, "http://127.0.0.1:1", PYTHONPATH=str(tmp_path))
    eventually(lambda: delivered(tmp_path) == 100, "the delivery")
    stopped_within(process)

    assert "OpenTelemetry gets no metrics: ImportError: not here" in (tmp_path / "errors").read_text()
