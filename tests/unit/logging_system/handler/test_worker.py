from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.handler.queue import RecordQueue
from logging_system.handler.worker import Worker
from logging_system.masking.declaration import MaskDeclaration
from logging_system.masking.loading import rule_set_of
from logging_system.masking.processor import Mask
from logging_system.monitoring.counters import HandlerCounters, LiveCounters
from logging_system.records.document import Record
from logging_system.records.processors import NO_PROCESSORS, Chain, Drop
from logging_system.records.record import Durability, capture
from logging_system.spool.disk import Disk
from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter


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
    live_counters = LiveCounters()
    queue = RecordQueue(live_counters, records_max=100, bytes_max=1 << 20, allowance_seconds=0.0)
    writer = Watched(folder)
    for each in asked:
        record = logging.makeLogRecord({"msg": "m", "durability": each})
        queue.offer(capture(record), may_wait=False)
    queue.close()
    Worker(
        queue=queue,
        writer=writer,
        live_counters=live_counters,
        service="s",
        durability=durability,
        chain=NO_PROCESSORS,
        durable=lambda _records: None,
        status_folder=folder,
    ).run()
    return writer.synced, live_counters.snapshot()


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


class FilledAtSync(Disk):
    """The real disk; its first sync fails, and at that moment somebody else fills the spool."""

    def __init__(self, filler: Path) -> None:
        self.filler = filler
        self.failed = False

    def datasync(self, descriptor: int) -> None:
        if not self.failed:
            self.failed = True
            self.filler.write_bytes(bytes(100_000))
            raise OSError(5, "Input/output error")
        super().datasync(descriptor)


def test_records_given_up_after_a_failed_sync_lend_their_sequences_to_no_others(tmp_path: Path) -> None:
    filler = tmp_path / f"{'f' * 32}-00000000.segment"
    live_counters = LiveCounters()
    queue = RecordQueue(live_counters, records_max=100, bytes_max=1 << 20, allowance_seconds=0.0)
    worker = Worker(
        queue=queue,
        writer=SpoolWriter(
            tmp_path,
            spool_bytes_max=100_000,
            sync=True,
            clock=iter(range(1_000)).__next__,
            disk=FilledAtSync(filler),
        ),
        live_counters=live_counters,
        service="s",
        durability="fsync",
        chain=NO_PROCESSORS,
        durable=lambda _records: None,
        status_folder=tmp_path,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    queue.offer(capture(logging.makeLogRecord({"msg": "given up"})), may_wait=False)
    assert queue.wait_until_settled(20.0)
    filler.unlink()
    queue.offer(capture(logging.makeLogRecord({"msg": "kept"})), may_wait=False)
    assert queue.wait_until_settled(20.0)
    queue.close()
    thread.join(20.0)
    reader = SpoolReader(tmp_path)
    blocks = reader.read(1 << 20)
    corrupted = reader.damage.corrupted_records
    reader.close()

    assert live_counters.snapshot().dropped["spool_full"] == 1
    assert [block.first_sequence for block in blocks] == [2]
    assert orjson.loads(blocks[0].documents[0])["event"]["sequence"] == 2
    assert corrupted == 0


class DropsSome:
    """Drops what says so, and leaves the rest."""

    def __init__(self) -> None:
        self.seen_by_itself = 0

    def process(self, record: Record) -> Record | Drop:
        self.seen_by_itself += 1
        return Drop("asked_to") if record.document["message"] == "drop me" else record

    def leaves(self, documents: Sequence[bytes]) -> bool:
        return not any(b"drop me" in document for document in documents)


def stored(
    folder: Path, chain: Chain, messages: Sequence[str]
) -> tuple[list[dict[str, Any]], HandlerCounters]:
    """Let a worker store one group; return its documents as they are read back, and what was counted."""
    live_counters = LiveCounters()
    queue = RecordQueue(live_counters, records_max=1_000, bytes_max=1 << 24, allowance_seconds=0.0)
    for message in messages:
        queue.offer(capture(logging.makeLogRecord({"msg": message})), may_wait=False)
    queue.close()
    Worker(
        queue=queue,
        writer=SpoolWriter(folder, spool_bytes_max=1 << 30, sync=False),
        live_counters=live_counters,
        service="s",
        durability="write",
        chain=chain,
        durable=lambda _records: None,
        status_folder=folder,
    ).run()
    reader = SpoolReader(folder)
    found = [orjson.loads(document) for block in reader.read(1 << 24) for document in block.documents]
    reader.close()
    return found, live_counters.snapshot()


def test_records_looked_at_together_are_stored_as_if_each_was_looked_at_by_itself(tmp_path: Path) -> None:
    messages = ["drop me" if number in (3, 50, 51) else f"m{number}" for number in range(100)]
    drops = DropsSome()

    found, counters = stored(tmp_path, Chain([drops]), messages)

    assert [each["message"] for each in found] == [each for each in messages if each != "drop me"]
    assert [each["event"]["sequence"] for each in found] == list(range(1, 98))
    assert counters.dropped == {"processor:asked_to": 3}
    assert counters.balanced
    assert 3 <= drops.seen_by_itself < 50


def test_a_secret_among_records_without_one_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    messages = [
        f"login password=tiger{number}x ok" if number in (0, 15, 16, 40, 79) else f"m{number}"
        for number in range(80)
    ]

    found, counters = stored(tmp_path, Chain([Mask(rule_set_of(MaskDeclaration()))]), messages)

    assert [each["message"] for each in found] == [
        "login password=[masked:password] ok" if "tiger" in each else each for each in messages
    ]
    assert counters.admitted == 80
