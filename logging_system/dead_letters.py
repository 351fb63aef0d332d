"""Keeps what the store refused for good: a JSON line each, durable before the spool lets go."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import orjson

from logging_system.delivery.machine import BuryDeadLetter
from logging_system.spool.disk import sync_folder, write_fully
from logging_system.spool.segment import FILE_MODE

NAME = "dead-letters.ndjson"
_REMEMBERED_BYTES = 16 * 1024 * 1024
_ID = re.compile(rb'^\{"id":"([0-9a-f]{32}-[0-9]+)"', re.MULTILINE)


class DeadLetterFile:
    """The dead letters of one spool; used by one thread.

    A record that was buried just before a crash is buried again after it; the ids at the end of the file
    tell.

    Args:
        folder: The spool folder.

    Raises:
        OSError: The file cannot be opened or created.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(
            folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE
        )
        sync_folder(folder)
        size_bytes = os.fstat(self._descriptor).st_size
        end = os.pread(self._descriptor, _REMEMBERED_BYTES, max(0, size_bytes - _REMEMBERED_BYTES))
        whole_lines, newline, torn = end.rpartition(b"\n")
        self._torn = bool(torn)
        self._earlier_ids = {match.decode() for match in _ID.findall(whole_lines + newline)}

    def bury(self, letters: list[BuryDeadLetter]) -> None:
        """Append the letters not there yet and make them durable.

        Raises:
            OSError: The disk refused; handing the same letters in again is safe.
        """
        fresh = [letter for letter in letters if letter.item.id not in self._earlier_ids]
        if not fresh:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data = (b"\n" if self._torn else b"") + b"".join(_line(letter, now) for letter in fresh)
        size_bytes = os.fstat(self._descriptor).st_size
        try:
            write_fully(self._descriptor, data)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size_bytes)  # the letters come again, whole
            raise
        self._torn = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _line(letter: BuryDeadLetter, time: str) -> bytes:
    return orjson.dumps(
        {
            "id": letter.item.id,
            "time": time,
            "status": letter.status,
            "reason": letter.reason,
            "document": orjson.Fragment(letter.item.document),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
