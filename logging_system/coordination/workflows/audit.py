"""What the engine did, for an auditor: one JSON line an event, chained to the one before by its digest.

`{"sequence":3,"time":"…","event":"intended","run":"…","details":{…},"previous":"<hex>","digest":"<hex>"}`

The digest is SHA-256 of the line without it. A line that is changed, put in or taken out breaks the chain;
that lines at the end were taken out is seen by the state file, which knows one that there was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from logging_system.keys.durable_files import FILE_MODE
from logging_system.spool.disk import REAL_DISK, Disk, pwrite_fully, sync_folder

NAME = "audit.ndjson"
BEFORE_THE_FIRST = "0" * 64
_LINE_BYTES_MAX = 64 * 1024
_TAIL_BYTES = 4 * _LINE_BYTES_MAX
_CHUNK_BYTES = 64 * 1024
_REWRITTEN_BYTES = 16 * 1024


class AuditError(Exception):
    """The audit is not what was written."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line.

    Attributes:
        sequence: From 1.
        time: ISO 8601.
        event: What happened, in a word.
        run: To which run; empty for what concerns none.
        details: What else there is to say.
        previous: The digest of the line before.
        digest: The digest of this one.
    """

    sequence: int
    time: str
    event: str
    run: str
    details: Mapping[str, Any]
    previous: str
    digest: str

    def encoded(self) -> bytes:
        """Return the line."""
        return self._without_digest()[:-1] + b',"digest":"%b"}\n' % self.digest.encode()

    def expected_digest(self) -> str:
        """Return the digest that the line should have."""
        return hashlib.sha256(self._without_digest()).hexdigest()

    def _without_digest(self) -> bytes:
        return orjson.dumps(
            {
                "sequence": self.sequence,
                "time": self.time,
                "event": self.event,
                "run": self.run,
                "details": self.details,
                "previous": self.previous,
            }
        )


@dataclass(frozen=True, slots=True)
class Position:
    """An event that there was.

    Attributes:
        sequence: Its number; 0 for none.
        digest: Its digest.
    """

    sequence: int = 0
    digest: str = BEFORE_THE_FIRST


class Audit:
    """The audit of a folder; written by the one process that holds the folder's lock.

    Args:
        folder: The folder.
        disk: The system calls.
    """

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._path = folder / NAME
        self._disk = disk

    def append(
        self, event: str, run: str, details: Mapping[str, Any], now_seconds: float, known: Position
    ) -> Position:
        """Add an event; durable on return.

        What a crash tore behind the last whole line is cut off.

        Args:
            event: What happened, in a word.
            run: To which run.
            details: What else there is to say.
            now_seconds: Seconds since 1970.
            known: An event that there was at least.

        Returns:
            The event's position.

        Raises:
            AuditError: The event that there was is not there any more.
            OSError: The disk refused; whether the event is there is not known.
        """
        is_new = self._disk.path_status(self._path) is None
        descriptor = self._disk.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            last, end_bytes = self._last(descriptor, known)
            time = datetime.fromtimestamp(now_seconds, UTC).isoformat(timespec="milliseconds")
            made = AuditEvent(last.sequence + 1, time, event, run, details, last.digest, "")
            digest = made.expected_digest()
            line = AuditEvent(last.sequence + 1, time, event, run, details, last.digest, digest).encoded()
            if len(line) > _LINE_BYTES_MAX:
                raise AuditError(f"an event of {len(line)} bytes; {_LINE_BYTES_MAX} are taken")
            self._disk.truncate(descriptor, end_bytes)
            # The lines before are written once more: a sync that failed has let the system forget them.
            start = max(0, end_bytes - _REWRITTEN_BYTES)
            before = self._disk.pread(descriptor, end_bytes - start, start)
            pwrite_fully(descriptor, before + line, start, self._disk)
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)
        if is_new:
            sync_folder(self._path.parent, self._disk)
        return Position(last.sequence + 1, digest)

    def _last(self, descriptor: int, known: Position) -> tuple[Position, int]:
        """Return the last whole event that follows the known one, and where it ends."""
        size_bytes = self._disk.status(descriptor).size_bytes
        start = max(0, size_bytes - _TAIL_BYTES)
        tail = self._disk.pread(descriptor, size_bytes - start, start)
        *lines, _torn = tail.split(b"\n")
        at = start
        found, end_bytes = (Position(), 0) if known.sequence == 0 else (None, 0)
        for line in lines:
            at += len(line) + 1
            event = _event(line)
            if event is None:
                continue
            if found is None:
                if (event.sequence, event.digest) == (known.sequence, known.digest):
                    found, end_bytes = known, at
            elif event.previous == found.digest and event.sequence == found.sequence + 1:
                found, end_bytes = Position(event.sequence, event.digest), at
        if found is None:
            raise AuditError(
                f"{self._path}: event {known.sequence} is not there any more; the end was cut off or changed"
            )
        return found, end_bytes

    def events(self) -> Iterator[AuditEvent]:
        """Yield all whole lines, each checked against the one before; what a crash tore at the end is none.

        Raises:
            AuditError: The chain is broken; those before were whole.
            OSError: The audit cannot be read.
        """
        before, torn = Position(), False
        for number, line in enumerate(self._lines(), 1):
            event = _event(line)
            if torn or (event is not None and (event.previous, event.sequence) != (before.digest, number)):
                raise AuditError(
                    f"{self._path}:{number}: does not follow the line before; lines were taken out, put in "
                    "or changed"
                )
            if event is None:
                torn = True
                continue
            before = Position(event.sequence, event.digest)
            yield event

    def _lines(self) -> Iterator[bytes]:
        try:
            descriptor = self._disk.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            offset_bytes, rest = 0, b""
            while chunk := self._disk.pread(descriptor, _CHUNK_BYTES, offset_bytes):
                offset_bytes += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if len(rest) > _LINE_BYTES_MAX:
                    return
        finally:
            self._disk.close(descriptor)

    def verify(self, known: Position) -> Position:
        """Read the whole audit, and return its last position.

        Args:
            known: An event that there was.

        Raises:
            AuditError: The chain is broken, or that event is not there.
            OSError: The audit cannot be read.
        """
        last, is_there = Position(), known.sequence == 0
        for event in self.events():
            last = Position(event.sequence, event.digest)
            is_there = is_there or last == known
        if not is_there:
            raise AuditError(
                f"{self._path}: event {known.sequence} is not there any more; the end was cut off"
            )
        return last


def _event(line: bytes) -> AuditEvent | None:
    try:
        content = orjson.loads(line)
        event = AuditEvent(
            content["sequence"],
            content["time"],
            content["event"],
            content["run"],
            content["details"],
            content["previous"],
            content["digest"],
        )
        if event.encoded().rstrip(b"\n") == line and event.digest == event.expected_digest():
            return event
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None
