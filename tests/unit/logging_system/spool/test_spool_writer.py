from __future__ import annotations

import errno
from pathlib import Path

import pytest

from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.reader import SpoolReader
from logging_system.spool.writer import SpoolFullError, SpoolWriter


class CountingDisk(Disk):
    """The real disk, whose syncs of data fail as often as it was told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.syncs = 0

    def datasync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        super().datasync(descriptor)


def writer(
    folder: Path, *, sync: bool = True, spool_bytes_max: int = 1 << 30, disk: Disk = REAL_DISK
) -> SpoolWriter:
    return SpoolWriter(folder, spool_bytes_max=spool_bytes_max, sync=sync, disk=disk, clock=lambda: 0.0)


def documents(folder: Path) -> list[bytes]:
    reader = SpoolReader(folder)
    found = []
    while blocks := reader.read(1 << 20):
        found += [document for block in blocks for document in block.documents]
    reader.close()
    return found


def fill(spool_writer: SpoolWriter) -> None:
    for _ in range(100):
        spool_writer.append([b"x" * 20])


def test_each_append_is_synced_before_it_returns(tmp_path: Path) -> None:
    disk = CountingDisk()
    spool_writer = writer(tmp_path, disk=disk)
    spool_writer.append([b"1"])
    spool_writer.append([b"2"])

    assert disk.syncs == 2
    spool_writer.seal()


def test_the_class_write_never_syncs(tmp_path: Path) -> None:
    disk = CountingDisk()
    spool_writer = writer(tmp_path, sync=False, disk=disk)
    spool_writer.append([b"1"])
    spool_writer.seal()

    assert disk.syncs == 0


def test_after_a_failed_sync_the_same_records_keep_their_sequences_and_are_read_once(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path, disk=CountingDisk(failures=1))
    with pytest.raises(OSError, match="Input/output error"):
        spool_writer.append([b"1", b"2"])

    assert spool_writer.next_sequence == 1

    spool_writer.append([b"1", b"2"])
    spool_writer.append([b"3"])
    spool_writer.seal()

    assert spool_writer.next_sequence == 4
    assert len(list(tmp_path.glob("*-00000001.segment"))) == 1  # the file that failed is not trusted again
    assert documents(tmp_path) == [b"1", b"2", b"3"]


def test_a_full_spool_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path, spool_bytes_max=2_000)
    accepted = []
    for number in range(100):
        try:
            spool_writer.append([b"%d" % number])
        except SpoolFullError:
            continue
        accepted.append(b"%d" % number)
    spool_writer.seal()

    assert 0 < len(accepted) < 100
    assert documents(tmp_path) == accepted
    assert sum(path.stat().st_size for path in tmp_path.glob("*.segment")) <= 2_000


def test_a_full_spool_takes_records_again_once_it_was_drained(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path, spool_bytes_max=2_000)
    with pytest.raises(SpoolFullError, match="start a shipper or raise spool_bytes_max"):
        fill(spool_writer)
    reader = SpoolReader(tmp_path)
    while reader.read(1 << 20):
        pass
    reader.acknowledge(spool_writer.epoch, spool_writer.next_sequence)
    reader.save({})
    reader.close()

    spool_writer.append([b"again"])

    spool_writer.seal()
    assert documents(tmp_path) == [b"again"]


def test_the_bytes_of_other_writers_count(tmp_path: Path) -> None:
    one, two = (writer(tmp_path, spool_bytes_max=2_000) for _ in range(2))
    with pytest.raises(SpoolFullError):
        fill(one)

    with pytest.raises(SpoolFullError):
        two.append([b"x" * 100])


def test_a_removed_segment_is_not_written_to_any_more(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    spool_writer.append([b"1"])
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.rmdir()
    spool_writer.append([b"2"])
    spool_writer.seal()

    assert documents(tmp_path) == [b"2"]


def test_segments_rotate_by_bytes(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path, spool_bytes_max=8_000)
    for _ in range(20):
        spool_writer.append([b"x" * 200])
    spool_writer.seal()

    assert all(path.stat().st_size <= 1_100 for path in tmp_path.glob("*.segment"))
    assert len(documents(tmp_path)) == 20


def test_files_and_a_folder_of_its_own_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "spool"
    spool_writer = writer(folder)
    spool_writer.append([b"1"])

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    spool_writer.seal()


def test_a_folder_that_others_use_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "somebody's").touch()
    spool_writer = writer(tmp_path)
    spool_writer.append([b"1"])
    spool_writer.seal()

    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_two_writers_of_one_process_have_different_epochs(tmp_path: Path) -> None:
    assert writer(tmp_path).epoch != writer(tmp_path).epoch
