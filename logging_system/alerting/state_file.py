"""The one file of what alerting knows: replaced as a whole, with a checksum, by the one process that watches.

Reading positions, counts, alerts and outbox are in it together, so that after a crash they fit each other:
what was read after the last save is read again, and counts once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c
import orjson

from logging_system.keys.durable_files import FILE_MODE, FOLDER_MODE, replace_file
from logging_system.spool.codec import UnavailableError
from logging_system.spool.disk import REAL_DISK, Disk, make_durable_folder

if TYPE_CHECKING:
    from logging_system.encryption.lines import SealedLines

FOLDER_NAME = "alerts"
NAME = "state.json"
LOCK_NAME = "watch.lock"
VERSION = 1
_SEALED = b"sealed "
_LINE_ID = "alerts-state"


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
    make_durable_folder(folder, FOLDER_MODE)
    return folder


def save_state(
    folder: Path, content: dict[str, Any], lines: SealedLines | None = None, *, disk: Disk = REAL_DISK
) -> None:
    """Make the state durable.

    Args:
        folder: The folder of alerting.
        content: The state.
        lines: What seals it; None leaves it plain.
        disk: The system calls.

    Raises:
        OSError: The disk refused; the state before is still there.
        UnavailableError: There is no key to seal it with; the state before is still there.
    """
    body = orjson.dumps({"version": VERSION, **content})
    if lines is not None:
        body = _SEALED + lines.seal(body, _LINE_ID)
    replace_file(folder / NAME, b"%08x\n%s" % (google_crc32c.value(body), body), disk)


def read_state(folder: Path, lines: SealedLines | None = None) -> dict[str, Any] | None:
    """Return the state that was saved; None where none was.

    Args:
        folder: The folder of alerting.
        lines: What opens it where it is sealed.

    Raises:
        StateDamagedError: The file is damaged, or was changed.
        UnavailableError: The key that opens it is not here now.
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
        content = orjson.loads(_opened(body, lines)) if is_whole else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        raise StateDamagedError(f"{path}: is damaged and was kept as {aside.name}; alerting begins anew")
    if content.pop("version", None) != VERSION:
        raise StateVersionError(f"{path}: a newer version wrote it; start that version")
    return content


def _opened(body: bytes, lines: SealedLines | None) -> bytes:
    if not body.startswith(_SEALED):
        return body
    if lines is None:
        raise UnavailableError("the setting encryption, with which the state of alerts is sealed,")
    return lines.open(body.removeprefix(_SEALED).decode("ascii", "replace"), _LINE_ID)


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
