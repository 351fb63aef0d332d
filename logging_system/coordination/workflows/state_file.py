"""The one file of what the engine knows: replaced as a whole, with a checksum, under the folder's lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import google_crc32c
import orjson

from logging_system.keys.durable_files import FILE_MODE, make_folder, read_file, replace_file
from logging_system.spool.disk import REAL_DISK, Disk

FOLDER_NAME = "coordination"
NAME = "state.json"
LOCK_NAME = "engine.lock"
VERSION = 1
_FILE_BYTES_MAX = 64 * 1024 * 1024


class StateDamagedError(Exception):
    """The file is not what was written, or a newer version wrote it; it is left as it is."""


def coordination_folder(spool: Path) -> Path:
    """Return the folder of coordination in a spool folder."""
    return spool / FOLDER_NAME


def save_state(folder: Path, content: dict[str, Any], disk: Disk = REAL_DISK) -> None:
    """Make the state durable.

    Args:
        folder: The folder of coordination.
        content: The state.
        disk: The system calls.

    Raises:
        OSError: The disk refused; the state before is still there.
    """
    body = orjson.dumps({"version": VERSION, **content})
    replace_file(folder / NAME, b"%08x\n%s" % (google_crc32c.value(body), body), disk)


def read_state(folder: Path, disk: Disk = REAL_DISK) -> dict[str, Any] | None:
    """Return the state that was saved; None where none was.

    Args:
        folder: The folder of coordination.
        disk: The system calls.

    Raises:
        StateDamagedError: It is damaged, or a newer version wrote it. What was under way is not known, so
            nobody may begin anew by himself.
        OSError: It cannot be read.
    """
    path = folder / NAME
    try:
        data = read_file(path, _FILE_BYTES_MAX, disk)
    except FileNotFoundError:
        return None
    checksum, _, body = data.partition(b"\n")
    try:
        is_whole = int(checksum, 16) == google_crc32c.value(body)
        content = orjson.loads(body) if is_whole else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise StateDamagedError(
            f"{path}: is damaged; what was under way is in the audit beside it. Move the file away to begin "
            "anew"
        )
    if content.pop("version", None) != VERSION:
        raise StateDamagedError(f"{path}: a newer version wrote it; start that version")
    return content


class EngineLock:
    """Held by the one engine of a spool folder; it goes with its process.

    Args:
        folder: The folder of coordination; it is made if need be.
        disk: The system calls.

    Raises:
        OSError: The folder cannot be used.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        make_folder(folder, disk)
        self._disk = disk
        self._descriptor: int | None = disk.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)

    def try_take(self) -> bool:
        """Take the lock, without waiting; return False where another engine has it, and after `close`."""
        return self._descriptor is not None and self._disk.try_lock(self._descriptor)

    def close(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            self._disk.close(self._descriptor)
            self._descriptor = None
