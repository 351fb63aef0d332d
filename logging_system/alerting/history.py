"""What was told, begun, ended and refused, one JSON document a line, in two files of bounded size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.durable_files import FILE_MODE

NAME = "history.ndjson"
_EARLIER_NAME = "history.1.ndjson"
FILE_BYTES_MAX = 4 * 1024 * 1024


class History:
    """The files of a folder of alerting; written by the one process that watches.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._earlier = folder / _EARLIER_NAME

    def add(self, what: str, now_seconds: float, **facts: Any) -> None:
        """Add a line; for people to look at, so nothing depends on it, and it is not synced.

        Raises:
            OSError: The disk refused.
        """
        line = orjson.dumps({"time": now_seconds, "what": what, **facts}, option=orjson.OPT_APPEND_NEWLINE)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        try:
            os.write(descriptor, line)
            is_full = os.fstat(descriptor).st_size > FILE_BYTES_MAX
        finally:
            os.close(descriptor)
        if is_full:
            self._path.replace(self._earlier)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what is there, oldest first; a line that was cut off is left out."""
        for path in (self._earlier, self._path):
            try:
                with path.open("rb") as file:
                    for line in file:
                        try:
                            yield orjson.loads(line)
                        except orjson.JSONDecodeError:
                            continue
            except FileNotFoundError:
                continue
