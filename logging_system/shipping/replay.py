"""Puts dead letters back into the spool, each at most once however often that is asked for.

A replayed letter's id follows from its old one. So a replay whose mark was lost in a crash is written to the
spool again under the id the store has already, and is recognised there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from logging_system.shipping.dead_letters import DeadLetter
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.segment import FILE_MODE, list_segments
from logging_system.spool.writer import SpoolWriter

MARKS_NAME = "dead-letters-replayed.ndjson"
LETTERS_MAX = 1_000
"""Letters in one replay: each is a writer of its own to the checkpoint, which has room for some thousands."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of one dead letter.

    Attributes:
        id: The dead letter's.
        new_id: The id under which it goes to the store.
        earlier: Whether an earlier replay had done it already.
    """

    id: str
    new_id: str
    earlier: bool


def new_epoch(letter_id: str) -> bytes:
    """Return the epoch under which a letter is replayed; its only record has sequence 1.

    Args:
        letter_id: The id of its document; the same one gives the same epoch, so that a second replay is
            known as one.
    """
    return hashlib.sha256(b"replay of " + letter_id.encode()).digest()[:16]


def replayed_ids(folder: Path) -> set[str]:
    """Return the ids of the letters that were replayed.

    Args:
        folder: The spool folder; without marks in it, none was.

    Raises:
        OSError: The marks cannot be read.
    """
    try:
        lines = (folder / MARKS_NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return set()
    return {mark["id"] for line in lines if (mark := _mark(line))}


def replay(
    folder: Path, letters: Sequence[DeadLetter], *, spool_bytes_max: int, codecs: Codecs = PLAIN_CODECS
) -> Iterator[Replayed]:
    """Put letters into the spool, one after the other, each durable and marked before the next.

    Args:
        folder: The spool folder.
        letters: What to replay, as it is to be delivered.
        spool_bytes_max: As the handlers have it.
        codecs: How the spool stores its blocks.

    Yields:
        What became of each.

    Raises:
        ValueError: There are more than `LETTERS_MAX`.
        SpoolFullError: The spool has no room; those before are in it.
        OSError: The disk refused; those before are in it.
        KeyUnavailableError: There is no key to store them with; those before are in it.
    """
    if len(letters) > LETTERS_MAX:
        raise ValueError(f"{len(letters)} dead letters; replay at most {LETTERS_MAX} at a time")
    with _marks(folder) as marks:
        known = replayed_ids(folder)
        for letter in letters:
            epoch = new_epoch(letter.id)
            done = Replayed(letter.id, f"{epoch.hex()}-1", letter.id in known)
            if not done.earlier:
                if epoch not in list_segments(folder):
                    _spool(folder, epoch, letter, spool_bytes_max, codecs)
                _write_mark(marks, done)
                known.add(letter.id)
            yield done


def _spool(folder: Path, epoch: bytes, letter: DeadLetter, spool_bytes_max: int, codecs: Codecs) -> None:
    writer = SpoolWriter(folder, spool_bytes_max=spool_bytes_max, sync=True, codecs=codecs)
    writer.epoch = epoch
    writer.append([orjson.dumps(letter.document)])
    writer.seal()


@contextmanager
def _marks(folder: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(
        folder / MARKS_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE
    )
    with os.fdopen(descriptor, "ab") as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # two people at it: one after the other
        yield file


def _write_mark(marks: BinaryIO, done: Replayed) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # Begins with a newline: a line torn by a crash before must not swallow this one.
    marks.write(b"\n" + orjson.dumps({"id": done.id, "as": done.new_id, "time": now}) + b"\n")
    marks.flush()
    os.fdatasync(marks.fileno())


def _mark(line: bytes) -> dict[str, str] | None:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) and isinstance(content.get("id"), str) else None
