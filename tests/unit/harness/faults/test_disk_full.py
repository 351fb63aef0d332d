"""The disk is really full while the fault is on, and has room again afterwards."""

import contextlib
from random import Random
from threading import Event, Thread
from time import sleep

import pytest

from harness.cleanup.undo_actions import carry_out
from harness.faults.disk_full import DiskFull
from harness.model.errors import FaultError, ScenarioError
from harness.model.protocols import NeedsSmallDisk
from harness.targets.capabilities import Corruptible, Fillable, Untouchable
from harness.targets.files import FilesTarget
from harness.targets.small_disk import (
    REMEDY,
    FilesWithoutDisk,
    FillableFiles,
    mount,
    undo_mount,
    unmount,
    unmount_keeping,
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "spool"
    try:
        mount(folder, 1)
    except FaultError as error:
        if REMEDY not in str(error):
            raise
        pytest.skip("this machine lets nobody mount a disk here")
    yield folder
    unmount(folder)


@pytest.fixture
def target(folder):
    return FillableFiles(FilesTarget("spool", folder.parent, ["spool/*"]), folder)


def test_the_fault_says_before_the_stack_starts_how_small_the_disk_must_be():
    fault = DiskFull(disk_mib=8)

    assert isinstance(fault, NeedsSmallDisk)
    assert fault.disk_mib == 8


def test_writing_fails_with_enospc_while_the_fault_is_on_and_works_after_an_error(folder, target):
    assert isinstance(target, Fillable)
    seen = []

    with contextlib.suppress(RuntimeError), DiskFull().inject(target, Random(1)):
        with pytest.raises(OSError, match="No space left on device"):
            (folder / "a").write_bytes(bytes(4_096))
        seen.append(DiskFull().evidence(target))
        raise RuntimeError

    assert seen == [(True, "a block written to the disk is refused with ENOSPC; 0 of 1,024 KiB are free")]
    (folder / "a").write_bytes(bytes(4_096))


def test_what_the_stack_gives_back_is_taken_too(folder, target):
    (folder / "a").write_bytes(bytes(100_000))

    with DiskFull().inject(target, Random(1)):
        (folder / "a").unlink()
        # The file without a name is topped up some milliseconds later.
        waits = 0
        while not target.full() and waits < 500:
            sleep(0.01)
            waits += 1

        assert target.full()


def test_a_large_disk_gets_full_although_the_stack_writes_all_the_time(tmp_path):
    """All of it at once would never fit: before it is taken, the stack has written the next block."""
    folder = tmp_path / "spool"
    try:
        mount(folder, 64)
    except FaultError:
        pytest.skip("this machine lets nobody mount a disk here")
    target = FillableFiles(FilesTarget("spool", tmp_path, ["spool/*"]), folder)
    ending = Event()

    def write() -> None:
        with contextlib.suppress(OSError), (folder / "a").open("wb", buffering=0) as file:
            while not ending.wait(0.001):
                file.write(bytes(4_096))

    writer = Thread(target=write)
    writer.start()
    try:
        with DiskFull(64).inject(target, Random(1)):
            waits = 0
            while not target.full() and waits < 100:
                sleep(0.01)
                waits += 1
            full = target.full()
    finally:
        ending.set()
        writer.join()
        unmount(folder)

    assert full


def test_the_ballast_has_no_name_and_a_disk_with_room_is_no_proof(folder, target):
    with DiskFull().inject(target, Random(1)):
        assert list(folder.iterdir()) == []

    assert DiskFull().evidence(target) == (
        False,
        "a block written to the disk is taken; 1,024 of 1,024 KiB are free",
    )


def test_the_journal_alone_takes_the_disk_away_also_while_it_is_in_use_and_twice_does_no_harm(folder):
    with (folder / "a").open("wb"):
        said = [carry_out(undo_mount(folder)), carry_out(undo_mount(folder))]

    assert said == [
        f"the disk over {folder} was unmounted",
        f"no disk is mounted over {folder} any more",
    ]
    assert not folder.is_mount()


def test_what_was_on_the_disk_is_there_when_it_is_taken_away(folder):
    (folder / "inner").mkdir()
    (folder / "inner" / "a.segment").write_bytes(b"kept")

    unmount_keeping(folder)

    assert not folder.is_mount()
    assert (folder / "inner" / "a.segment").read_bytes() == b"kept"
    assert list(folder.parent.iterdir()) == [folder]


def test_files_without_a_disk_of_their_own_say_why_and_can_still_be_damaged(tmp_path):
    target = FilesWithoutDisk(FilesTarget("spool", tmp_path, ["spool/*"]), "no permission")

    assert not isinstance(target, Fillable)
    assert isinstance(target, Untouchable)
    assert isinstance(target, Corruptible)
    assert target.refusal == "no permission"


@pytest.mark.parametrize("disk_mib", [0, 1_025])
def test_what_is_no_size_is_refused(disk_mib):
    with pytest.raises(ScenarioError, match="is not in 1 to"):
        DiskFull(disk_mib)
