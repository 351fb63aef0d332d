"""Small files that several processes read and change: replaced as a whole, one process at a time.

A file is written beside the old one, synced, renamed over it, and the folder synced: after a crash at any
moment it holds the old content or the new one. Whoever changes it holds `flock(2)` on `<file>.lock`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from logging_system.spool.disk import REAL_DISK, Disk, make_durable_folder, sync_folder, write_fully

FILE_MODE = 0o600
FOLDER_MODE = 0o700
LOCK_SECONDS_MAX = 5.0
_LOCK_LOOK_SECONDS = 0.01


class FileHeldError(Exception):
    """Another process held the lock for as long as one waits."""


def make_folder(folder: Path, disk: Disk = REAL_DISK) -> None:
    """Make a folder, unless it is there; it is durable on return, so that what is synced in it stays.

    Raises:
        OSError: The disk refused, or a file has its name.
    """
    make_durable_folder(folder, FOLDER_MODE, disk)


def read_file(path: Path, bytes_max: int, disk: Disk = REAL_DISK) -> bytes:
    """Return the first `bytes_max` bytes of a file.

    Raises:
        OSError: There is no such file, or it cannot be read.
    """
    descriptor = disk.open(path, os.O_RDONLY)
    try:
        return disk.pread(descriptor, bytes_max, 0)
    finally:
        disk.close(descriptor)


def replace_file(
    path: Path, data: bytes | Iterable[bytes], disk: Disk = REAL_DISK, *, wipe: bool = False
) -> None:
    """Give a file new content; it is durable on return.

    Args:
        path: The file, which need not exist; its folder must.
        data: All of its content, at once or in parts that are made while it is written.
        disk: The system calls.
        wipe: Whether the old content is overwritten in place afterwards, as far as the file system does that.

    Raises:
        OSError: The disk refused; the old content is still there.
    """
    creating = path.with_name(f"{path.name}.new")
    descriptor = disk.open(creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        disk.set_mode(creating, FILE_MODE)  # whatever the umask, and whoever left such a file
        for part in (data,) if isinstance(data, bytes) else data:
            write_fully(descriptor, part, disk)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    with _wiped(path, disk) if wipe else contextlib.nullcontext():
        disk.rename(creating, path)
        sync_folder(path.parent, disk)


def remove_file(path: Path, disk: Disk = REAL_DISK) -> None:
    """Overwrite a file and remove it; one that is gone already is no error.

    Raises:
        OSError: The disk refused.
    """
    with contextlib.suppress(FileNotFoundError), _wiped(path, disk):
        disk.unlink(path)
        sync_folder(path.parent, disk)


@contextlib.contextmanager
def _wiped(path: Path, disk: Disk) -> Iterator[None]:
    """Overwrite what the name stood for before, once it is replaced: nothing must be left in free blocks."""
    descriptor = disk.open(path, os.O_WRONLY)
    try:
        yield
        disk.pwrite(descriptor, bytes(disk.status(descriptor).size_bytes), 0)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


@contextlib.contextmanager
def file_lock(
    path: Path, disk: Disk = REAL_DISK, *, wait_seconds_max: float = LOCK_SECONDS_MAX
) -> Iterator[None]:
    """Hold the lock of a file; the lock is a file of its own beside it.

    Args:
        path: The file whose lock it is; its folder must exist.
        disk: The system calls.
        wait_seconds_max: How long to wait for another process.

    Yields:
        Nothing: the lock is held until the block ends.

    Raises:
        FileHeldError: Another one held it that long.
        OSError: The lock cannot be opened.
    """
    descriptor = disk.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        looks_left = int(wait_seconds_max / _LOCK_LOOK_SECONDS)
        while not disk.try_lock(descriptor):
            if looks_left <= 0:
                raise FileHeldError(f"{path}: another process holds it for {wait_seconds_max:g} s; try again")
            looks_left -= 1
            disk.sleep(_LOCK_LOOK_SECONDS)
        yield
    finally:
        disk.close(descriptor)
