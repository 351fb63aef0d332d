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

from logging_system.config.encryption import EncryptionSettings, encryption_of
from logging_system.handler.handler import SpoolHandler
from logging_system.keys.providers.file import FileProvider
from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of
from logging_system.masking.processor import Mask
from logging_system.records.processors import Chain
from logging_system.spool.codec import PLAIN_CODECS
from tests.benchmarks.paths.row import Row

_CALLS = 2_000
_ROUNDS = 30
_FLUSH_SECONDS = 20.0
_THREAD, _PROCESS = 0, 1
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
        folder = Path(name)
        bare, handlers = logging.NullHandler(), _handlers(folder)
        order = [bare, *handlers.values()]
        for handler in order:
            _turn(handler)
        rounds: list[dict[logging.Handler, tuple[float, float]]] = []
        for number in range(_ROUNDS):
            costs = {handler: _turn(handler) for handler in (order if number % 2 == 0 else order[::-1])}
            thread_ns, process_ns = costs[bare]
            rounds.append({each: (cost[0] / thread_ns, cost[1] / process_ns) for each, cost in costs.items()})
        for handler in order:
            if isinstance(handler, SpoolHandler):
                assert handler.stats().dropped == {}
                handler.close()

    def row(what: str, way: str, part: int, goal: str = "-") -> Row:
        return Row(
            what, statistics.median(costs[handlers[way]][part] for costs in rounds), "x NullHandler", goal
        )

    return [
        row("log call: a bare append of the record, thread CPU", "keeping", _THREAD),
        row("log call: caller's thread CPU", "plain", _THREAD, "≤ 1.5"),
        row("log call: whole process, fsync spool", "plain", _PROCESS, "≤ 3"),
        row("log call: caller's thread CPU, with on_durable", "named", _THREAD),
        row("log call: whole process, with on_durable", "named", _PROCESS),
        row("log call: whole process, masked", "masked", _PROCESS),
        row("log call: whole process, sealed", "sealed", _PROCESS),
        row("log call: caller's thread CPU, masked and sealed", "both", _THREAD, "≤ 1.5"),
        row("log call: whole process, masked and sealed, fsync spool", "both", _PROCESS, "≤ 3.3"),
    ]


def _handlers(folder: Path) -> dict[str, logging.Handler]:
    keys = folder / "keys.json"
    FileProvider(keys).create("logs")
    settings = EncryptionSettings("file", arguments={"path": str(keys)})

    def spooling(way: str, *, masks: bool = False, seals: bool = False) -> SpoolHandler:
        spool = folder / way
        return SpoolHandler(
            spool=spool,
            service="benchmark",
            queue_records_max=2 * _CALLS,
            queue_bytes_max=1 << 30,
            chain=Chain([Mask(rule_set_of(MaskDeclaration()))] if masks else []),
            codecs=encryption_of(settings, spool).codecs() if seals else PLAIN_CODECS,
        )

    named = spooling("named")
    named.on_durable = _ignore
    return {
        "keeping": _Keeping(),
        "plain": spooling("plain"),
        "named": named,
        "masked": spooling("masked", masks=True),
        "sealed": spooling("sealed", seals=True),
        "both": spooling("both", masks=True, seals=True),
    }


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
