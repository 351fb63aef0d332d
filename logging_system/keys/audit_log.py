"""What happened, for an auditor: one JSON line an event, chained to the one before by its digest.

`{"sequence":3,"time":"…","event":"rotated","key_id":"logs","details":{…},"previous":"<hex>","digest":"<hex>"}`

The digest is SHA-256 of the line without it. A line that is changed, inserted or taken out breaks the
chain; that lines at the end were taken out is seen by the file beside it (the keyring, the state of
workflows), which has the position of one that there was. Who can write both files can write another story: to
prove against that, keep the digest that `keys audit --verify` or `coordination history --verify` prints where
they cannot.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from logging_system.keys.durable_files import FILE_MODE, make_folder
from logging_system.spool.disk import REAL_DISK, Disk, pwrite_fully, sync_folder

NAME = "audit.ndjson"
OF_KEYS, OF_RUNS = "key_id", "run"
"""What the events of a log are about, by the name it has in a line."""
_LINE_BYTES_MAX = 1024 * 1024
_TAIL_BYTES = 2 * _LINE_BYTES_MAX
_CHUNK_BYTES = 64 * 1024
_REWRITTEN_BYTES = 16 * 1024
BEFORE_THE_FIRST = "0" * 64


class AuditError(Exception):
    """The log is not what was written."""


class NoEventError(AuditError):
    """A line is no event: somebody changed it, or a crash tore it."""


@dataclass(frozen=True, slots=True)
class Position:
    """An event that there was.

    Attributes:
        sequence: Its number; 0 for none.
        digest: Its digest.
    """

    sequence: int
    digest: str


NO_EVENT = Position(0, "")
"""The position where there was none yet."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line.

    Attributes:
        sequence: From 1.
        time: ISO 8601.
        event: What happened, in a word.
        about: What that is about: `OF_KEYS` or `OF_RUNS`.
        subject: To which of these; empty for what concerns none.
        details: What else there is to say; nothing secret.
        previous: The digest of the line before.
        digest: The digest of this one.
    """

    sequence: int
    time: str
    event: str
    about: str
    subject: str
    details: Mapping[str, object]
    previous: str
    digest: str = ""

    @property
    def position(self) -> Position:
        """Return where it stands."""
        return Position(self.sequence, self.digest)

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
                self.about: self.subject,
                "details": self.details,
                "previous": self.previous,
            }
        )


class AuditLog:
    """The audit log of a folder; written by the one process that holds the folder's lock.

    Args:
        folder: The folder of a keyring, or of the state of workflows.
        about: What its events are about: `OF_KEYS` or `OF_RUNS`.
        disk: The system calls.
    """

    def __init__(self, folder: Path, *, about: str = OF_KEYS, disk: Disk = REAL_DISK) -> None:
        self._path = folder / NAME
        self._about = about
        self._disk = disk

    def append(
        self,
        event: str,
        subject: str,
        details: Mapping[str, object],
        now_seconds: float,
        *,
        proven: Position | None = None,
    ) -> AuditEvent:
        """Add an event; durable on return.

        Args:
            event: What happened, in a word.
            subject: To which key or run.
            details: What else there is to say; nothing secret.
            now_seconds: When, in seconds since 1970.
            proven: An event that there was, as the file beside the log knows; what is no event behind it was
                torn by a crash, and is cut off. None where that is not known: then it is an error.

        Raises:
            AuditError: The end of the log is not what was written, so that nothing can be chained to it; or
                the event is too long.
            OSError: The disk refused; whether the event is there is not known.
        """
        make_folder(self._path.parent, self._disk)
        is_new = self._disk.path_status(self._path) is None
        descriptor = self._disk.open(self._path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            last, size_bytes = self._last(descriptor, proven)
            time = datetime.fromtimestamp(now_seconds, UTC).isoformat(timespec="milliseconds")
            sequence, previous = (last.sequence + 1, last.digest) if last else (1, BEFORE_THE_FIRST)
            made = AuditEvent(sequence, time, event, self._about, subject, details, previous)
            made = replace(made, digest=made.expected_digest())
            if len(line := made.encoded()) > _LINE_BYTES_MAX:
                raise AuditError(f"an event of {len(line)} bytes; {_LINE_BYTES_MAX} are taken")
            # The lines before are written once more: a sync that failed has let the system forget them.
            start = max(0, size_bytes - _REWRITTEN_BYTES)
            before = self._disk.pread(descriptor, size_bytes - start, start)
            pwrite_fully(descriptor, before + line, start, self._disk)
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)
        if is_new:
            sync_folder(self._path.parent, self._disk)
        return made

    def _last(self, descriptor: int, proven: Position | None) -> tuple[AuditEvent | None, int]:
        """Return the last whole line, and where it ends; cut off what a crash left of those after it."""
        size_bytes = self._disk.status(descriptor).size_bytes
        start = max(0, size_bytes - _TAIL_BYTES)
        tail = self._disk.pread(descriptor, _TAIL_BYTES, start)
        *lines, torn = tail.split(b"\n")
        last, torn_lines = self._followed(lines if start == 0 else lines[1:], proven)
        cut_bytes = len(torn) + sum(len(line) + 1 for line in lines[len(lines) - torn_lines :])
        if cut_bytes:
            size_bytes -= cut_bytes
            self._disk.truncate(descriptor, size_bytes)
        return last, size_bytes

    def events(self) -> Iterator[AuditEvent]:
        """Yield all whole lines, each checked against the one before.

        Raises:
            AuditError: The chain is broken; those before were whole.
            OSError: The log cannot be read.
        """
        previous, sequence = BEFORE_THE_FIRST, 0
        try:
            descriptor = self._disk.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            for line in self._lines(descriptor):
                sequence += 1
                event = self._event(line)
                if event.sequence != sequence or event.previous != previous:
                    raise AuditError(
                        f"{self._path}:{sequence}: does not follow the line before; "
                        "lines were taken out, put in or moved"
                    )
                previous = event.digest
                yield event
        finally:
            self._disk.close(descriptor)

    def _lines(self, descriptor: int) -> Iterator[bytes]:
        """Yield the whole lines; what a crash tore comes after them, and was never acknowledged."""
        offset_bytes, rest = 0, b""
        while len(rest) <= _LINE_BYTES_MAX and (
            chunk := self._disk.pread(descriptor, _CHUNK_BYTES, offset_bytes)
        ):
            offset_bytes += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines

    def verify(self, proven: Position) -> AuditEvent | None:
        """Read the whole log, and return its last event.

        Args:
            proven: An event that there was.

        Raises:
            AuditError: The chain is broken, or that event is not there.
            OSError: The log cannot be read.
        """
        last = None
        is_there = proven.sequence == 0
        try:
            for last in self.events():
                is_there = is_there or last.position == proven
        except NoEventError:
            if not is_there:
                raise
            # Torn by a crash before the file beside the log knew of it; the next event takes its place.
        if not is_there:
            raise AuditError(
                f"{self._path}: event {proven.sequence} is not there any more; "
                "the end was cut off or written anew"
            )
        return last

    def _followed(self, lines: Sequence[bytes], proven: Position | None) -> tuple[AuditEvent | None, int]:
        """Return the last event that follows those before it, and how many lines behind it are none.

        Args:
            lines: Whole lines, the last of the log; with the first of it, where that is all.
            proven: An event that there was; None where every line must be one.

        Raises:
            AuditError: That event is not there, or a line is an event that does not follow.
        """
        if proven is None:
            return (self._event(lines[-1]) if lines else None), 0
        last, place = self._proven(lines, proven)
        while place < len(lines):
            try:
                event = self._event(lines[place])
            except NoEventError:
                break
            if event.previous != (last.digest if last else BEFORE_THE_FIRST):
                raise AuditError(f"{self._path}: event {event.sequence} does not follow the one before")
            last, place = event, place + 1
        return last, len(lines) - place

    def _proven(self, lines: Sequence[bytes], proven: Position) -> tuple[AuditEvent | None, int]:
        """Return the event of a position, and the place behind it."""
        if proven.sequence == 0:
            return None, 0
        for place in range(len(lines) - 1, -1, -1):
            try:
                event = self._event(lines[place])
            except NoEventError:
                continue
            if event.position == proven:
                return event, place + 1
        raise AuditError(
            f"{self._path}: event {proven.sequence} is not there any more; "
            "the end was cut off or written anew"
        )

    def _event(self, line: bytes) -> AuditEvent:
        """Return the event of a line; raises NoEventError where it is none, or was changed."""
        try:
            content = orjson.loads(line)
            event = AuditEvent(
                content["sequence"],
                content["time"],
                content["event"],
                self._about,
                content[self._about],
                content["details"],
                content["previous"],
                content["digest"],
            )
            is_whole = event.encoded().rstrip(b"\n") == line.rstrip(b"\n")
            if is_whole and event.digest == event.expected_digest():
                return event
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise NoEventError("a line that is no event, or was changed")
