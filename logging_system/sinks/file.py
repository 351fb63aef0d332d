r"""Files as a store: rotating NDJSON, for those without another store and as a declared fallback.

A line is `{"_id":"…","_source":{…}}`, the shape of a hit of an Elasticsearch search; where the files stand
in for a store and encryption is on, `{"_id":"…","_sealed":"…"}`. What was written just before a crash is
sent again after it under the same `_id`; the ids at the end of the files are recognised, so that it is not
written twice.

```
app.ndjson        written to
app.ndjson.7      the newest full one: numbers only rise
app.ndjson.6 …    the oldest goes when there would be more than `rotate_files` files
app.ndjson.lock   held by the one process that writes
```
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import (
    Conflict,
    Delivered,
    DocumentOutcome,
    Found,
    OneForEach,
    Redirected,
    Refused,
    Retry,
    SameForAll,
    SendOutcome,
    Unknown,
)
from logging_system.encryption.lines import SealedLines
from logging_system.spool.codec import UnavailableError
from logging_system.spool.disk import make_durable_folder, sync_folder, write_fully
from logging_system.spool.segment import FILE_MODE

REMEMBERED_BYTES_MAX = 40 * 1024 * 1024
"""More than a delivery machine holds (32 MiB), so all that it sends again after a crash is recognised."""

ROTATE_BYTES_MIN = 4 * 1024
ROTATE_FILES_MIN = 1
_FOLDER_MODE = 0o777
"""Less what the process's umask takes off: who may read the files is the business of whoever names them."""

_ID = re.compile(rb'^\{"_id":"([0-9a-f]{32}-[0-9]{1,20})","_(?:source|sealed)":', re.MULTILINE)


