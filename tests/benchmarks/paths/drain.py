"""A spool filled beforehand, and a `ship` process that takes it to a store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import requests

from logging_system.spool.writer import SpoolWriter

STREAM = "logs-paths-benchmark"
_BATCH = 512
_DRAIN_SECONDS_MAX = 300.0


def document(number: int) -> bytes:
    """Return a document of about 440 bytes."""
    return orjson.dumps(
        {
            "@timestamp": "2026-11-22T10:00:00.000000Z",
            "message": f"record {number} " + "x" * 270,
            "log": {"level": "info", "logger": "shop.checkout"},
            "service": {"name": "benchmark"},
            "event": {"sequence": number},
        }
    )


def fill(spool: Path, records: int) -> None:
    """Write records as an application would have, without waiting for the disk each time."""
    writer = SpoolWriter(spool, spool_bytes_max=1 << 40, sync=False)
    for first in range(0, records, _BATCH):
        writer.append([document(number) for number in range(first, min(first + _BATCH, records))])
    writer.seal()


@contextmanager
def shipping(spool: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `ship` on a spool."""
    arguments = ["--spool", str(spool), "--elasticsearch", url, "--stream", STREAM]
    command = [sys.executable, "-m", "logging_system", "ship", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


def delivered(spool: Path) -> int:
    """Return how many records the shipper says are delivered."""
    try:
        return int(orjson.loads((spool / "status-shipper.json").read_bytes())["delivered"])
    except (FileNotFoundError, KeyError):
        return 0


def seconds_until_delivered(spool: Path, records: int) -> float:
    """Return how long the shipper took, from its first delivery on, per the records it then delivered.

    Raises:
        TimeoutError: It did not get there.
    """
    deadline = time.monotonic() + _DRAIN_SECONDS_MAX
    while not (first := delivered(spool)):
        _wait(deadline)
    began = time.monotonic()
    while delivered(spool) < records:
        _wait(deadline)
    return (time.monotonic() - began) * records / max(1, records - first)


def refresh_and_count(url: str) -> int:
    """Return how many documents the store holds."""
    requests.post(f"{url}/{STREAM}/_refresh", timeout=60).raise_for_status()
    return int(requests.get(f"{url}/{STREAM}/_count", timeout=60).json()["count"])


def resident_mib(pid: int) -> float:
    """Return what a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def _wait(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError("the spool was not drained in time")
    time.sleep(0.02)
