"""Traces through real processes: from OpenTelemetry's clients to the store, and past failing exporters."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from logging_system.monitoring.trace_tree import spans_of, trees
from tests.stack.processes import (
    PYTHON,
    STREAM,
    WAIT_SECONDS,
    Store,
    eventually,
    finish,
    gateway_command,
    ready_line,
    started,
)

ALL = ("--traces-sampled", "1")


def ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert finish(process) == 0


def hits(store: Store) -> list[dict[str, Any]]:
    store.ask("POST", f"/{STREAM}/_refresh")
    return [hit["_source"] for hit in store.ask("POST", f"/{STREAM}/_search", {})["hits"]["hits"]]


def test_a_log_call_in_a_span_of_an_otlp_client_can_be_followed_to_the_index(
    tmp_path: Path, store: Store
) -> None:
    spans, spool = tmp_path / "spans.jsonl", tmp_path / "spool"
    gateway = started(gateway_command(spool, "--traces-file", str(spans), *ALL))
    url = ready_line(gateway)["url"]
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
    with TracerProvider(shutdown_on_exit=False).get_tracer("shop").start_as_current_span("POST /orders"):
        context = trace.get_current_span().get_span_context()
        provider.get_logger("shop").emit(body="paid", severity_number=SeverityNumber.INFO)
    provider.shutdown()
    ended(gateway)
    command = [sys.executable, "-m", "logging_system", "ship", "--spool", str(spool), "--stream", STREAM]
    shipper = started([*command, "--elasticsearch", store.url, "--traces-file", str(spans), *ALL])
    ready_line(shipper)
    eventually(lambda: spans.read_bytes().count(b'"name":"index"') == 1, "the span of the index")
    ended(shipper)
    (document,) = hits(store)
    with spans.open("rb") as lines:
        (tree,) = trees(spans_of(lines))

    assert document["trace"] == {"id": f"{context.trace_id:032x}"}
    assert document["span"] == {"id": f"{context.span_id:016x}"}
    assert document["labels"]["otel.flags"] & 1
    assert re.findall(r"trace [0-9a-f]+|span [0-9a-f]+|spool append|bulk|index", tree) == [
        f"trace {context.trace_id:032x}",
        f"span {context.span_id:016x}",
        "spool append",
        "bulk",
        "index",
    ]


APPLICATION = """
import logging, sys, time
from opentelemetry.sdk.trace import TracerProvider
import logging_system

url, endpoint = sys.argv[1:]
handle = logging_system.install(
    url, service="shop", stream="{stream}", spool="spool", level="INFO",
    traces_endpoint=endpoint, traces_sampled=1.0,
)
tracer = TracerProvider(shutdown_on_exit=False).get_tracer("shop")
log = logging.getLogger("shop")
for number in range(300):
    with tracer.start_as_current_span("order"):
        log.info("order %d", number, extra={{"sequence": number}})
    time.sleep(0.002)
assert handle.flush()
for _ in range(200):
    if (shipper := handle.stats().shipper) and shipper.delivered == 300:
        break
    time.sleep(0.1)
began = time.monotonic()
handle.close()
assert time.monotonic() - began < 5.5
print(handle.handler.events.counts().get("spans_dropped", 0))
"""


@pytest.fixture(params=["dead", "silent"])
def collector(request: pytest.FixtureRequest) -> Iterator[str]:
    """A collector that refuses connections, or takes them and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        if request.param == "dead":
            listener.close()
            yield "http://127.0.0.1:9/v1/traces"
        else:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"


def test_a_collector_that_fails_holds_up_no_record_and_its_spans_are_counted(
    tmp_path: Path, store: Store, collector: str
) -> None:
    began_seconds = time.monotonic()
    done = subprocess.run(
        [*PYTHON, "-c", APPLICATION.format(stream=STREAM), store.url, collector],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=2 * WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began_seconds < 2 * WAIT_SECONDS
    assert store.sequences() == dict.fromkeys(range(300), 1)
    # What came of the HTTP requests is one event, not a traceback for each.
    assert int(done.stdout) >= 2
    assert "Spans of the pipeline are dropped, records are not affected" in done.stderr
    assert "Traceback" not in done.stderr
    assert all(document["trace"]["id"] for document in hits(store))


def test_requests_of_followed_records_carry_the_context_of_their_span(tmp_path: Path, store: Store) -> None:
    spans = tmp_path / "spans.jsonl"
    program = """
import logging, sys
import logging_system
from opentelemetry.sdk.trace import TracerProvider
handle = logging_system.install(service="shop", spool="spool", shipper="none", level="INFO")
with TracerProvider(shutdown_on_exit=False).get_tracer("shop").start_as_current_span("order"):
    logging.getLogger("shop").info("order", extra={"sequence": 1})
handle.close()
"""
    subprocess.run([*PYTHON, "-c", program], cwd=tmp_path, check=True, timeout=WAIT_SECONDS)
    heads: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(WAIT_SECONDS)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "logging_system", "ship", "--spool", "spool", "--stream", STREAM]
        shipper = started([*command, "--elasticsearch", url, "--traces-file", str(spans), *ALL], cwd=tmp_path)
        try:
            while not any(b"_bulk" in head for head in heads):
                connection, _address = listener.accept()
                with closing(connection):
                    connection.settimeout(WAIT_SECONDS)
                    heads.append(connection.recv(65_536))
                    connection.sendall(
                        b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                    )
        finally:
            ended(shipper)
    steps = {span.name: span for span in spans_of(spans.read_bytes().splitlines(keepends=True))}
    ids = {name: f"{span.trace_id}-{span.span_id}".encode() for name, span in steps.items()}
    found = {head: re.search(rb"\r\ntraceparent: 00-([0-9a-f-]{49})-0[13]\r\n", head) for head in heads}
    carried = {head: match[1] for head, match in found.items() if match is not None}
    (bulk,) = [head for head in heads if b"/_bulk" in head]
    (look_up,) = [head for head in heads if b"/_mget" in head]

    assert steps.keys() == {"bulk", "look up"}
    assert (carried[bulk], carried[look_up]) == (ids["bulk"], ids["look up"])
    # What a step asks besides is a part of it; what sets the store up belongs to no record.
    assert set(carried.values()) == set(ids.values())
    assert not any(b"template" in head.partition(b"\r\n")[0] for head in carried)
