"""Runs every contender against a healthy, a slow and a dead store, and draws the table.

Each runs in a process of its own; between it and its store is the fault proxy. Costs are ratios to a
NullHandler of the same run, because the machine's own speed drifts; counts are counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.callers.contenders import CONTENDERS

STATES = ("healthy", "slow", "dead")
SLOW_MS = 2_000
STREAM = "logs-benchmark"
_WIRES = {
    "python-logstash-async": "tcp",
    "OpenTelemetry batch": "otlp",
    "logging_system, ship beside it": "store",
    "logging_system, in one process": "store",
}
_ARRIVAL_SECONDS_MAX = 30.0
_STILL_SECONDS = 5.0
_ENDED_SECONDS_MAX = 120.0
_FILES = {"QueueHandler + JSON file": "queue.ndjson", "structlog + JSON file": "structlog.ndjson"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of one contender cost and lost."""

    contender: str
    state: str
    figures: dict[str, float]
    exit_seconds: float
    arrived: int

    @property
    def lost(self) -> int:
        """Records that never arrive, also when the store is well again."""
        return int(self.figures["sent"]) - self.arrived


class Field:
    """The servers of a comparison: sink, store, fault proxy with a link to each."""

    def __init__(self, stack: ExitStack) -> None:
        sink = _ready(stack.enter_context(_process("tests.benchmarks.callers.sink")))
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="callers-store-"))
        store = _ready(
            stack.enter_context(_process("harness.elastic_lite", "--port", "0", "--lifeline", "--data", data))
        )
        proxy = _ready(stack.enter_context(_process("harness.proxies.embedded", "--port", "0", "--lifeline")))
        self.proxy_url: str = proxy["url"]
        self.store_url: str = store["url"]
        self.sink_url = f"http://127.0.0.1:{sink['otlp']}"
        self.store_port = int(self.store_url.rpartition(":")[2])
        upstreams = {"tcp": sink["tcp"], "otlp": sink["otlp"], "store": self.store_port}
        self.ports = {wire: self._link(wire, port) for wire, port in upstreams.items()}

    def set_state(self, state: str) -> None:
        """Make every link healthy, slow or dead."""
        requests.post(f"{self.proxy_url}/reset", timeout=10).raise_for_status()
        for wire in self.ports:
            if state == "dead":
                self._post(f"/proxies/{wire}", {"enabled": False})
            elif state == "slow":
                toxic = {"type": "latency", "stream": "downstream", "attributes": {"latency": SLOW_MS}}
                self._post(f"/proxies/{wire}/toxics", toxic)

    def arrived(self, wire: str) -> int:
        """Return how many records have come in by a wire."""
        if wire == "store":
            answer = requests.get(f"{self.store_url}/{STREAM}/_count", timeout=10)
            return int(answer.json()["count"]) if answer.status_code == 200 else 0
        return int(requests.get(self.sink_url, timeout=10).json()[wire])

    def _link(self, wire: str, port: int) -> int:
        made = self._post(
            "/proxies", {"name": wire, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{port}"}
        )
        return int(made["listen"].rpartition(":")[2])

    def _post(self, path: str, body: object) -> Any:
        answer = requests.post(f"{self.proxy_url}{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()


def run_one(field: Field, contender: str, state: str, load: Sequence[str]) -> Outcome:
    """Run one contender once, and count what arrived and what is on its disk."""
    wire = _WIRES.get(contender, "")
    with tempfile.TemporaryDirectory(prefix="callers-") as name, ExitStack() as stack:
        folder = Path(name)
        before = field.arrived(wire) if wire else 0
        port = field.ports.get(wire, 9)
        if contender == "logging_system, ship beside it":
            stack.enter_context(_shipper(folder / "spool", port))
        field.set_state(state)
        command = [sys.executable, "-m", "tests.benchmarks.callers.caller", contender, "127.0.0.1", str(port)]
        with subprocess.Popen(
            [*command, name, *load], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            ended_at = time.monotonic()
            process.wait(_ENDED_SECONDS_MAX)
        exit_seconds = time.monotonic() - ended_at
        figures: dict[str, float] = json.loads(line)
        if not wire:
            return Outcome(contender, state, figures, exit_seconds, _in_file(folder, contender, figures))
        if state == "healthy":
            _wait_for(field, wire, before + int(figures["sent"]))
        stack.close()  # the shipper beside it ends as well
        field.set_state("healthy")
        with ExitStack() as later:
            if wire == "store":  # what is on disk counts as soon as somebody ships it
                later.enter_context(_shipper(folder / "spool", port))
            arrived = _wait_for(field, wire, before + int(figures["sent"])) - before
        return Outcome(contender, state, figures, exit_seconds, arrived)


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the comparison as Markdown: medians over the rounds, costs as ratios to NullHandler."""
    base = _medians([one for one in outcomes if one.contender == "NullHandler"])
    lines = [
        "| way to log | store | CPU of the call | CPU of the process | call p99 | longest call ms | "
        "response p99 ms | memory MiB | exit s | lost of all |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for contender in CONTENDERS:
        for state in STATES:
            mine = [one for one in outcomes if (one.contender, one.state) == (contender, state)]
            if mine:
                lines.append(_row(mine, base))
    return lines


def _row(mine: Sequence[Outcome], base: dict[str, float]) -> str:
    medians = _medians(mine)
    ratios = [medians[key] / base[key] for key in ("thread_cpu_us", "tight_cpu_us", "call_p99_us")]
    lost, sent = sum(one.lost for one in mine), sum(int(one.figures["sent"]) for one in mine)
    exits = statistics.median(one.exit_seconds for one in mine)
    has_store = mine[0].contender in _WIRES
    cells = [
        mine[0].contender,
        mine[0].state if has_store else "-",
        *(f"{ratio:.2f} x" for ratio in ratios),
        f"{max(one.figures['call_max_ms'] for one in mine):.1f}",
        f"{medians['response_p99_ms']:.1f}",
        f"{medians['memory_mib']:.0f}",
        f"{exits:.1f}",
        "-" if mine[0].contender == "NullHandler" else f"{lost:,} of {sent:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _medians(outcomes: Sequence[Outcome]) -> dict[str, float]:
    keys = outcomes[0].figures
    return {key: statistics.median(one.figures[key] for one in outcomes) for key in keys}


def _in_file(folder: Path, contender: str, figures: dict[str, float]) -> int:
    if contender not in _FILES:
        return int(figures["sent"])  # a NullHandler keeps nothing and promises nothing
    return len((folder / _FILES[contender]).read_bytes().splitlines())


def _wait_for(field: Field, wire: str, expected: int) -> int:
    """Return what has arrived, once all of it did, or once nothing more came for a while."""
    deadline = time.monotonic() + _ARRIVAL_SECONDS_MAX
    arrived, still_since = field.arrived(wire), time.monotonic()
    while arrived < expected and time.monotonic() < min(deadline, still_since + _STILL_SECONDS):
        time.sleep(0.1)
        now = field.arrived(wire)
        if now != arrived:
            arrived, still_since = now, time.monotonic()
    return arrived


@contextmanager
def _shipper(spool: Path, port: int) -> Iterator[None]:
    arguments = ["--spool", str(spool), "--elasticsearch", f"http://127.0.0.1:{port}", "--stream", STREAM]
    with _process("logging_system", "ship", *arguments, "--lifeline") as process:
        _ready(process)
        yield


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    ready: dict[str, Any] = json.loads(process.stdout.readline())
    return ready


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.callers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of paced calls")
    parser.add_argument("--per-second", type=float, default=1_000.0)
    parser.add_argument("--burst", type=int, default=20_000, help="calls as fast as they go")
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), help="repeat for more")
    options = parser.parse_args()
    load = [str(int(options.seconds * options.per_second)), str(options.per_second), str(options.burst)]
    names = ["NullHandler", *(options.only or [name for name in CONTENDERS if name != "NullHandler"])]
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        field = Field(stack)
        for number in range(options.rounds):
            # Forwards and backwards in turn, so that a drift of the machine meets everybody alike.
            for name in names if number % 2 == 0 else reversed(names):
                for state in STATES if name in _WIRES else STATES[:1]:
                    outcome = run_one(field, name, state, load)
                    outcomes.append(outcome)
                    sys.stderr.write(
                        f"{name} · {state} · exit {outcome.exit_seconds:.1f} s · lost {outcome.lost}\n"
                    )
    sys.stdout.write("\n".join(table(outcomes)) + "\n")


if __name__ == "__main__":
    main()
