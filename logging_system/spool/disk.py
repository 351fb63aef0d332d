"""The system calls a spool makes, in one place, so that a disk that fails in every way can stand in."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from logging_system.spool.forks import DESCRIPTORS


class FileStatus(NamedTuple):
    """What a spool wants to know of a file."""

    size_bytes: int
    links: int
    modified_seconds: float


Identity = tuple[int, int, int, int]
"""What tells one content of a file from another: inode, time of change, size and mode."""


class Disk:
    """The real disk: each method is the system call of its name and raises `OSError` as that does.

    Descriptors are always opened with O_CLOEXEC, so that a program the application starts inherits none, and
    noted in `forks.py`, so that a forked child closes them.
    """

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open or create `path` (open(2)); returns a descriptor that an exec closes.

        Args:
            path: Which file or folder.
            flags: Those of open(2), such as `os.O_RDWR | os.O_CREAT`.
            mode: Who may use the file where it is created; the umask takes from it.
        """
        return DESCRIPTORS.open(lambda: os.open(path, flags | os.O_CLOEXEC, mode))

    def close(self, descriptor: int) -> None:
        """Close a descriptor (close(2)); a lock goes with the last one of its open file."""
        DESCRIPTORS.close(descriptor)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Append some of `data` (write(2)); returns how many bytes were taken.

        Args:
            descriptor: Of a file opened for writing.
            data: `write_fully` brings all of it.
        """
        return os.write(descriptor, data)

    def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
        """Write some of `data` at an offset (pwrite(2)); returns how many bytes were taken.

        Args:
            descriptor: Of a file opened for writing.
            data: `pwrite_fully` brings all of it.
            offset_bytes: From the beginning of the file; one behind its end makes the file longer.
        """
        return os.pwrite(descriptor, data, offset_bytes)

    def pread(self, descriptor: int, length_bytes: int, offset_bytes: int) -> bytes:
        """Read from an offset (pread(2)).

        Args:
            descriptor: Of a file opened for reading.
            length_bytes: How much to read at most.
            offset_bytes: From the beginning of the file.

        Returns:
            The bytes; fewer than asked for only at the end of the file.
        """
        return os.pread(descriptor, length_bytes, offset_bytes)

    def truncate(self, descriptor: int, length_bytes: int) -> None:
        """Cut the file to a length (ftruncate(2)).

        Args:
            descriptor: Of a file opened for writing.
            length_bytes: The new length.
        """
        os.ftruncate(descriptor, length_bytes)

    def reserve(self, descriptor: int, offset_bytes: int, length_bytes: int) -> None:
        """Take room for bytes that will be written later (posix_fallocate(3)); what is there stays.

        Args:
            descriptor: Of a file opened for writing.
            offset_bytes: Where the room begins, from the beginning of the file.
            length_bytes: How long it is; a file that ends within it becomes longer, by zero bytes.
        """
        os.posix_fallocate(descriptor, offset_bytes, length_bytes)

    def datasync(self, descriptor: int) -> None:
        """Make the file's bytes and length durable (fdatasync(2)).

        Args:
            descriptor: Of an open file, whoever wrote to it.
        """
        os.fdatasync(descriptor)

    def sync(self, descriptor: int) -> None:
        """Make a file, or the names in a folder, durable (fsync(2)).

        Args:
            descriptor: Of an open file or folder.
        """
        os.fsync(descriptor)

    def try_lock(self, descriptor: int, *, shared: bool = False) -> bool:
        """Lock the open file without waiting (flock(2)); closing it gives the lock back.

        Args:
            descriptor: Of an open file; a child has the lock with the descriptor it inherits.
            shared: Whether others may hold such a lock, too; else nobody may hold any.

        Returns:
            False where somebody else holds a lock on it that does not allow this one.
        """
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def status(self, descriptor: int) -> FileStatus:
        """Return what the open file is like now (fstat(2)).

        Args:
            descriptor: Of an open file; it may have lost its name since.
        """
        found = os.fstat(descriptor)
        return FileStatus(found.st_size, found.st_nlink, found.st_mtime)

    def path_status(self, path: Path) -> FileStatus | None:
        """Return what the file of a name is like now (stat(2)), or None where there is none."""
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileStatus(found.st_size, found.st_nlink, found.st_mtime)

    def identity(self, path: Path) -> Identity | None:
        """Return what tells the content of a name from others (stat(2)); None where there is no such file."""
        try:
            return identity_in(path.stat())
        except FileNotFoundError:
            return None

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, replacing what had it (rename(2)).

        Args:
            source: Its name until now.
            target: Its name from now on, in the same file system; durable once the folder is synced.
        """
        source.rename(target)

    def unlink(self, path: Path) -> None:
        """Remove a name (unlink(2)); one that is gone already is no error."""
        path.unlink(missing_ok=True)

    def list_names(self, folder: Path) -> list[str]:
        """Return the names in a folder (getdents(2)), in no order.

        A name that is changed during a long listing may appear under both names or neither.
        """
        return os.listdir(folder)  # noqa: PTH208 - names are wanted; a Path for each would cost more than the call

    def make_folder(self, folder: Path, mode: int) -> list[Path]:
        """Create a folder and its parents, where missing (mkdir(2)), and return those that were.

        Args:
            folder: The folder.
            mode: Who may use it where it is created; parents get the default. The umask takes from both.

        Raises:
            OSError: As mkdir(2); EEXIST where a file has the name.
        """
        missing = list(takewhile(lambda each: not each.exists(), (folder, *folder.parents)))
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        return missing

    def set_mode(self, path: Path, mode: int) -> None:
        """Set who may use a file or folder (chmod(2)).

        Args:
            path: Which one.
            mode: Permission bits, such as 0o700; the umask takes nothing from them.
        """
        path.chmod(mode)

    def sleep(self, seconds: float) -> None:
        """Let others go on (nanosleep(2)), as while one of them holds a lock."""
        time.sleep(seconds)


