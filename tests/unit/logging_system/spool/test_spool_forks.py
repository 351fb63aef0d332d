"""Forks at moments when a thread has a descriptor that nothing remembers yet."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from logging_system.spool.disk import Disk
from logging_system.spool.forks import DESCRIPTORS
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.forking import fork_by_python, in_a_child
from tests.unit.logging_system.spooling import append, writer

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc"),
    # The child of a process with threads only asks the system and ends.
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
]


class SlowlyOpeningDisk(Disk):
    """The real disk, on which opening a segment takes until somebody lets it go on."""

    def __init__(self) -> None:
        self.has_opened, self.may_go_on = threading.Event(), threading.Event()

    def try_lock(self, descriptor: int, *, shared: bool = False) -> bool:
        self.has_opened.set()  # the segment is open and locked, and its writer does not know it yet
        locked = super().try_lock(descriptor, shared=shared)
        self.may_go_on.wait(10.0)
        return locked


def descriptors_in(folder: Path) -> list[str]:
    targets: list[str] = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists
            targets.append(str(link.readlink()))
    return [target for target in targets if target.startswith(str(folder))]


def test_a_fork_while_a_segment_is_being_created_leaves_the_child_no_descriptor(tmp_path: Path) -> None:
    disk = SlowlyOpeningDisk()
    spool_writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 20, sync=True, disk=disk)
    appending = threading.Thread(target=spool_writer.append, args=([b"{}"],))
    appending.start()
    assert disk.has_opened.wait(10.0)
    in_parent = descriptors_in(tmp_path)
    in_child = in_a_child(fork_by_python, lambda: len(descriptors_in(tmp_path)))
    disk.may_go_on.set()
    appending.join()

    assert in_parent != []
    assert in_child == 0


def test_a_fork_waits_for_a_descriptor_that_is_just_being_opened(tmp_path: Path) -> None:
    is_opening, may_go_on = threading.Event(), threading.Event()

    def slowly() -> int:
        is_opening.set()
        may_go_on.wait(10.0)
        return os.open(tmp_path, os.O_RDONLY)

    opened: list[int] = []
    opening = threading.Thread(target=lambda: opened.append(DESCRIPTORS.open(slowly)))
    opening.start()
    assert is_opening.wait(10.0)
    threading.Timer(0.05, may_go_on.set).start()
    in_child = in_a_child(fork_by_python, lambda: len(descriptors_in(tmp_path)))
    opening.join()
    DESCRIPTORS.close(opened[0])

    assert in_child == 0


def test_a_disk_that_hangs_does_not_hold_up_a_fork(tmp_path: Path) -> None:
    is_opening, may_go_on = threading.Event(), threading.Event()

    def hanging() -> int:
        is_opening.set()
        may_go_on.wait(10.0)
        return os.open(tmp_path, os.O_RDONLY)

    opening = threading.Thread(target=lambda: DESCRIPTORS.close(DESCRIPTORS.open(hanging)))
    opening.start()
    assert is_opening.wait(10.0)

    def child() -> int:
        append(writer(tmp_path), 1, 2)  # its own lock is free
        return 0

    exit_code = in_a_child(fork_by_python, child)
    still_hanging = opening.is_alive()
    may_go_on.set()
    opening.join()

    assert (exit_code, still_hanging) == (0, True)
