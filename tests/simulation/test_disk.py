"""What every disk does, the real and the simulated one, and what only the simulated one can be made to do."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from logging_system.spool.disk import REAL_DISK, Disk, sync_folder, write_fully
from tests.simulation.disk import CALLS_MAX, FOLDER, HangError, Killed, Process, SimulatedDisk, Strike

CREATE = os.O_WRONLY | os.O_CREAT | os.O_APPEND
Place = tuple[Disk, Path]


@pytest.fixture(params=["real", "simulated"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "real":
        return REAL_DISK, tmp_path
    return SimulatedDisk(random.Random(1)).process(), FOLDER


def put(disk: Disk, path: Path, content: bytes) -> None:
    descriptor = disk.open(path, CREATE)
    write_fully(descriptor, content, disk)
    disk.close(descriptor)


def get(disk: Disk, path: Path) -> bytes:
    descriptor = disk.open(path, os.O_RDONLY)
    content = disk.pread(descriptor, 1 << 20, 0)
    disk.close(descriptor)
    return content


def test_what_is_written_is_read_and_counted(place: Place) -> None:
    disk, folder = place
    put(disk, folder / "file", b"one")
    put(disk, folder / "file", b"two")
    descriptor = disk.open(folder / "file", os.O_RDWR)
    disk.pwrite(descriptor, b"X", 8)
    disk.sync(descriptor)
    disk.datasync(descriptor)

    assert get(disk, folder / "file") == b"onetwo\0\0X"
    assert disk.pread(descriptor, 3, 2) == b"etw"
    assert disk.pread(descriptor, 3, 20) == b""
    assert disk.status(descriptor)[:2] == (9, 1)
    disk.truncate(descriptor, 4)
    disk.reserve(descriptor, 0, 6)
    assert get(disk, folder / "file") == b"onet\0\0"
    disk.close(descriptor)


def test_names_come_change_and_go(place: Place) -> None:
    disk, folder = place
    disk.make_folder(folder, 0o700)
    disk.set_mode(folder, 0o700)
    put(disk, folder / "one", b"1")
    put(disk, folder / "two", b"2")
    held = disk.open(folder / "two", os.O_RDONLY)
    disk.rename(folder / "one", folder / "two")
    sync_folder(folder, disk)

    assert disk.list_names(folder) == ["two"]
    assert get(disk, folder / "two") == b"1"
    assert disk.pread(held, 9, 0) == b"2"
    assert disk.status(held).links == 0
    status = disk.path_status(folder / "two")
    assert status is not None
    assert status.size_bytes == 1
    disk.unlink(folder / "two")
    disk.unlink(folder / "two")
    assert disk.path_status(folder / "two") is None
    disk.close(held)


def test_truncating_on_opening_empties(place: Place) -> None:
    disk, folder = place
    put(disk, folder / "file", b"old")
    disk.close(disk.open(folder / "file", CREATE | os.O_TRUNC))

    assert get(disk, folder / "file") == b""


@pytest.mark.parametrize(
    "act",
    [
        lambda disk, folder: disk.open(folder / "missing", os.O_RDONLY),
        lambda disk, folder: disk.rename(folder / "missing", folder / "other"),
        lambda disk, folder: disk.pread(9_999, 1, 0),
        lambda disk, folder: disk.write(disk.open(folder / "mine", os.O_RDONLY | os.O_CREAT), b"x"),
    ],
)
def test_what_cannot_be_done_is_an_error_of_the_system(
    place: Place, act: Callable[[Disk, Path], object]
) -> None:
    with pytest.raises(OSError, match=r"\[Errno (2|9)\]"):
        act(*place)


def test_a_lock_belongs_to_the_open_file(place: Place) -> None:
    disk, folder = place
    put(disk, folder / "file", b"")
    one, two, three = (disk.open(folder / "file", os.O_RDONLY) for _ in range(3))

    assert disk.try_lock(one, shared=True)
    assert disk.try_lock(two, shared=True)
    assert not disk.try_lock(three)
    disk.close(one)
    assert not disk.try_lock(three)
    disk.close(two)
    assert disk.try_lock(three)
    disk.close(three)


class Simulated:
    def __init__(self, seed: int = 1, *, lies: bool = False) -> None:
        self.disk = SimulatedDisk(random.Random(seed), lies=lies)
        self.process: Process = self.disk.process()

    def content_after_a_power_cut(self, name: str) -> bytes | None:
        self.disk.power_cut()
        return self.disk.content(name) if name in self.disk.names else None


def outcomes(prepare: Callable[[Simulated], None], **options: bool) -> set[bytes | None]:
    found = set()
    for seed in range(60):
        simulated = Simulated(seed, **options)
        prepare(simulated)
        found.add(simulated.content_after_a_power_cut("file"))
    return found


def synced(simulated: Simulated) -> None:
    descriptor = simulated.process.open(FOLDER / "file", CREATE)
    simulated.process.write(descriptor, b"a" * 600)
    simulated.process.sync(descriptor)
    sync_folder(FOLDER, simulated.process)


def test_what_was_synced_survives_a_power_cut() -> None:
    assert outcomes(synced) == {b"a" * 600}


def test_a_disk_that_lies_may_lose_what_was_synced() -> None:
    assert {None, b"a" * 600} < outcomes(synced, lies=True)


def test_a_name_that_was_not_synced_may_or_may_not_survive() -> None:
    assert outcomes(lambda simulated: put(simulated.process, FOLDER / "file", b"")) == {None, b""}


def test_blocks_that_were_not_synced_survive_in_any_combination() -> None:
    def more(simulated: Simulated) -> None:
        synced(simulated)
        put(simulated.process, FOLDER / "file", b"b" * 1_000)

    found = outcomes(more)

    assert b"a" * 600 in found
    assert b"a" * 600 + b"b" * 1_000 in found
    assert any(content is not None and b"\0" in content and b"b" in content for content in found)


def test_after_a_failed_sync_the_next_one_proves_nothing() -> None:
    def fail(simulated: Simulated) -> None:
        synced(simulated)
        put(simulated.process, FOLDER / "file", b"b")
        descriptor = simulated.process.open(FOLDER / "file", os.O_RDONLY)
        simulated.process.arm((Strike("datasync", 0, "error", errno.EIO),))
        with pytest.raises(OSError, match="Input/output error"):
            simulated.process.datasync(descriptor)
        simulated.process.datasync(descriptor)

    assert {content is not None and content.endswith(b"b") for content in outcomes(fail)} == {True, False}


def test_what_a_failed_sync_forgot_may_vanish_from_the_cache() -> None:
    simulated = Simulated(3)
    synced(simulated)
    put(simulated.process, FOLDER / "file", b"b" * 600)
    descriptor = simulated.process.open(FOLDER / "file", os.O_RDONLY)
    simulated.process.arm((Strike("datasync", 0, "error", errno.EIO),))
    with pytest.raises(OSError, match="Input/output error"):
        simulated.process.datasync(descriptor)

    assert get(simulated.process, FOLDER / "file") == b"a" * 600 + b"b" * 600
    assert simulated.disk.evict_forgotten()
    assert get(simulated.process, FOLDER / "file") != b"a" * 600 + b"b" * 600
    assert not simulated.disk.evict_forgotten()


def test_a_killed_process_leaves_its_writes_and_loses_its_locks() -> None:
    simulated = Simulated()
    descriptor = simulated.process.open(FOLDER / "file", CREATE)
    simulated.process.try_lock(descriptor)
    simulated.process.arm((Strike("write", 0, "kill", late=True),))
    with pytest.raises(Killed):
        simulated.process.write(descriptor, b"x")
    with pytest.raises(Killed):
        simulated.process.status(descriptor)
    simulated.process.close(descriptor)
    other = simulated.disk.process()

    assert get(other, FOLDER / "file") == b"x"
    assert other.try_lock(other.open(FOLDER / "file", os.O_RDONLY))


def test_a_flipped_bit_stays_flipped() -> None:
    simulated = Simulated()
    synced(simulated)
    simulated.disk.rot("file", 5, 1)

    assert simulated.content_after_a_power_cut("file") == b"aaaaac" + b"a" * 594


def test_calls_without_end_are_noticed() -> None:
    simulated = Simulated()
    for _ in range(CALLS_MAX):
        simulated.process.path_status(FOLDER / "file")

    with pytest.raises(HangError):
        simulated.process.path_status(FOLDER / "file")