class FileSink:
    """A store of at most `rotate_files` files of `rotate_bytes`: when it is full, the oldest lines go.

    That loss is declared by whoever sets the bounds.

    A document counts as delivered when `fdatasync` has returned. What the disk refuses (full, broken,
    read-only) is sent again by the delivery machine, like documents that a server pushed back.

    Args:
        path: The file written to; its folder is created.
        rotate_bytes: How large a file becomes.
        rotate_files: How many files there are, the one written to included.
        redirected: Documents count as redirected: the files only stand in for the store that was asked for.
        lines: What seals each document; None writes it as it is.

    Raises:
        ValueError: A bound is below what makes sense.
    """

    def __init__(
        self,
        path: Path,
        *,
        rotate_bytes: int = 64 * 1024 * 1024,
        rotate_files: int = 8,
        redirected: bool = False,
        lines: SealedLines | None = None,
    ) -> None:
        if rotate_bytes < ROTATE_BYTES_MIN or rotate_files < ROTATE_FILES_MIN:
            raise ValueError(
                f"file sink {path}: rotate_bytes must be at least {ROTATE_BYTES_MIN} and rotate_files at "
                f"least {ROTATE_FILES_MIN}"
            )
        self._path = path
        self._lines = lines
        self._rotate_bytes = rotate_bytes
        self._rotate_files = rotate_files
        self._stored: DocumentOutcome = Redirected() if redirected else Delivered()
        self._there_already: DocumentOutcome = Redirected() if redirected else Conflict()
        self._lock = threading.Lock()
        self._lock_descriptor = -1
        self._descriptor = -1
        self._durable_bytes = 0
        self._torn = False
        self._earlier_ids: frozenset[bytes] | None = None
        self._removed_files = 0

    @property
    def removed_files(self) -> int:
        """Files removed since the start to stay within the bounds."""
        return self._removed_files

    def prepare(self) -> str | None:
        """Open the file; see `Sink.prepare`.

        Returns:
            None when it is open, else what the disk refused.
        """
        with self._lock:
            try:
                self._be_open()
            except OSError as error:
                return self._explain(error)
        return None

    def send(self, items: Sequence[Item]) -> SendOutcome:
        """Append the documents and make them durable; see `Sink.send`.

        Args:
            items: The documents; what stood at the end of the files when they were opened is not written
                again.

        Returns:
            Which are stored, were there, or can never be, and which are to be sent again because the disk
            took no more; `Unknown` where it took none.
        """
        with self._lock:
            try:
                self._be_open()
                known, lines = self._sort(items)
                written, trouble = self._write(lines)
            except OSError as error:
                return Unknown(self._explain(error))
            except UnavailableError as error:
                return Unknown(f"file sink {self._path}: {error}")
        if not known and written == len(items):
            return SameForAll(self._stored)
        if trouble and not known and not written:
            return Unknown(trouble)
        left = dict.fromkeys(list(lines)[written:], Retry(trouble, is_pushed_back=True))
        told = known | left
        return OneForEach(tuple(told.get(place, self._stored) for place in range(len(items))))

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> Found:
        """Say which documents an earlier run wrote; what this run could not write is not there.

        Args:
            ids: Document ids.
            indices: Not asked: files have none.
        """
        del indices
        earlier = self._earlier_ids or frozenset()
        return Found(frozenset(each for each in ids if each.encode() in earlier))

    def close(self) -> None:
        """Close the file and let another process have it."""
        with self._lock:
            self._close_file()
            if self._lock_descriptor >= 0:
                os.close(self._lock_descriptor)
                self._lock_descriptor = -1

    def _sort(self, items: Sequence[Item]) -> tuple[dict[int, DocumentOutcome], dict[int, bytes]]:
        """Tell what is there already or can never be from the lines to be written; both by place."""
        known: dict[int, DocumentOutcome] = {}
        lines: dict[int, bytes] = {}
        for place, item in enumerate(items):
            line = self._line(item)
            if self._earlier_ids and item.id.encode() in self._earlier_ids:
                known[place] = self._there_already
            elif b"\n" in item.document:
                known[place] = Refused("the document has more than one line")
            elif len(line) > self._rotate_bytes:
                known[place] = Refused(f"the document is larger than a file of {self._rotate_bytes} bytes")
            else:
                lines[place] = line
        return known, lines

    def _line(self, item: Item) -> bytes:
        if self._lines is None:
            return b'{"_id":"%b","_source":%b}\n' % (item.id.encode(), item.document)
        sealed = self._lines.seal(item.document, item.id)
        return b'{"_id":"%b","_sealed":"%b"}\n' % (item.id.encode(), sealed)

    def _write(self, lines: Mapping[int, bytes]) -> tuple[int, str]:
        """Write lines, file by file; return how many are durable and what went wrong, if anything."""
        waiting = list(lines)
        while waiting:
            if self._durable_bytes + len(lines[waiting[0]]) > self._rotate_bytes:
                try:
                    self._rotate()
                except OSError as error:
                    return len(lines) - len(waiting), self._explain(error)
            now = self._fitting(waiting, lines)
            try:
                self._append(b"".join(lines[place] for place in now))
            except OSError as error:
                return len(lines) - len(waiting), self._explain(error)
            waiting = waiting[len(now) :]
        return len(lines), ""

    def _fitting(self, waiting: Sequence[int], lines: Mapping[int, bytes]) -> list[int]:
        fitting: list[int] = []
        room_bytes = self._rotate_bytes - self._durable_bytes
        for place in waiting:
            room_bytes -= len(lines[place])
            if room_bytes < 0:
                break
            fitting.append(place)
        return fitting

    def _append(self, data: bytes) -> None:
        self._cut()
        self._torn = True
        try:
            write_fully(self._descriptor, data)
            os.fdatasync(self._descriptor)
        except OSError:
            # After a failed sync the pages count as clean: only writing them anew makes them durable.
            self._cut()
            raise
        self._torn = False
        self._durable_bytes += len(data)
        if os.fstat(self._descriptor).st_nlink == 0:
            self._close_file()
            raise FileNotFoundError(2, "the file was removed while it was written to", str(self._path))

    def _cut(self) -> None:
        """Take back what was written and never acknowledged."""
        if self._torn:
            os.ftruncate(self._descriptor, self._durable_bytes)
            self._torn = False

    def _be_open(self) -> None:
        if self._descriptor >= 0 and not self._is_in_place():
            self._close_file()  # removed or renamed by somebody else: nobody would find what goes there
        if self._descriptor < 0:
            self._open()

    def _is_in_place(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        ours = os.fstat(self._descriptor)
        return (there.st_ino, there.st_dev) == (ours.st_ino, ours.st_dev)

    def _open(self) -> None:
        make_durable_folder(self._path.parent, _FOLDER_MODE)
        self._take_lock()
        self._remove_oldest()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, FILE_MODE)
        try:
            self._durable_bytes = _cut_torn_line(descriptor)
            os.fdatasync(descriptor)
            sync_folder(self._path.parent)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._torn = descriptor, False
        if self._earlier_ids is None:
            self._earlier_ids = self._ids_at_the_end()

    def _take_lock(self) -> None:
        if self._lock_descriptor >= 0:
            return
        path = self._path.with_name(self._path.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            reason = "another process writes to this file; give each process its own"
            raise OSError(error.errno, reason, str(self._path)) from error
        self._lock_descriptor = descriptor

    def _rotate(self) -> None:
        self._cut()
        self._close_file()
        rotated = self._rotated()
        number = rotated[-1][0] + 1 if rotated else 1
        self._path.rename(self._path.with_name(f"{self._path.name}.{number}"))
        self._open()

    def _rotated(self) -> list[tuple[int, Path]]:
        """Return the full files, oldest first."""
        prefix = self._path.name + "."
        numbered = [
            (int(path.name[len(prefix) :]), path)
            for path in self._path.parent.iterdir()
            if path.name.startswith(prefix) and re.fullmatch(r"[0-9]{1,18}", path.name[len(prefix) :])
        ]
        return sorted(numbered)

    def _remove_oldest(self) -> None:
        rotated = self._rotated()
        for _number, path in rotated[: max(0, len(rotated) - (self._rotate_files - 1))]:
            path.unlink(missing_ok=True)
            self._removed_files += 1

    def _ids_at_the_end(self) -> frozenset[bytes]:
        ids: set[bytes] = set()
        left_bytes = REMEMBERED_BYTES_MAX
        for path in [self._path, *(path for _number, path in reversed(self._rotated()))]:
            if left_bytes <= 0:
                break
            left_bytes -= _collect_ids(path, left_bytes, ids)
        return frozenset(ids)

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _explain(self, error: OSError) -> str:
        return f"file sink {error.filename or self._path}: {error.strerror or error}"


def _cut_torn_line(descriptor: int) -> int:
    """Drop a last line without its end, which was never acknowledged; return the size then."""
    size_bytes = os.fstat(descriptor).st_size
    if size_bytes == 0:
        return 0
    with mmap.mmap(descriptor, size_bytes, access=mmap.ACCESS_READ) as content:
        whole_bytes = content.rfind(b"\n") + 1
    if whole_bytes < size_bytes:
        os.ftruncate(descriptor, whole_bytes)
    return whole_bytes


def _collect_ids(path: Path, bytes_max: int, ids: set[bytes]) -> int:
    """Add the ids of a file's last lines to `ids`; return how many bytes were looked at."""
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), size_bytes, access=mmap.ACCESS_READ) as content:
        for match in _ID.finditer(content, max(0, size_bytes - bytes_max)):
            ids.add(match[1])
    return size_bytes
