"""What the tests of the stack start and wait for: processes, and a store that can die and come back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

STREAM = "logs-shipping-test"
WAIT_SECONDS = 30.0
PYTHON = [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning"]
"""Warnings end a script, but for Python 3.12's about forking beside a thread, which tests do on purpose."""


def gateway_command(spool: Path, *arguments: str) -> list[str]:
    """The gateway on a spool folder, at any free port."""
    command = [sys.executable, "-m", "logging_system", "serve"]
    return [*command, "--spool", str(spool), "--listen-port", "0", *arguments]


class Store:
    """elastic_lite as a process that can die and come back at the same address with the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "harness.programs.elastic_lite",
            "--port",
            str(self.port),
            "--lifeline",
        ]
        self.process = started([*command, "--data", str(self.folder)])
        self.url: str = ready_line(self.process)["url"]
        self.port = int(self.url.rpartition(":")[2])

    def ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        request = urllib.request.Request(  # noqa: S310 - our own process on the loopback
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return orjson.loads(answer.read())

    def sequences(self) -> Counter[int]:
        """Every stored copy, by the sequence it was logged with."""
        self.ask("POST", f"/{STREAM}/_refresh")
        found: Counter[int] = Counter()
        after: list[object] = []
        while True:
            body: dict[str, object] = {
                "size": 5_000,
                "sort": [{"event.sequence": "asc"}, {"process.entity_id": "asc"}],
            }
            if after:
                body["search_after"] = after
            hits = self.ask("POST", f"/{STREAM}/_search", body)["hits"]["hits"]
            if not hits:
                return found
            found.update(hit["_source"]["labels"]["sequence"] for hit in hits)
            after = hits[-1]["sort"]


def started(command: list[str], **arguments: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **arguments)


def ready_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    content: dict[str, Any] = json.loads(process.stdout.readline())
    return content


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    finish(process)


def finish(process: subprocess.Popen[bytes]) -> int:
    """Close the process's pipes and wait for it; returns its exit code."""
    process.communicate(timeout=WAIT_SECONDS)
    return process.returncode


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}"
        time.sleep(0.02)
