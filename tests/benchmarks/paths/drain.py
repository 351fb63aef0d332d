"""A spool filled beforehand, and a `ship` process that takes it to a store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
def shipping(spool: Path, url: str, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `ship` on a spool."""
    arguments = ["--spool", str(spool), "--elasticsearch", url, "--stream", STREAM, *flags]
    command = [sys.executable, "-m", "logging_system", "ship", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Moment:
    """What the shipper had done when it last wrote its counters, and what that had cost it.

    Attributes:
        seconds: When it wrote them, since the epoch.
        delivered: Records delivered.
        processor_seconds: Of the shipper.
    """

    seconds: float
    delivered: int
    processor_seconds: float


def last_moment(spool: Path, pid: int) -> Moment:
    """Return the last moment of which the shipper wrote its counters: once a second, and so not right now."""
    path = spool / "status-shipper.json"
    try:
        with path.open("rb") as file:
            written = os.fstat(file.fileno()).st_mtime
            delivered = int(orjson.loads(file.read())["delivered"])
    except (FileNotFoundError, KeyError):
        return Moment(0.0, 0, 0.0)
    return Moment(written, delivered, processor_seconds(pid))


def drained(spool: Path, pid: int, records: int, after: int) -> tuple[Moment, Moment]:
    """Wait until all is delivered; return the first moment after some records, and the last before the end.

    The last counters of all come up to a second after the last record, so they are left out.

    Args:
        spool: The spool folder.
        pid: The shipper.
        records: How many there are.
        after: How many the measurement leaves out at the beginning.

    Raises:
        TimeoutError: It did not get there.
    """
    deadline = time.monotonic() + _DRAIN_SECONDS_MAX
    moments: list[Moment] = []
    while (moment := last_moment(spool, pid)).delivered < records:
        if moment.delivered >= after and (not moments or moment.seconds > moments[-1].seconds):
            moments.append(moment)
        if time.monotonic() > deadline:
            raise TimeoutError("the spool was not drained in time")
        time.sleep(0.02)
    if len(moments) < 2:
        raise TimeoutError("the spool was drained too soon to be measured; fill in more records")
    return moments[0], moments[-1]


def processor_seconds(pid: int) -> float:
    """Return what a process has spent, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def server_pid(url: str) -> int:
    """Return the process of the one node."""
    nodes = requests.get(f"{url}/_nodes/_local/process", timeout=60).json()["nodes"]
    return int(next(iter(nodes.values()))["process"]["id"])


def refresh_and_count(url: str) -> int:
    """Return how many documents the store holds."""
    requests.post(f"{url}/{STREAM}/_refresh", timeout=60).raise_for_status()
    return int(requests.get(f"{url}/{STREAM}/_count", timeout=60).json()["count"])


def resident_mib(pid: int) -> float:
    """Return what a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
