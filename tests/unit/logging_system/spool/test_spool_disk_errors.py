"""What the spool does when the disk or its folder refuses: no record is lost or read twice."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from logging_system.spool.checkpoint import (
    Checkpoint,
    CheckpointFile,
)
from logging_system.spool.disk import Disk
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.spooling import acknowledge, append, numbered, read_all, reading, writer


class RefusingDisk(Disk):
    """The real disk, but named calls are refused."""

    def __init__(self, **refused: int) -> None:
        self.refused = refused

    def _refuse(self, call: str) -> None:
        if call in self.refused:
            raise OSError(self.refused[call], os.strerror(self.refused[call]))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.refused.get("write") and len(data) > 8:
            return super().write(descriptor, bytes(data[:8]))
        self._refuse("write")
        return super().write(descriptor, data)

    def datasync(self, descriptor: int) -> None:
        self._refuse("datasync")
        super().datasync(descriptor)

    def sync(self, descriptor: int) -> None:
        self._refuse("sync")
        super().sync(descriptor)

    def truncate(self, descriptor: int, length_bytes: int) -> None:
        self._refuse("truncate")
        super().truncate(descriptor, length_bytes)

    def rename(self, source: Path, target: Path) -> None:
        self._refuse("rename")
        super().rename(source, target)

    def try_lock(self, descriptor: int, *, shared: bool = False) -> bool:
        return "try_lock" not in self.refused and super().try_lock(descriptor, shared=shared)


def writer_on(folder: Path, disk: Disk, *, sync: bool = True) -> SpoolWriter:
    return SpoolWriter(folder, spool_bytes_max=1 << 20, sync=sync, disk=disk, clock=lambda: 0.0)


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize(
    "calls", [("write",), ("write", "truncate"), ("datasync",), ("datasync", "truncate")]
)
def test_what_the_disk_refused_is_taken_when_it_comes_back_and_read_once(
    tmp_path: Path, number: int, calls: tuple[str, ...]
) -> None:
    disk = RefusingDisk()
    spool_writer = writer_on(tmp_path, disk)
    append(spool_writer, 1, 2)
    disk.refused = dict.fromkeys(calls, number)
    for _ in range(2):
        with pytest.raises(OSError, match=os.strerror(number)):
            append(spool_writer, 3, 4)
    disk.refused = {}
    append(spool_writer, 3, 4)
    append(spool_writer, 5, 5)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 5)
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (0, 0)


@pytest.mark.parametrize("call", ["sync", "rename", "try_lock"])
def test_a_segment_that_could_not_be_created_is_tried_again_under_another_name(
    tmp_path: Path, call: str
) -> None:
    disk = RefusingDisk(**{call: errno.EIO})
    spool_writer = writer_on(tmp_path, disk)
    with pytest.raises(OSError):  # noqa: PT011 - each call has its own message
        append(spool_writer, 1, 2)
    left = [path.name for path in tmp_path.glob("*-*")]
    disk.refused = {}
    append(spool_writer, 1, 2)
    spool_writer.seal()

    assert left == []
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)


def test_records_that_are_given_up_after_a_failed_sync_cost_no_other(tmp_path: Path) -> None:
    disk = RefusingDisk()
    spool_writer = writer_on(tmp_path, disk)
    append(spool_writer, 1, 2)
    disk.refused = {"datasync": errno.EIO, "truncate": errno.EIO}
    with pytest.raises(OSError, match="Input/output"):
        spool_writer.append([b"given up"])
    with reading(tmp_path) as reader:
        seen = read_all(reader)
        disk.refused = {}
        spool_writer.give_up()
        assert spool_writer.next_sequence == 4
        spool_writer.append([b"4"])
        spool_writer.seal()

        assert seen == [*numbered(1, 2), (3, b"given up")]
        assert read_all(reader) == [(4, b"4")]
        assert reader.damage.corrupted_records == 0


def test_other_records_after_a_failed_sync_get_other_sequences_unasked(tmp_path: Path) -> None:
    disk = RefusingDisk(datasync=errno.EIO)
    spool_writer = writer_on(tmp_path, disk)
    with pytest.raises(OSError, match="Input/output"):
        spool_writer.append([b"one", b"two"])
    disk.refused = {}
    spool_writer.append([b"other"])
    spool_writer.give_up()
    spool_writer.seal()

    with reading(tmp_path) as reader:
        assert read_all(reader) == [(3, b"other")]
        assert reader.damage.corrupted_records == 0


def test_a_segment_is_closed_although_there_is_no_room_for_its_end_mark(tmp_path: Path) -> None:
    disk = RefusingDisk()
    spool_writer = writer_on(tmp_path, disk)
    append(spool_writer, 1, 2)
    disk.refused = {"write": errno.ENOSPC}
    spool_writer.seal()

    assert [path.suffix for path in tmp_path.glob("*-*")] == [".segment"]
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.damage.corrupted_blocks == 0


def test_a_segment_that_could_not_be_closed_is_still_read(tmp_path: Path) -> None:
    disk = RefusingDisk()
    spool_writer = writer_on(tmp_path, disk)
    append(spool_writer, 1, 2)
    disk.refused = {"datasync": errno.EIO}
    with pytest.raises(OSError, match="Input/output"):
        spool_writer.seal()
    disk.refused = {}
    append(spool_writer, 3, 3)
    spool_writer.seal()

    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 3)


def fill_up(spool_writer: SpoolWriter) -> int:
    """Append until the disk refuses; return how many records it took."""
    number = 0
    with pytest.raises(OSError, match="No space left on device"):  # noqa: PT012 - the call that fails is not known
        for number in range(1, 10_000):
            append(spool_writer, number, number)
    return number - 1


def test_a_full_disk_refuses_and_can_still_be_drained(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=128k", "none") as folder:
        spool_writer = SpoolWriter(folder, spool_bytes_max=160_000, sync=True, clock=lambda: 0.0)
        written = fill_up(spool_writer)
        with reading(folder) as reader:
            assert read_all(reader) == numbered(1, written)
            acknowledge(reader, spool_writer.epoch, written + 1)
            append(spool_writer, written + 1, written + 1)
            assert read_all(reader) == numbered(written + 1, written + 1)
        spool_writer.seal()


def test_a_read_only_folder_is_refused_by_name_and_taken_when_it_is_writable_again(tmp_path: Path) -> None:
    with mounted(tmp_path / "spool", "-t", "tmpfs", "-o", "size=1m,ro", "none") as folder:
        spool_writer = writer_on(folder, Disk())
        with pytest.raises(OSError, match="Read-only file system"):
            append(spool_writer, 1, 2)
        with pytest.raises(OSError, match="Read-only file system"):
            SpoolReader(folder)
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)  # noqa: S607
        append(spool_writer, 1, 2)
        spool_writer.seal()
        with reading(folder) as reader:
            assert read_all(reader) == numbered(1, 2)


def test_a_folder_that_is_removed_under_a_writer_and_a_reader_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool_writer = writer(folder)
    append(spool_writer, 1, 2)
    with reading(folder) as reader:
        assert read_all(reader) == numbered(1, 2)
        shutil.rmtree(folder)
        assert reader.read(1 << 20) == []
        reader.acknowledge(spool_writer.epoch, 3)
        reader.save({"delivered": 2})
        append(spool_writer, 3, 4)
        assert read_all(reader) == numbered(3, 4)
        acknowledge(reader, spool_writer.epoch, 5)
        with pytest.raises(SpoolBusyError):
            SpoolReader(folder)
    spool_writer.seal()
    with reading(folder) as reader:
        assert read_all(reader) == []
        assert reader.restored_counters["delivered"] == 4


def test_a_checkpoint_whose_sync_failed_is_made_durable_by_the_next_reader(tmp_path: Path) -> None:
    written: list[int] = []

    class WatchedDisk(Disk):
        def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
            written.append(offset_bytes)
            return super().pwrite(descriptor, data, offset_bytes)

    file = CheckpointFile(tmp_path)
    file.save(Checkpoint({}, {"delivered": 1}))
    file.close()
    CheckpointFile(tmp_path, WatchedDisk()).close()

    assert written == [1024 * 1024]


def test_a_disk_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            return 0

        def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
            return 0

    with pytest.raises(OSError, match="takes no more bytes"):
        append(writer_on(tmp_path, Full()), 1, 1)
    with pytest.raises(OSError, match="only 0 of"):
        CheckpointFile(tmp_path, Full()).save(Checkpoint())


def test_what_was_delivered_from_a_file_given_up_is_not_delivered_again(tmp_path: Path) -> None:
    disk = RefusingDisk()
    spool_writer = writer_on(tmp_path, disk)
    append(spool_writer, 1, 1)
    disk.refused = {"datasync": errno.EIO, "truncate": errno.EIO}
    with pytest.raises(OSError, match="Input/output"):
        append(spool_writer, 2, 3)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 3)
        acknowledge(reader, spool_writer.epoch, 4)
        assert not list(tmp_path.glob("*-*"))
    disk.refused = {}
    append(spool_writer, 2, 3)
    append(spool_writer, 4, 4)
    spool_writer.seal()

    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(4, 4)
