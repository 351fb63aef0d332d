"""Keeps what the store refused for good: a JSON line each, durable before the spool lets go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from logging_system.delivery.machine import BuryDeadLetter
from logging_system.encryption.lines import SealedLines
from logging_system.spool.codec import UnavailableError
from logging_system.spool.disk import sync_folder, write_fully
from logging_system.spool.segment import FILE_MODE

NAME = "dead-letters.ndjson"
_REMEMBERED_BYTES = 16 * 1024 * 1024
_ID = re.compile(rb'^\{"id":"([0-9a-f]{32}-[0-9]+)"', re.MULTILINE)
_WHOLE_ID = re.compile(r"[0-9a-f]{32}-[0-9]{1,20}")
_LINE_BYTES_MAX = 64 * 1024 * 1024


class DeadLetterError(Exception):
    """A line is no dead letter."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record the store refused for good.

    Attributes:
        id: Its id in the store, had it been taken.
        time: When it was buried, ISO 8601.
        status: The store's own number for it, such as an HTTP status; 0 where it has none.
        reason: The store's words.
        document: What was refused.
    """

    id: str
    time: str
    status: int
    reason: str
    document: dict[str, Any]


def read_letter(line: bytes, lines: SealedLines | None = None) -> DeadLetter:
    """Return the dead letter of a line.

    Args:
        line: The line.
        lines: What opens it where it is sealed.

    Raises:
        DeadLetterError: It is none, or cannot be opened.
    """
    content = _content(line)
    if "sealed" in content:
        opened = _content(_opened(content, lines))
        if opened.get("id") != content["id"]:
            raise DeadLetterError("what is sealed has another id")
        content = opened
    letter_id, document = content.get("id"), content.get("document")
    if not isinstance(letter_id, str) or not _WHOLE_ID.fullmatch(letter_id):
        raise DeadLetterError("no id; leave the one the letter had")
    if not isinstance(document, dict):
        raise DeadLetterError("the document is no JSON object")
    status = content.get("status")
    return DeadLetter(
        letter_id,
        str(content.get("time", "")),
        status if isinstance(status, int) else 0,
        str(content.get("reason", "")),
        document,
    )


def _content(line: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DeadLetterError(f"no JSON: {error}") from error
    if not isinstance(content, dict):
        raise DeadLetterError("no JSON object; a dead letter has an id and a document")
    return content


def _opened(content: dict[str, Any], lines: SealedLines | None) -> bytes:
    letter_id, sealed = content.get("id"), content["sealed"]
    if lines is None:
        raise DeadLetterError("sealed; give --settings FILE with the encryption that it was written with")
    if not isinstance(letter_id, str) or not isinstance(sealed, str):
        raise DeadLetterError("sealed without an id")
    try:
        return lines.open(sealed, letter_id)
    except (ValueError, UnavailableError) as error:
        raise DeadLetterError(f"cannot be opened: {error}") from None


def read_lines(
    path: Path, lines: SealedLines | None = None
) -> Iterator[tuple[int, DeadLetter | DeadLetterError]]:
    """Yield the letters of a file with their line numbers, from 1; a line that is none as its error.

    Args:
        path: The file.
        lines: What opens sealed letters.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LINE_BYTES_MAX):
            number += 1
            if not line.strip():
                continue
            try:
                yield number, read_letter(line, lines)
            except DeadLetterError as error:
                yield number, error


class DeadLetterFile:
    """The dead letters of one spool; used by one thread.

    A record that was buried just before a crash is buried again after it; the ids at the end of the file
    tell.

    Args:
        folder: The spool folder.
        lines: What seals the letters; None leaves them plain.

    Raises:
        OSError: The file cannot be opened or created.
    """

    def __init__(self, folder: Path, lines: SealedLines | None = None) -> None:
        self._folder = folder
        self._lines = lines
        self._open()

    def _open(self) -> None:
        self._descriptor = os.open(
            self._folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE
        )
        sync_folder(self._folder)
        size_bytes = os.fstat(self._descriptor).st_size
        end = os.pread(self._descriptor, _REMEMBERED_BYTES, max(0, size_bytes - _REMEMBERED_BYTES))
        whole_lines, newline, torn = end.rpartition(b"\n")
        self._torn = bool(torn)
        self._earlier_ids = {match.decode() for match in _ID.findall(whole_lines + newline)}

    def bury(self, letters: list[BuryDeadLetter]) -> None:
        """Append the letters not there yet and make them durable.

        Raises:
            OSError: The disk refused; handing the same letters in again is safe.
            KeyUnavailableError: There is no key to seal them with; as with OSError.
        """
        self._return_after_removal()
        fresh = [letter for letter in letters if letter.item.id not in self._earlier_ids]
        if not fresh:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data = (b"\n" if self._torn else b"") + b"".join(self._line(letter, now) for letter in fresh)
        size_bytes = os.fstat(self._descriptor).st_size
        try:
            write_fully(self._descriptor, data)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size_bytes)  # the letters come again, whole
            raise
        self._torn = False

    def _line(self, letter: BuryDeadLetter, time: str) -> bytes:
        line = _line(letter, time)
        if self._lines is None:
            return line
        letter_id = letter.item.id
        return b'{"id":"%b","sealed":"%b"}\n' % (letter_id.encode(), self._lines.seal(line, letter_id))

    def _return_after_removal(self) -> None:
        if os.fstat(self._descriptor).st_nlink == 0:  # what is written to it now would be gone
            removed = self._descriptor
            self._open()
            os.close(removed)

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
