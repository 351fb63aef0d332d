from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from logging_system.admission import RecordQueue
from logging_system.ledger import HandlerCounters, HandlerLedger
from logging_system.record import Durability, capture, identity
from logging_system.spool.writer import SpoolWriter
from logging_system.worker import Worker


class Watched(SpoolWriter):
    """A real writer that notes which appends were to be synced."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, spool_bytes_max=1 << 30, sync=False)
        self.synced: list[bool | None] = []

    def append(self, documents: Sequence[bytes], *, sync: bool | None = None) -> None:
        self.synced.append(sync)
        super().append(documents, sync=sync)


def work_off(
    folder: Path, durability: Durability, *asked: Durability | None
) -> tuple[list[bool | None], HandlerCounters]:
    """Let a worker store one group whose records ask for these classes."""
    ledger = HandlerLedger()
    queue = RecordQueue(ledger, records_max=100, bytes_max=1 << 20, allowance_seconds=0.0)
    writer = Watched(folder)
    for each in asked:
        record = logging.makeLogRecord({"msg": "m", "durability": each})
        queue.offer(capture(record), may_wait=False)
    queue.close()
    Worker(
        queue=queue,
        writer=writer,
        ledger=ledger,
        service="s",
        durability=durability,
        scrub=identity,
        durable=lambda _records: None,
        status_folder=folder,
    ).run()
    return writer.synced, ledger.snapshot()


@pytest.mark.parametrize(
    ("durability", "asked", "synced"),
    [
        ("write", [None, "memory", "write"], False),
        ("write", [None, "fsync", "write"], True),
        ("memory", ["fsync"], True),
        ("fsync", [None], True),
        ("fsync", ["write", "memory"], False),
    ],
)
def test_a_group_is_synced_when_one_of_its_records_wants_it(
    tmp_path: Path, durability: Durability, asked: list[Durability | None], synced: bool
) -> None:
    found, counters = work_off(tmp_path, durability, *asked)

    assert found == [synced]
    assert counters.admitted == len(asked)
    assert counters.balanced
