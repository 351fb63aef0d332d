"""The spool's group commit, beside the same bytes written and synced bare, turn by turn on the same disk."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from logging_system.spool.writer import SpoolWriter
from tests.benchmarks.paths.row import Row

_DOCUMENT = b'{"message":"' + b"x" * 552 + b'"}'
_BATCH = [_DOCUMENT] * 512
_TURNS = 60


def measure() -> list[Row]:
    """Return the spool's share of what the disk allows."""
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        folder = Path(name)
        writer = SpoolWriter(folder / "spool", spool_bytes_max=1 << 34, sync=True)
        writer.append(_BATCH)  # makes the folder and the first segment
        bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        payload = b"".join(_BATCH)
        bare_seconds = spool_seconds = 0.0
        for _ in range(_TURNS):
            began = time.perf_counter()
            os.write(bare, payload)
            os.fdatasync(bare)
            between = time.perf_counter()
            writer.append(_BATCH)
            ended = time.perf_counter()
            bare_seconds += between - began
            spool_seconds += ended - between
        os.close(bare)
        writer.seal()
    records = _TURNS * len(_BATCH)
    return [
        Row(
            "spool: of bare write + fdatasync, 512 records a batch",
            bare_seconds / spool_seconds,
            "x",
            "≥ 0.90",
        ),
        Row("spool: records a second, durable", records / spool_seconds, "", "-"),
    ]
