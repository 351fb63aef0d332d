"""A handler whose log call takes as long as it is told, so that a version can be slower by a known share."""

from __future__ import annotations

import logging
import time


class DelayedFileHandler(logging.FileHandler):
    """Writes each record to a file, after a delay in the caller's thread.

    Args:
        filename: the file.
        delay_ms: how long each call waits.
    """

    def __init__(self, filename: str, delay_ms: float) -> None:
        super().__init__(filename, encoding="utf-8")
        self._delay_seconds = delay_ms / 1000

    def handle(self, record: logging.LogRecord) -> bool:
        # Outside the handler's lock, which would make callers wait for each other.
        time.sleep(self._delay_seconds)
        return super().handle(record)
