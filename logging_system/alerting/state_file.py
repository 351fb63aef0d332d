"""The one file of what alerting knows: replaced as a whole, with a checksum, by the one process that watches.

Reading positions, counts, alerts and outbox are in it together, so that after a crash they fit each other:
what was read after the last save is read again, and counts once.

```
length<newline>JSON  length<newline>page  ...  checksum of all before, 8 hexadecimal digits
```

Pages are rows that were packed before (`paged_rows`); written one by one, and sealed one by one where the
spool is, so that a save takes no room for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c
import orjson

from logging_system.alerting.paged_rows import Packed
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
_PAGES = "$pages"
"""What stands in the JSON for pages: the number of the first, and how many."""
_LINE_ID = "alerts-state"


class StateDamagedError(Exception):
    """The file is not what was written; it was kept aside."""


class StateVersionError(Exception):
    """A newer version wrote the file; it is left alone."""


def alerts_folder(spool: Path) -> Path:
    """Return the folder of alerting in a spool folder."""
    return spool / FOLDER_NAME


def prepare_alerts_folder(spool: Path) -> Path:
    """Return the folder of alerting, made if need be with mode 0700.

    Args:
        spool: The spool folder, in which it lies.

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
    replace_file(folder / NAME, encode_state(content, lines), disk)


def encode_state(content: dict[str, Any], lines: SealedLines | None = None) -> Iterator[bytes]:
    """Yield the file in parts.

    Args:
        content: The state: what JSON can hold, and `Packed` pages anywhere in it.
        lines: What seals each part; None leaves all plain.

    Raises:
        TypeError: Something in it is neither.
        UnavailableError: There is no key to seal it with.
    """
    pages: list[bytes] = []

    def numbered(value: object) -> Any:
        if not isinstance(value, Packed):
            raise TypeError(f"{type(value).__name__} is no part of a state")
        first = len(pages)
        pages.extend(value.pages)
        return {_PAGES: [first, len(value.pages)]}

    body = orjson.dumps({"version": VERSION, **content}, default=numbered)
    checksum = 0
    for number, part in enumerate((body, *pages)):
        stored = part if lines is None else _SEALED + lines.seal(part, f"{_LINE_ID}-{number}")
        framed = b"%d\n%s" % (len(stored), stored)
        checksum = google_crc32c.extend(checksum, framed)
        yield framed
    yield b"%08x" % checksum


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
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        content = decode_state(data, lines)
    except (ValueError, TypeError):
        content = None
    if not isinstance(content, dict):
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        raise StateDamagedError(f"{path}: is damaged and was kept as {aside.name}; alerting begins anew")
    if content.pop("version", None) != VERSION:
        raise StateVersionError(f"{path}: a newer version wrote it; start that version")
    return content


def decode_state(data: bytes, lines: SealedLines | None = None) -> Any:
    """Return what `encode_state` wrote.

    Args:
        data: The whole file.
        lines: What opens its parts where they are sealed; None where no encryption is set.

    Raises:
        ValueError: It is damaged, or was changed.
        UnavailableError: The key that opens it is not here now.
    """
    body, checksum = memoryview(data)[:-8], data[-8:]
    if int(checksum, 16) != google_crc32c.value(bytes(body)):
        raise ValueError("the checksum is another")
    parts = [_opened(part, number, lines) for number, part in enumerate(_framed(data, len(body)))]
    if not parts:
        raise ValueError("nothing is in it")
    return _with_pages(orjson.loads(parts[0]), parts[1:])


def _framed(data: bytes, end: int) -> Iterator[bytes]:
    place = 0
    while place < end:
        start = data.index(b"\n", place) + 1
        length = int(data[place : start - 1])
        place = start + length
        yield data[start:place]


def _with_pages(content: Any, pages: list[bytes]) -> Any:
    """Return content with its pages where it names them."""
    if not isinstance(content, dict):
        return content
    if _PAGES in content:
        first, count = content[_PAGES]
        return Packed(pages[first : first + count])
    return {name: _with_pages(value, pages) for name, value in content.items()}


def _opened(part: bytes, number: int, lines: SealedLines | None) -> bytes:
    if not part.startswith(_SEALED):
        return part
    if lines is None:
        raise UnavailableError("the setting encryption, with which the state of alerts is sealed,")
    sealed = part.removeprefix(_SEALED).decode("ascii", "replace")
    return lines.open(sealed, f"{_LINE_ID}-{number}")


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
        """Take the lock, without waiting; return False where another process has it."""
        return self._disk.try_lock(self._descriptor)

    def close(self) -> None:
        """Give the lock back."""
        self._disk.close(self._descriptor)
