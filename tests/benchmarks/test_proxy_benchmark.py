"""What the TCP proxy costs beside the real Toxiproxy: latency added, and bytes a second, in one run.

Both are measured in turns (real, embedded, embedded, real, …), so that what the machine does meanwhile falls
on both alike. Ratios are what can be compared between machines, the figures themselves cannot.
"""

from __future__ import annotations

import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.judging.statistics import quantile
from harness.targets.toxiproxy_client import ToxiproxyClient

sys.path.insert(0, str(Path(__file__).parent.parent / "contract"))
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import (
    real_toxiproxy,
    tcp_proxy,
    toxiproxy_binary,
)

ROUNDS = 6
ROUND_TRIPS = 1_500
PAYLOAD = bytes(100)
STREAM_BYTES = 64 << 20
CHUNK = bytes(1 << 18)
WAY = tuple[str, int]


@dataclass
class Figures:
    """What one way through (direct, real, embedded) took, all rounds together."""

    round_trips_us: list[float] = field(default_factory=list)
    megabytes_per_second: list[float] = field(default_factory=list)

    def quantile_us(self, fraction: float) -> float:
        return quantile(self.round_trips_us, fraction)

    @property
    def throughput(self) -> float:
        return statistics.median(self.megabytes_per_second)


@contextmanager
def peer() -> Iterator[int]:
    command = [sys.executable, str(Path(__file__).parent / "peer.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


def through(url: str, port: int) -> WAY:
    client = ToxiproxyClient(url)
    host, _, listen_port = client.create("bench", "127.0.0.1:0", f"127.0.0.1:{port}").listen.rpartition(":")
    return host, int(listen_port)


def measure_round_trips(address: WAY) -> list[float]:
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"e")
        times_us = []
        for number in range(ROUND_TRIPS + 100):
            started = time.perf_counter_ns()
            connection.sendall(PAYLOAD)
            received = connection.recv(len(PAYLOAD), socket.MSG_WAITALL)
            if number >= 100:
                times_us.append((time.perf_counter_ns() - started) / 1e3)
            assert len(received) == len(PAYLOAD)
        return times_us


def measure_stream(address: WAY) -> float:
    with socket.create_connection(address, timeout=60) as connection:
        started = time.perf_counter()
        connection.sendall(b"s" + struct.pack(">Q", STREAM_BYTES))
        for _ in range(STREAM_BYTES // len(CHUNK)):
            connection.sendall(CHUNK)
        assert connection.recv(1) == b"."
        return STREAM_BYTES / 1e6 / (time.perf_counter() - started)


@pytest.mark.timeout(600)
def test_what_the_tcp_proxy_costs_beside_the_real_one(capsys):
    with peer() as port, tcp_proxy() as embedded, real_toxiproxy(toxiproxy_binary()) as real:
        ways = {
            "direct": ("127.0.0.1", port),
            "real": through(real, port),
            "embedded": through(embedded, port),
        }
        figures = {name: Figures() for name in ways}
        for number in range(ROUNDS):
            pair = ("real", "embedded") if number % 2 == 0 else ("embedded", "real")
            for name in ("direct", *pair, *reversed(pair), "direct"):
                figures[name].round_trips_us += measure_round_trips(ways[name])
                figures[name].megabytes_per_second.append(measure_stream(ways[name]))
    with capsys.disabled():
        print(report(figures))

    assert all(made.throughput > 0 for made in figures.values())
    assert figures["real"].quantile_us(0.5) > figures["direct"].quantile_us(0.5)


def report(figures: dict[str, Figures]) -> str:
    """Return the table of figures, what each proxy adds, and the ratios of embedded to real."""
    rows = [
        f"{name:9} p50 {made.quantile_us(0.5):7.1f} us   p99 {made.quantile_us(0.99):7.1f} us   "
        f"{made.throughput:7.0f} MB/s"
        for name, made in figures.items()
    ]
    direct, real, embedded = (figures[name].quantile_us(0.5) for name in ("direct", "real", "embedded"))
    ratios = [
        f"p50: real adds {real - direct:.1f} us, embedded {embedded - direct:.1f} us, ratio "
        f"{(embedded - direct) / (real - direct):.2f} (embedded / real)",
        # Not of what was added: at p99 the machine's own noise is larger than that.
        f"p99 of the whole round trip: ratio "
        f"{figures['embedded'].quantile_us(0.99) / figures['real'].quantile_us(0.99):.2f} (embedded / real)",
    ]
    streams = figures["embedded"].throughput / figures["real"].throughput
    return "\n".join(["", *rows, *ratios, f"throughput: ratio {streams:.2f} (embedded / real)"])
