"""A dead store and a backlog of 2 GB: what `ship` holds in memory, and how long it takes to end."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.paths.drain import fill, resident_mib, shipping
from tests.benchmarks.paths.row import Row

_DEAD = "http://127.0.0.1:9"
_BACKLOG_BYTES = 2_000_000_000
_RECORD_BYTES = 440
_SECONDS = 15.0


def measure() -> list[Row]:
    """Return memory above a shipper with an empty spool, and the seconds to end."""
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        empty.mkdir()
        with shipping(empty, _DEAD) as idle:
            time.sleep(_SECONDS / 3)
            idle_mib = resident_mib(idle.pid)
        fill(full, _BACKLOG_BYTES // _RECORD_BYTES)
        with shipping(full, _DEAD) as process:
            held_mib = 0.0
            deadline = time.monotonic() + _SECONDS
            while time.monotonic() < deadline:
                held_mib = max(held_mib, resident_mib(process.pid))
                time.sleep(0.1)
            began = time.monotonic()
            process.terminate()
            process.wait(60)
            exit_seconds = time.monotonic() - began
    return [
        Row("ship, dead store, 2 GB backlog: memory above idle", held_mib - idle_mib, "MiB", "≤ 64"),
        Row("ship, dead store, 2 GB backlog: exit", exit_seconds, "s", "≤ 5"),
    ]
