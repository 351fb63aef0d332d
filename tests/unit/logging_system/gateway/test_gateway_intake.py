from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

import pytest

from logging_system.gateway.intake import DiskError, Intake, NoRoomError, blocks
from logging_system.spool.disk import Disk
from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolWriter

SECONDS = 20


class SyncingDisk(Disk):
    """The real disk; what is handed in happens just before each sync of a segment."""

    def __init__(self, before: Callable[[], None]) -> None:
        self.before = before

    def datasync(self, descriptor: int) -> None:
        self.before()
        super().datasync(descriptor)


def make_intake(folder: Path, **changes: object) -> Intake:
    options: dict[str, object] = {"spool_bytes_max": 10_000_000, "sync": True, **changes}
    pending_bytes_max = options.pop("pending_bytes_max", 1_000_000)
    folder.mkdir(exist_ok=True)
    writer = SpoolWriter(folder, **options)  # type: ignore[arg-type]
    return Intake(writer, pending_bytes_max=pending_bytes_max, status_folder=folder)  # type: ignore[arg-type]


def spooled(folder: Path) -> list[bytes]:
    reader = SpoolReader(folder)
    try:
        return [document for block in reader.read(100_000_000) for document in block.documents]
    finally:
        reader.close()


def test_documents_are_in_the_spool_when_the_future_is_done(tmp_path: Path) -> None:
    intake = make_intake(tmp_path)
    intake.start()
    intake.offer([b'{"a":1}', b'{"a":2}']).result(SECONDS)

    assert spooled(tmp_path) == [b'{"a":1}', b'{"a":2}']
    assert intake.counters().admitted == 2
    assert intake.counters().balanced
    assert intake.close(SECONDS)


def test_requests_that_wait_together_share_one_sync(tmp_path: Path) -> None:
    syncs = 0
    first_sync, go_on = threading.Event(), threading.Event()

    def wait_at_first() -> None:
        nonlocal syncs
        syncs += 1
        first_sync.set()
        assert go_on.wait(SECONDS)

    intake = make_intake(tmp_path, disk=SyncingDisk(wait_at_first))
    intake.start()
    futures = [intake.offer([b"first"])]
    assert first_sync.wait(SECONDS)
    futures += [intake.offer([f"{number}".encode()]) for number in range(50)]
    go_on.set()
    wait(futures, SECONDS)

    assert syncs == 2
    assert intake.counters().admitted == 51
    assert intake.close(SECONDS)


def test_what_waits_is_bounded_and_a_refused_request_is_counted(tmp_path: Path) -> None:
    intake = make_intake(tmp_path, pending_bytes_max=100)
    waiting = [intake.offer([b"x" * 60])]  # not started: nothing is taken to the disk
    with pytest.raises(NoRoomError, match="waiting for the disk"):
        intake.offer([b"x" * 60])
    assert intake.counters().dropped == {"busy": 1}
    intake.start()
    wait(waiting, SECONDS)
    intake.offer([b"x" * 60]).result(SECONDS)

    assert intake.close(SECONDS)
    assert intake.counters().balanced


def test_one_request_larger_than_the_bound_is_taken_when_nothing_waits(tmp_path: Path) -> None:
    intake = make_intake(tmp_path, pending_bytes_max=100)
    intake.start()
    intake.offer([b"x" * 1_000]).result(SECONDS)

    assert intake.close(SECONDS)
    assert spooled(tmp_path) == [b"x" * 1_000]


def test_a_full_spool_refuses_the_request_and_takes_later_ones_when_there_is_room(tmp_path: Path) -> None:
    intake = make_intake(tmp_path, spool_bytes_max=4_000)
    intake.start()
    refused: Future[None] | None = None
    for _ in range(20):
        refused = intake.offer([b"x" * 400])
        if refused.exception(SECONDS) is not None:
            break

    assert isinstance(refused and refused.exception(), NoRoomError)
    assert intake.trouble == "the spool is full"
    counters = intake.counters()
    assert counters.dropped == {"spool_refused": 1}
    assert counters.balanced
    assert intake.close(SECONDS)


def test_a_disk_that_fails_refuses_the_request_and_the_next_one_is_tried_again(tmp_path: Path) -> None:
    intake = make_intake(tmp_path, disk=SyncingDisk(failing_once()))
    intake.start()
    error = intake.offer([b"lost?"]).exception(SECONDS)
    assert isinstance(error, DiskError)
    assert "EIO" in intake.trouble
    intake.offer([b"kept"]).result(SECONDS)

    assert intake.trouble == ""
    assert intake.counters().spool_errors == {"EIO": 1}
    assert intake.counters().balanced
    assert intake.close(SECONDS)


def test_a_request_refused_by_the_disk_and_sent_again_is_a_request_of_its_own(tmp_path: Path) -> None:
    intake = make_intake(tmp_path, disk=SyncingDisk(failing_once()))
    intake.start()
    refused = intake.offer([b"{}"]).exception(SECONDS)
    intake.offer([b"{}"]).result(SECONDS)
    assert intake.close(SECONDS)
    reader = SpoolReader(tmp_path)
    sequences = [block.first_sequence for block in reader.read(1_000_000)]
    corrupted = reader.damage.corrupted_records
    reader.close()

    assert isinstance(refused, DiskError)
    assert sequences == [2]
    assert corrupted == 0


def failing_once() -> Callable[[], None]:
    failures = [OSError(5, "Input/output error")]

    def fail() -> None:
        if failures:
            raise failures.pop()

    return fail


def test_closing_stores_what_waits_and_takes_nothing_more(tmp_path: Path) -> None:
    intake = make_intake(tmp_path)
    futures = [intake.offer([f"{number}".encode()]) for number in range(30)]
    intake.start()

    assert intake.close(SECONDS)
    assert all(future.done() and future.exception() is None for future in futures)
    assert len(spooled(tmp_path)) == 30
    with pytest.raises(NoRoomError, match="shutting down"):
        intake.offer([b"late"])
    assert not list(tmp_path.glob("*.open"))


def test_blocks_hold_a_bounded_number_of_records_and_bytes() -> None:
    many = [b"x"] * 1_300
    large = [b"x" * 3_000_000] * 3

    assert [len(block) for block in blocks(many)] == [512, 512, 276]
    assert [len(block) for block in blocks(large)] == [1, 1, 1]
    assert blocks([]) == []