def identity_in(status: os.stat_result) -> Identity:
    """Return the identity that a stat(2) tells.

    Args:
        status: What stat(2) or fstat(2) returned.
    """
    return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode


REAL_DISK = Disk()


def make_durable_folder(folder: Path, mode: int, disk: Disk = REAL_DISK) -> None:
    """Create a folder and its parents, where missing; each is durable, so that what is synced in it stays.

    Whoever writes into a folder comes by here first, so one that is empty may be somebody's who died, or met
    an error, before its name was durable.

    Args:
        folder: The folder.
        mode: Who may use it where it is created; see `Disk.make_folder`.
        disk: Where it lies.

    Raises:
        OSError: The disk refused, or a file has its name.
    """
    all_made = disk.make_folder(folder, mode)
    for made in all_made:
        sync_folder(made.parent, disk)
    if not all_made and not disk.list_names(folder):
        with suppress(PermissionError):  # what we may not read, somebody else made for us
            sync_folder(folder.parent, disk)


def sync_folder(folder: Path, disk: Disk = REAL_DISK) -> None:
    """Make the creations, renames and removals in `folder` durable (fsync(2): of the directory itself).

    Raises:
        OSError: The disk refused.
    """
    descriptor = disk.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def pwrite_fully(descriptor: int, data: bytes, offset_bytes: int, disk: Disk = REAL_DISK) -> None:
    """Write all of `data` at an offset; pwrite(2) may take less than it is given.

    Args:
        descriptor: Of a file opened for writing.
        data: What is written.
        offset_bytes: From the beginning of the file.
        disk: Where the file lies.

    Raises:
        OSError: The disk refused a part; some bytes may have been written.
    """
    written_bytes = 0
    while written_bytes < len(data):
        taken_bytes = disk.pwrite(descriptor, data[written_bytes:], offset_bytes + written_bytes)
        if taken_bytes == 0:
            raise OSError(errno.ENOSPC, "the disk takes no more bytes")
        written_bytes += taken_bytes


def write_fully(descriptor: int, data: bytes, disk: Disk = REAL_DISK) -> None:
    """Write all of `data`; write(2) may take less than it is given.

    Args:
        descriptor: Of a file opened for writing.
        data: What is written.
        disk: Where the file lies.

    Raises:
        OSError: The disk refused a part; some bytes may have been written.
    """
    view = memoryview(data)
    while view:
        taken_bytes = disk.write(descriptor, view)
        if taken_bytes == 0:
            raise OSError(errno.ENOSPC, "the disk takes no more bytes")
        view = view[taken_bytes:]
