"""Lines of JSON in a file, each synced before anybody is told that it is there; restarts find them again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

LINES_MAX = 100_000
BYTES_MAX = 256 * 1024 * 1024


class FullError(Exception):
    """No more is taken; the message says what is full."""


class DurableLines:
    """What came so far, oldest first.

    Args:
        path: the file; what it holds already comes first. A line that a dying process left half is dropped.

    Raises:
        OSError: the file cannot be used.
        ValueError: a line is no JSON.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
        self._entries: list[Mapping[str, Any]] = [orjson.loads(line) for line in whole.splitlines()]
        self._bytes = len(whole) + 1 if whole else 0
        self._file = path.open("ab")
        self._file.truncate(self._bytes)

    @property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        """What came so far."""
        return self._entries

    def append(self, entry: Mapping[str, Any]) -> None:
        """Keep one more, and return once it is on the disk.

        Raises:
            FullError: there are too many, or too large ones.
            OSError: the disk refused.
        """
        line = orjson.dumps(entry) + b"\n"
        if len(self._entries) >= LINES_MAX or self._bytes + len(line) > BYTES_MAX:
            raise FullError(
                f"more than {LINES_MAX:,} messages, or than {BYTES_MAX:,} bytes of them, are not kept"
            )
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._bytes += len(line)
        self._entries.append(entry)
