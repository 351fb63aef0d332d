"""Records enter through a log file: lines are appended to it, and it may be rotated under its reader."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Literal

from harness.load.syslog_message import json_body
from harness.model.declarations import Arguments
from harness.model.errors import ScenarioError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import EXTRA, MESSAGE, URL, Record

_KEPT_MAX = 1_000


class LogFile:
    """Appends each record to a file, as applications do whose logs a collector follows.

    A call returns once write(2) has taken the whole line, so with `acknowledged_by: return` the durability to
    promise is `write`: a line outlives the application, not the machine. A file that ends within a line (its
    writer was killed, or the disk was full) gets a line feed first, so that only that line is torn.

    With `rotation: rename` the file becomes `<path>.1`, that one `<path>.2`, and so on, and a new one is
    begun. With `copytruncate` it is copied to `<path>.1` and then cut to nothing in its place: what a reader
    had not read by then it can only find in the copy, which has that name once it is whole. Nothing is
    written between copy and cut; a rotator that is another process loses what is written in that moment,
    whoever reads it. Where a file cannot be rotated the record is refused, and the next one tries again.

    Args:
        path: the file; its folder is made where it is missing.
        format: `json`, a document a line with `@timestamp`, `log.level`, `log.logger`, `labels.sequence` and
            `message`; or `plain`, the line alone, whose own line feeds make it several.
        rotation: how the file is rotated, once `rotate_bytes` or `rotate_seconds` is given.
        rotate_bytes: rotate before the file would grow beyond this; 0 = never.
        rotate_seconds: rotate at the first line after this time; 0 = never.
        kept_files: how many rotated files there are at most, 1 to 1,000; the oldest are deleted.

    Raises:
        ScenarioError: a number is out of its range.
    """

    def __init__(
        self,
        path: str,
        format: Literal["json", "plain"] = "json",
        rotation: Literal["rename", "copytruncate"] = "rename",
        rotate_bytes: int = 0,
        rotate_seconds: float = 0.0,
        kept_files: int = 100,
    ) -> None:
        if rotate_bytes < 0 or rotate_seconds < 0:
            raise ScenarioError("intake.rotate_bytes, rotate_seconds: must not be below 0; 0 = never")
        if not 1 <= kept_files <= _KEPT_MAX:
            raise ScenarioError(f"intake.kept_files: {kept_files} is not within 1 and {_KEPT_MAX:,}")
        self._path = Path(path)
        self._is_json = format == "json"
        self._rotate = self._rename if rotation == "rename" else self._copy_and_truncate
        self._rotate_bytes = rotate_bytes
        self._rotate_ns = round(rotate_seconds * SECOND_NS)
        self._kept_files = kept_files
        self._lock = threading.Lock()
        self._file = -1
        self._bytes = 0
        self._torn = False
        self._began_ns = 0

    @staticmethod
    def files_of(arguments: Mapping[str, object]) -> Sequence[str]:
        """Return patterns of the file and of what rotation makes of it."""
        path = str(Path(str(arguments["path"])))
        return (escape(path), f"{escape(path)}.*")

    def open(self, acknowledge: Callable[[Iterable[int]], None]) -> None:
        """Open the file, after what an earlier process has left in it.

        Raises:
            StackError: it cannot be opened.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            raise StackError(f"intake.path {self._path}: cannot be opened: {error.strerror}") from error

    def send(self, record: Record) -> None:
        """Append one record.

        Raises:
            OSError: the file does not take it whole, or it cannot be rotated.
        """
        text = json_body(record, time.time_ns()) if self._is_json else record.line
        line = text.encode() + b"\n"
        with self._lock:
            if self._file < 0:
                self._open()
            if self._is_due(len(line)):
                self._rotate()
            self._append(line)

    @staticmethod
    def secret_paths(arguments: Arguments) -> Sequence[str]:
        """Return the line's paths, and a field of its own in a JSON document."""
        return (MESSAGE, URL) if arguments.get("format") == "plain" else (MESSAGE, EXTRA, URL)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _append(self, line: bytes) -> None:
        left = b"\n" + line if self._torn else line
        while left:
            written = os.write(self._file, left)
            self._bytes += written
            left = left[written:]
            # Until the rest of it is written, too, this is how the file ends.
            self._torn = bool(left)

    def _is_due(self, line_bytes: int) -> bool:
        if not self._bytes:
            return False
        too_long = 0 < self._rotate_bytes < self._bytes + line_bytes
        too_old = 0 < self._rotate_ns <= time.monotonic_ns() - self._began_ns
        return too_long or too_old

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o644)
        self._began_ns = time.monotonic_ns()
        self._bytes = os.fstat(self._file).st_size
        self._torn = self._bytes > 0 and os.pread(self._file, 1, self._bytes - 1) != b"\n"

    def _rename(self) -> None:
        self._make_room()
        self._path.rename(self._rotated(1))
        os.close(self._file)
        self._file = -1
        self._open()

    def _copy_and_truncate(self) -> None:
        # Where there is no room for a copy, nothing moves: each later record tries again, and would push
        # rotated files that nobody may have read beyond the last number.
        copy = self._path.with_name(f".{self._path.name}.copy")
        try:
            shutil.copyfile(self._path, copy)
            self._make_room()
            copy.rename(self._rotated(1))
        except OSError:
            with suppress(OSError):
                copy.unlink(missing_ok=True)
            raise
        os.ftruncate(self._file, 0)
        self._bytes, self._torn, self._began_ns = 0, False, time.monotonic_ns()

    def _make_room(self) -> None:
        """Number the rotated files up by one; the one beyond the last is deleted."""
        with suppress(FileNotFoundError):
            self._rotated(self._kept_files).unlink()
        for number in reversed(range(1, self._kept_files)):
            with suppress(FileNotFoundError):
                self._rotated(number).rename(self._rotated(number + 1))

    def _rotated(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
