"""The servers of a comparison: sinks, store, and a fault proxy with a link to each in every state."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

STATES = ("healthy", "slow", "dead")
SLOW_MS = 2_000
_STOP_SECONDS_MAX = 20.0


class Field:
    """Runs the servers until `stack` is closed; links keep their state, so callers can run side by side."""

    def __init__(self, stack: ExitStack) -> None:
        sink = ready(stack.enter_context(process("tests.benchmarks.callers.sink")))
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="callers-store-"))
        lite = process("harness.programs.elastic_lite", "--port", "0", "--lifeline", "--data", data)
        self._store_url: str = ready(stack.enter_context(lite))["url"]
        proxy = process("harness.programs.tcp_proxy", "--port", "0", "--lifeline")
        self._proxy_url: str = ready(stack.enter_context(proxy))["url"]
        self._sink_url = f"http://127.0.0.1:{sink['otlp']}"
        store_port = int(self._store_url.rpartition(":")[2])
        upstreams = {"tcp": sink["tcp"], "otlp": sink["otlp"], "store": store_port}
        self._ports = {
            (wire, state): self._link(wire, state, port)
            for wire, port in upstreams.items()
            for state in STATES
        }

    def port(self, wire: str, state: str) -> int:
        """Return where a wire's store is reached in a state."""
        return self._ports[wire, state]

    def arrived(self, wire: str, caller: int) -> int:
        """Return how many different records of a caller have come in."""
        if wire == "store":  # a document's id is its place in the spool: what comes twice is stored once
            answer = requests.get(f"{self._store_url}/{stream(caller)}/_count", timeout=30)
            return int(answer.json()["count"]) if answer.status_code == 200 else 0
        return int(requests.get(self._sink_url, timeout=30).json().get(str(caller), 0))

    def _link(self, wire: str, state: str, port: int) -> int:
        name = f"{wire}-{state}"
        made = self._post(
            "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{port}"}
        )
        if state == "dead":
            self._post(f"/proxies/{name}", {"enabled": False})
        elif state == "slow":
            toxic = {"type": "latency", "stream": "downstream", "attributes": {"latency": SLOW_MS}}
            self._post(f"/proxies/{name}/toxics", toxic)
        return int(made["listen"].rpartition(":")[2])

    def _post(self, path: str, body: object) -> Any:
        answer = requests.post(f"{self._proxy_url}{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()


def stream(caller: int) -> str:
    """Return the data stream of a caller."""
    return f"logs-callers-{caller}"


@contextmanager
def shipper(spool: Path, port: int, data_stream: str) -> Iterator[None]:
    """Run `ship` on a spool."""
    arguments = ["--spool", str(spool), "--elasticsearch", f"http://127.0.0.1:{port}"]
    with process("logging_system", "ship", *arguments, "--stream", data_stream, "--lifeline") as shipping:
        ready(shipping)
        yield


@contextmanager
def process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module that ends at SIGTERM."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                running.kill()


def ready(running: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a process prints when it serves.

    Raises:
        RuntimeError: It ended without.
    """
    assert running.stdout is not None
    line = running.stdout.readline()
    if not line:
        raise RuntimeError(f"{running.args!r} ended before it was ready; run it by hand to see why")
    content: dict[str, Any] = json.loads(line)
    return content
