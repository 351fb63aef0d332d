"""A log call's cost: CPU time of the caller's thread and of the whole process until all is on the disk.

The ways take turns in one process, forwards and backwards, and every turn is compared with the NullHandler's
of the same round: the machine's own speed drifts by more than what is measured.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from logging_system.handler.handler import SpoolHandler
from tests.benchmarks.paths.row import Row

_CALLS = 2_000
_ROUNDS = 30
_FLUSH_SECONDS = 20.0
_EXTRA = {"customer": "c-1042", "amount": 129.5, "currency": "EUR", "retry": False}


class _Keeping(logging.Handler):
    """Keeps the last records and does nothing: what any queue costs at least."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[logging.LogRecord] = deque(maxlen=_CALLS)

    def handle(self, record: logging.LogRecord) -> bool:
        self.kept.append(record)
        return True


def measure() -> list[Row]:
    """Return the costs as ratios to a NullHandler's."""
    with tempfile.TemporaryDirectory(prefix="paths-") as name:
        plain = _spooling(Path(name) / "plain")
        named = _spooling(Path(name) / "named")
        named.on_durable = _ignore
        handlers = (logging.NullHandler(), _Keeping(), plain, named)
        for handler in handlers:
            _turn(handler)
        rounds = []
        for number in range(_ROUNDS):
            order = handlers if number % 2 == 0 else handlers[::-1]
            costs = {handler: _turn(handler) for handler in order}
            bare = costs[handlers[0]]
            rounds.append([(costs[one][0] / bare[0], costs[one][1] / bare[1]) for one in handlers[1:]])
        for handler in (plain, named):
            assert handler.stats().dropped == {}
            handler.close()
    keeping, spooling, naming = (
        (statistics.median(cost[0] for cost in turns), statistics.median(cost[1] for cost in turns))
        for turns in zip(*rounds, strict=True)
    )
    return [
        Row("log call: a bare append of the record, thread CPU", keeping[0], "x NullHandler", "-"),
        Row("log call: caller's thread CPU", spooling[0], "x NullHandler", "≤ 1.5"),
        Row("log call: whole process, fsync spool", spooling[1], "x NullHandler", "≤ 3"),
        Row("log call: caller's thread CPU, with on_durable", naming[0], "x NullHandler", "-"),
        Row("log call: whole process, with on_durable", naming[1], "x NullHandler", "-"),
    ]


def _spooling(folder: Path) -> SpoolHandler:
    return SpoolHandler(
        spool=folder, service="benchmark", queue_records_max=2 * _CALLS, queue_bytes_max=1 << 30
    )


def _turn(handler: logging.Handler) -> tuple[int, int]:
    """Return nanoseconds of this thread and of the process for a turn's calls, until all are on the disk."""
    logger = logging.Logger("benchmark", logging.INFO)
    logger.addHandler(handler)
    process_before_ns, thread_before_ns = time.process_time_ns(), time.thread_time_ns()
    for number in range(_CALLS):
        logger.info("payment accepted", extra={"order": number, **_EXTRA})
    thread_ns = time.thread_time_ns() - thread_before_ns
    if isinstance(handler, SpoolHandler):
        assert handler.flush(_FLUSH_SECONDS)
    return thread_ns, time.process_time_ns() - process_before_ns


def _ignore(_records: Sequence[logging.LogRecord]) -> None:
    return
