"""`findings.jsonl`: every change of a finding as a line, in two files of bounded size.

A line is there at least once. After a crash it may be there again, with the same id: of lines with one id,
the last holds. A line that a crash cut off is left behind by the next one, and passed over by readers.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.durable_files import FILE_MODE, read_file
from logging_system.spool.disk import REAL_DISK, Disk, write_fully

NAME = "findings.jsonl"
EARLIER_NAME = "findings.1.jsonl"
FILE_BYTES_MAX = 4 * 1024 * 1024


class FindingFile:
    """The files of a folder; written by the one process that watches.

    Args:
        folder: The folder.
        disk: The system calls.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._disk = disk
        self._path = folder / NAME
        self._earlier = folder / EARLIER_NAME
        self._is_cut = True
        """Whether the file may end within a line, as it does after a crash."""

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Add lines; they are durable on return.

        Raises:
            OSError: The disk refused; some of them may be there.
        """
        data = b"".join(orjson.dumps(dict(line), option=orjson.OPT_APPEND_NEWLINE) for line in lines)
        disk = self._disk
        descriptor = disk.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        try:
            # An empty line is none: whatever a crash cut off ends here.
            starts_anew = self._is_cut and disk.status(descriptor).size_bytes > 0
            self._is_cut = True
            write_fully(descriptor, b"\n" + data if starts_anew else data, disk)
            self._is_cut = False
            disk.datasync(descriptor)
            is_full = disk.status(descriptor).size_bytes > FILE_BYTES_MAX
        finally:
            disk.close(descriptor)
        if is_full:
            disk.rename(self._path, self._earlier)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what is there, oldest first; what was cut off is left out.

        Raises:
            OSError: The files cannot be read.
        """
        for path in (self._earlier, self._path):
            with contextlib.suppress(FileNotFoundError):
                for line in read_file(path, 2 * FILE_BYTES_MAX, self._disk).splitlines():
                    with contextlib.suppress(orjson.JSONDecodeError):
                        content = orjson.loads(line)
                        if isinstance(content, dict) and "finding_id" in content:
                            yield content

    def latest(self) -> dict[str, dict[str, Any]]:
        """Return the last line of each finding, by id, the oldest finding first. Raises as `lines`."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.lines():
            found[line["finding_id"]] = line
        return found
