"""The one file of what alerting knows: replaced as a whole, with a checksum, by the one process that watches.

Reading positions, counts, alerts and outbox are in it together, so that after a crash they fit each other:
what was read after the last save is read again, and counts once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import google_crc32c
import orjson

from logging_system.keys.durable_files import FILE_MODE, FOLDER_MODE, replace_file
from logging_system.spool.disk import REAL_DISK, Disk

FOLDER_NAME = "alerts"
NAME = "state.json"
LOCK_NAME = "watch.lock"
VERSION = 1


class StateDamagedError(Exception):
    """The file is not what was written; it was kept aside."""


class StateVersionError(Exception):
    """A newer version wrote the file; it is left alone."""


def alerts_folder(spool: Path) -> Path:
    """Return the folder of alerting in a spool folder."""
    return spool / FOLDER_NAME


def prepare_alerts_folder(spool: Path) -> Path:
    """Return the folder of alerting, made if need be.

    Raises:
        OSError: It cannot be made.
    """
    folder = alerts_folder(spool)
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return folder


def save_state(folder: Path, content: dict[str, Any], disk: Disk = REAL_DISK) -> None:
    """Make the state durable.

    Raises:
        OSError: The disk refused; the state before is still there.
    """
    body = orjson.dumps({"version": VERSION, **content})
    replace_file(folder / NAME, b"%08x\n%s" % (google_crc32c.value(body), body), disk)


def read_state(folder: Path) -> dict[str, Any] | None:
    """Return the state that was saved; None where none was.

    Raises:
        StateDamagedError: The file is damaged.
        StateVersionError: A newer version wrote it.
        OSError: It cannot be read.
    """
    path = folder / NAME
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    try:
        is_whole = int(checksum, 16) == google_crc32c.value(body)
        content = orjson.loads(body) if is_whole else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        raise StateDamagedError(f"{path}: is damaged and was kept as {aside.name}; alerting begins anew")
    if content.pop("version", None) != VERSION:
        raise StateVersionError(f"{path}: a newer version wrote it; start that version")
    return content


class WatchLock:
    """Held by the one process that watches a spool folder; it goes with its process.

    Args:
        folder: The folder of alerting.
        disk: The system calls.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._disk = disk
        self._descriptor = disk.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)

    def try_take(self) -> bool:
        """Take the lock; False where another process has it."""
        return self._disk.try_lock(self._descriptor)

    def close(self) -> None:
        """Give the lock back."""
        self._disk.close(self._descriptor)
