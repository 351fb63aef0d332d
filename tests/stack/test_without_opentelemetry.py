"""Without OpenTelemetry everything works as ever: here its import is blocked, in processes of their own.

`make test-otel-free` runs more tests where it really is not installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson

from tests.repository import REPOSITORY
from tests.stack.processes import WAIT_SECONDS, eventually, finish, ready_line, started

_BLOCKED = "from tests.without_opentelemetry import block; block()\n"
APPLICATION = """
import logging, sys
import logging_system
handle = logging_system.install(
    service="checkout", spool="spool", shipper="none", traces_file="spans.jsonl", traces_sampled=1.0
)
logging.getLogger("shop").error("payment of order %d failed", 7, extra={"order": 7})
assert handle.flush()
assert handle.stats().handler.admitted == 1
handle.close()
assert handle.handler.events.counts() == {"tracing_unavailable": 1}
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
COMMAND = "import sys; from logging_system.cli import main; sys.exit(main(sys.argv[1:]))"


def command(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", _BLOCKED + program, *arguments]


def test_records_reach_the_store_and_only_missing_spans_are_told(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        command(APPLICATION),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert "makes no spans of itself, though the settings ask for them: " in done.stderr
    assert "pip install 'logquake[opentelemetry]'" in done.stderr

    shipped = tmp_path / "shipped.ndjson"
    ship = command(
        COMMAND, "ship", "--spool", "spool", "--file", str(shipped), "--traces-file", "spans.jsonl"
    )
    process = started(ship, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    try:
        ready_line(process)
        eventually(lambda: shipped.exists() and shipped.read_bytes().endswith(b"\n"), "the record")
    finally:
        process.send_signal(signal.SIGTERM)
        code = finish(process)
    (line,) = shipped.read_bytes().splitlines()
    document = orjson.loads(line)["_source"]

    assert code == 0
    assert document["message"] == "payment of order 7 failed"
    assert not {"trace", "span"} & document.keys()
    assert not (tmp_path / "spans.jsonl").exists()


def test_a_gateway_serves_ndjson_and_otlp_in_json(tmp_path: Path) -> None:
    import requests

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    serve = command(COMMAND, "serve", "--spool", "spool", "--listen-port", "0")
    process = started(serve, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    try:
        url = ready_line(process)["url"]
        ids = {"traceId": "a" * 32, "spanId": "b" * 16, "flags": 1, "body": {"stringValue": "m"}}
        otlp = {"resourceLogs": [{"scopeLogs": [{"logRecords": [ids]}]}]}
        answers = [
            requests.post(f"{url}/v1/logs", json=otlp, timeout=WAIT_SECONDS).status_code,
            requests.post(
                f"{url}/v1/ndjson",
                data=b'{"message":"n"}\n',
                headers={"Content-Type": "application/x-ndjson"},
                timeout=WAIT_SECONDS,
            ).status_code,
        ]
    finally:
        process.send_signal(signal.SIGTERM)
        code = finish(process)

    assert (answers, code) == ([200, 200], 0)
