"""What the spool does when the disk, the folder or the process around it is not as it should be."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import google_crc32c
import pytest

from logging_system.spool.checkpoint import (
    Checkpoint,
    CheckpointFile,
    Position,
    SpoolVersionError,
    read_checkpoint,
)
from logging_system.spool.codec import PLAIN, BlockContext, Codecs
from logging_system.spool.disk import Disk
from logging_system.spool.forks import forget_all
from logging_system.spool.frame import FileHeader, encode_block, encode_file_header
from logging_system.spool.reader import UNCLOSED_EPOCHS_MAX, SpoolBusyError, SpoolReader
from logging_system.spool.retention import Evicted, Retention, evict
from logging_system.spool.segment import segment_path
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.spooling import acknowledge, append, die, numbered, read_all, reading, writer


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


def test_a_segment_of_a_newer_version_is_left_alone_and_reported(tmp_path: Path) -> None:
    newer = segment_path(tmp_path, b"newer-version-00", 0, "segment")
    newer.write_bytes(encode_file_header(FileHeader(b"newer-version-00", 0, 1, version=2)) + b"unknown")
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        acknowledge(reader, spool_writer.epoch, 3)

        assert reader.newer_epochs == 1
        assert reader.damage.corrupted_blocks == 0
    assert [path.name for path in tmp_path.glob("*-*")] == [newer.name]


def test_a_checkpoint_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path)
    file.save(Checkpoint({b"0123456789abcdef": Position(0, 44, 1)}, {}))
    file.close()
    path = tmp_path / "checkpoint"
    content = path.read_bytes()
    place = content.index(b"LSCHECK\0")
    header = content[place : place + 8] + (2).to_bytes(4, "little") + content[place + 12 : place + 24]
    length = int.from_bytes(header[20:24], "little")
    body = content[place + 28 : place + 28 + length]
    slot = header + google_crc32c.value(header + body).to_bytes(4, "little") + body
    path.write_bytes(content[:place] + slot + content[place + len(slot) :])
    before = path.read_bytes()

    with pytest.raises(SpoolVersionError, match="newer version"):
        SpoolReader(tmp_path)
    assert path.read_bytes() == before


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


def in_a_forked_child(act: object) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = act()  # type: ignore[operator]
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_appends_as_a_writer_of_its_own(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    mine = spool_writer.epoch

    def child() -> int:
        append(spool_writer, 1, 3)
        spool_writer.seal()
        return 0 if spool_writer.epoch != mine else 2

    assert in_a_forked_child(child) == 0
    append(spool_writer, 3, 4)
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert sorted(read_all(reader)) == sorted(numbered(1, 4) + numbered(1, 3))


def test_a_parent_that_died_is_known_to_be_gone_although_its_child_lives(tmp_path: Path) -> None:
    ready, go = os.pipe()
    parent = os.fork()
    if parent == 0:
        spool_writer = writer(tmp_path)
        append(spool_writer, 1, 2)
        if os.fork() == 0:
            os.write(go, b"%d\n" % os.getpid())
            signal.pause()
        os._exit(0)
    os.waitpid(parent, 0)
    child = int(os.read(ready, 20))
    try:
        with reading(tmp_path) as reader:
            assert read_all(reader) == numbered(1, 2)
            assert reader.damage.unclean_exits == 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(ready)
        os.close(go)


def test_a_fork_of_a_reader_neither_reads_nor_holds_the_folder(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)

    def child() -> int:
        try:
            reader.read(1)
        except SpoolBusyError:
            return 0
        return 2

    assert in_a_forked_child(child) == 0
    reader.read(1)
    reader.close()


def test_a_started_program_inherits_no_descriptor(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    with reading(tmp_path):
        open_files = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
        ours = [
            number
            for number in open_files
            if Path(f"/proc/self/fd/{number}").exists()
            and str(tmp_path) in os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        ]

        assert len(ours) == 3
        assert all(fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for number in ours)
    spool_writer.seal()


def test_an_unfinished_segment_with_a_writer_at_it_is_not_removed(tmp_path: Path) -> None:
    creating = segment_path(tmp_path, b"0" * 16, 0, "new")
    with creating.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with reading(tmp_path):
            assert creating.exists()


def test_what_a_child_inherited_is_closed_before_anything_else_runs(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    forget_all()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.damage.unclean_exits == 1


class RacingDisk(Disk):
    """The real disk; another process acts once, just before a named call."""

    def __init__(self, call: str, act: Callable[[], object]) -> None:
        self.call = call
        self.act: Callable[[], object] | None = act

    def _race(self, call: str) -> None:
        if call == self.call and self.act is not None:
            act, self.act = self.act, None
            act()

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if path.suffix:
            self._race(f"open {path.suffix}")
        return super().open(path, flags, mode)


def test_a_segment_that_is_renamed_before_it_is_opened_is_read_at_the_next_look(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    reader = SpoolReader(tmp_path, disk=RacingDisk("open .open", spool_writer.seal))

    assert reader.read(1 << 20) == []
    assert read_all(reader) == numbered(1, 2)
    reader.close()


class ForgetfulDisk(Disk):
    """The real disk, whose listings leave out what they are told to."""

    def __init__(self) -> None:
        self.hidden = ""

    def list_names(self, folder: Path) -> list[str]:
        return [name for name in super().list_names(folder) if not self.hidden or self.hidden not in name]


def test_a_segment_that_a_listing_misses_is_not_passed_over(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    for number in (1, 2, 3):
        append(spool_writer, number, number)
        spool_writer.seal()
    disk = ForgetfulDisk()
    disk.hidden = "-00000001."
    reader = SpoolReader(tmp_path, disk=disk)
    found = read_all(reader)
    acknowledge(reader, spool_writer.epoch, 4)

    assert found == numbered(1, 3)
    reader.close()


def test_a_position_is_kept_while_a_listing_misses_its_file(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    disk = ForgetfulDisk()
    reader = SpoolReader(tmp_path, disk=disk)
    read_all(reader)
    acknowledge(reader, spool_writer.epoch, 3)
    disk.hidden = spool_writer.epoch.hex()
    reader.save({"delivered": 2})
    disk.hidden = ""

    assert read_all(reader) == []
    reader.acknowledge(b"an unknown epoch", 7)
    reader.close()
    spool_writer.seal()


def test_an_unfinished_segment_that_is_finished_or_stuck_meanwhile_is_no_obstacle(tmp_path: Path) -> None:
    creating = segment_path(tmp_path, b"0" * 16, 0, "new")
    creating.touch()
    SpoolReader(tmp_path, disk=RacingDisk("open .new", creating.unlink)).close()
    creating.mkdir()
    reader = SpoolReader(tmp_path)

    assert reader.unreadable == 1
    reader.close()


def test_a_segment_that_goes_just_before_it_would_be_evicted_costs_nothing(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.segment")
    disk = RacingDisk("open .segment", path.unlink)

    assert evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0, disk=disk) == Evicted()


def test_a_mark_that_goes_just_before_it_would_be_replaced_costs_nothing(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0)
    append(spool_writer, 3, 4)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.evicted")
    disk = RacingDisk("open .evicted", path.unlink)

    assert evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0, disk=disk).records == 2


def test_only_the_newest_damaged_segments_are_kept(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    for number in range(1, 21):
        append(spool_writer, number, number)
        spool_writer.seal()
    for path in tmp_path.glob("*.segment"):
        with path.open("r+b") as file:
            file.write(b"\0" * 4)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 20)
        acknowledge(reader, spool_writer.epoch, 21)

    assert len(list(tmp_path.glob("*.corrupt"))) == 16


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


def test_a_block_of_an_unknown_codec_is_left_for_who_knows_it(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    (path,) = tmp_path.glob("*.open")
    with path.open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 3, [b"3"], Codecs.of(_Strange())))
    with path.open("ab") as file:
        file.write(encode_block(spool_writer.epoch, 4, [b"4"]))
    spool_writer.next_sequence = 5
    spool_writer.seal()
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 2)
        assert reader.unavailable == {"codec 9": 1}
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (0, 0)
        acknowledge(reader, spool_writer.epoch, 3)
    reader = SpoolReader(tmp_path, Codecs.of(_Strange(), PLAIN))

    assert read_all(reader) == numbered(3, 4)
    reader.close()


def test_a_codec_that_refuses_costs_its_block_alone(tmp_path: Path) -> None:
    spool_writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 20, sync=False, codecs=Codecs.of(_Refusing()))
    spool_writer.append([b"x"])
    spool_writer.seal()
    reader = SpoolReader(tmp_path, Codecs.of(_Refusing()))

    assert read_all(reader) == []
    assert reader.damage.corrupted_records == 1
    reader.close()


def test_a_last_segment_whose_file_header_rotted_starts_where_its_first_block_does(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 5)
    spool_writer.seal()
    for path in tmp_path.glob("*.segment"):
        path.unlink()
    append(spool_writer, 6, 7)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.segment")
    with path.open("r+b") as file:
        file.write(b"\0" * 44)
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(6, 7)
        assert (reader.damage.corrupted_records, reader.damage.corrupted_blocks) == (0, 1)


class _Strange:
    number = 9

    def encode(self, payload: bytes, _context: BlockContext) -> bytes:
        return payload

    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        return stored


class _Refusing(_Strange):
    def decode(self, stored: bytes, _context: BlockContext) -> bytes:
        raise ValueError("the tag does not fit")


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


def test_positions_of_writers_that_did_not_close_are_kept_for_the_youngest_only(tmp_path: Path) -> None:
    for number in range(UNCLOSED_EPOCHS_MAX + 3):
        spool_writer = SpoolWriter(
            tmp_path,
            spool_bytes_max=1 << 20,
            sync=False,
            name_epoch=lambda number=number: number.to_bytes(16, "big"),
        )
        append(spool_writer, 1, 1)
        die(spool_writer)
    with reading(tmp_path) as reader:
        read_all(reader)
        for number in range(UNCLOSED_EPOCHS_MAX + 3):
            reader.acknowledge(number.to_bytes(16, "big"), 2)
        reader.save({})
        reader.save({"delivered": UNCLOSED_EPOCHS_MAX + 3})

    kept, _ = read_checkpoint(tmp_path)
    assert sorted(kept.positions)[0] == (3).to_bytes(16, "big")
    assert len(kept.positions) == UNCLOSED_EPOCHS_MAX
