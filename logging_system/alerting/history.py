"""What was told, begun, ended and refused, one JSON document a line, in two files of bounded size."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.durable_files import FILE_MODE, read_file
from logging_system.spool.disk import REAL_DISK, Disk, write_fully

NAME = "history.ndjson"
_EARLIER_NAME = "history.1.ndjson"
FILE_BYTES_MAX = 4 * 1024 * 1024


class History:
    """The files of a folder of alerting; written by the one process that watches.

    Args:
        folder: The folder.
        disk: The system calls.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._disk = disk
        self._path = folder / NAME
        self._earlier = folder / _EARLIER_NAME

    def add(self, what: str, now_seconds: float, **facts: Any) -> None:
        """Add a line; for people to look at, so nothing depends on it, and it is not synced.

        Args:
            what: What happened, in a word: `began`, `ended`, `told`, `sent`, `delayed` or `refused`.
            now_seconds: When, seconds since 1970.
            facts: What else the line says, by name, each as JSON can hold it.

        Raises:
            OSError: The disk refused.
        """
        line = orjson.dumps({"time": now_seconds, "what": what, **facts}, option=orjson.OPT_APPEND_NEWLINE)
        disk = self._disk
        descriptor = disk.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        try:
            write_fully(descriptor, line, disk)
            is_full = disk.status(descriptor).size_bytes > FILE_BYTES_MAX
        finally:
            disk.close(descriptor)
        if is_full:
            disk.rename(self._path, self._earlier)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what is there, oldest first; a line that was cut off is left out."""
        for path in (self._earlier, self._path):
            with contextlib.suppress(FileNotFoundError):
                for line in read_file(path, 2 * FILE_BYTES_MAX, self._disk).splitlines():
                    with contextlib.suppress(orjson.JSONDecodeError):
                        yield orjson.loads(line)
