"""The stack's own decoder: a command that turns stored documents into readable ones.

It is a filter: NDJSON documents in, NDJSON documents out, one answer for each input, in their order. An
answer of `{"undecodable": "<reason>"}` says that this document cannot be read; it then proves no record. The
command is started once for each reading of the archive, when that has been read: it may have to wait for a
key server, and the store must not wait with it. In memory nothing is kept but the names of documents.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import IO

import orjson

from harness.evidence.archives.fields import line_of, texts_with, values_of
from harness.model.errors import StackError
from harness.model.protocols import (
    Findable,
    Locatable,
    RawArchive,
    RawDocument,
    Removable,
    Sighting,
    StoredDocument,
)

DECODE_SECONDS_MAX = 120.0
SECONDS_A_DOCUMENT_MAX = 0.002
"""What each document adds: a large archive takes its time, which is no fault of the stack."""
ANSWER_BYTES_MAX = 16 << 20
_PIPE_BYTES = 1 << 16
_EXIT_SECONDS = 5.0
_SHOWN_BYTES = 500
_LOOKED_AT_MAX = 500


class DecodedArchive:
    """An archive seen through a command; implements RawArchive, `raw` being what is stored, undecoded.

    Args:
        archive: what is stored.
        command: the argument list; never a shell line.
        folder: where the command runs.
        environment: variables on top of the harness's own, by which its processes can be found.
        timeout_seconds: how long one reading may take, beside `SECONDS_A_DOCUMENT_MAX` for each document.
        key: of the stack file, which names the command; every failure begins with it.
        may_miss: whether a part may have become unreadable for good, as after a key was destroyed on purpose:
            a command that has answered every document may then end with any exit code.
    """

    def __init__(
        self,
        archive: RawArchive,
        command: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        timeout_seconds: float = DECODE_SECONDS_MAX,
        key: str = "archive.decode",
        *,
        may_miss: bool = False,
    ) -> None:
        self._may_miss = may_miss
        self._archive = archive
        self._command = tuple(command)
        self._folder = folder
        self._environment = environment
        self._timeout_seconds = timeout_seconds
        self._key = key

    @property
    def field(self) -> str:
        """Where the line stands, in an answer as in a stored document."""
        return self._archive.field

    def count(self) -> int:
        """Return how many documents are stored."""
        return self._archive.count()

    def refresh(self) -> None:
        """Make everything stored so far visible."""
        self._archive.refresh()

    def raw(self) -> Iterator[RawDocument]:
        """Yield every stored copy as it is stored."""
        return self._archive.raw()

    def absent(self) -> str:
        """Name what does not exist, where the archive can tell; raises StackError."""
        return self._archive.absent() if isinstance(self._archive, Locatable) else ""

    def remove(self, run_id: str) -> None:
        """Delete what this run stored; raises StackError where the archive cannot do that."""
        if not isinstance(self._archive, Removable):
            raise StackError("this kind of archive cannot delete documents")
        self._archive.remove(run_id)

    def close(self) -> None:
        """Release connections."""
        self._archive.close()

    def elsewhere(self, word: str, folder: str) -> Iterator[Sighting]:
        """Yield texts that hold a word: in other fields of the answers, undecoded, or beside the archive.

        Raises:
            StackError: the archive or the command cannot be asked.
        """
        for stored in self._answers():
            if isinstance(stored, StoredDocument):
                continue
            for field, text in texts_with(stored[1], word):
                if field != self.field:
                    yield Sighting(stored[0], text, {"field": field})
        for raw in islice(self._archive.raw(), _LOOKED_AT_MAX):
            for field, text in texts_with({} if raw.unreadable else orjson.loads(raw.body), word):
                changes = {"decode": "", **({} if field == self.field else {"field": field})}
                yield Sighting(raw.copy, text, changes)
        if isinstance(self._archive, Findable):
            yield from self._archive.elsewhere(word, folder)

    def read(self, fields: Sequence[str] = ()) -> Iterator[StoredDocument]:
        """Yield every copy's line, and the values of the fields asked for, as the command gives them back.

        Raises:
            StackError: the archive cannot be read whole, or the command fails: it cannot be started, dies,
                answers too little, too much, too late, or what is no JSON document.
        """
        for stored in self._answers():
            yield stored if isinstance(stored, StoredDocument) else self._stored(*stored, fields)

    def _answers(self) -> Iterator[StoredDocument | tuple[str, Mapping[str, object]]]:
        """Yield every copy with its answer, or as it is where nothing could be asked."""
        with tempfile.TemporaryFile() as staged, tempfile.TemporaryFile() as errors:
            timeout_seconds = self._timeout_seconds
            for document in self._archive.raw():
                timeout_seconds += SECONDS_A_DOCUMENT_MAX
                name = orjson.dumps([document.copy, document.unreadable])
                staged.writelines((name, b"\n", document.body, b"\n"))
            staged.seek(0)
            try:
                process = subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    env={**os.environ, **self._environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise StackError(f"{self._key}: cannot start {self._command[0]!r}: {error}") from error
            try:
                talk = _Conversation(process, timeout_seconds, errors, self._key)
                yield from self._converse(talk, _unstaged(staged))
            finally:
                _end(process)

    def _converse(
        self, talk: _Conversation, documents: Iterator[RawDocument]
    ) -> Iterator[StoredDocument | tuple[str, Mapping[str, object]]]:
        for document in documents:
            if document.unreadable:
                line = document.body.decode(errors="backslashreplace")
                yield StoredDocument(document.copy, line, document.unreadable)
                continue
            yield from talk.ask(document)
        yield from talk.finish(any_exit_code=self._may_miss)

    def _stored(self, copy: str, answer: Mapping[str, object], fields: Sequence[str]) -> StoredDocument:
        reason = answer.get("undecodable")
        if isinstance(reason, str) and len(answer) == 1:
            return StoredDocument(copy, "", f"it cannot be decoded: {reason}")
        return StoredDocument(copy, line_of(answer, self.field), values=values_of(answer, fields))


def _unstaged(staged: IO[bytes]) -> Iterator[RawDocument]:
    for name in staged:
        copy, unreadable = orjson.loads(name)
        yield RawDocument(copy, staged.readline()[:-1], unreadable)


class LineCutter:
    """Cuts lines out of pieces as they come; each byte is looked at once, however long its line is.

    Attributes:
        rest_bytes: the length of the line that has begun and not ended.
    """

    def __init__(self) -> None:
        self.rest_bytes = 0
        self._rest: list[bytes] = []

    def cut(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in this piece, each without its newline."""
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest, self.rest_bytes = [], 0
        self._rest.append(rest)
        self.rest_bytes += len(rest)
        return lines

    def rest(self) -> bytes:
        """Return what has come of the line that has not ended."""
        return b"".join(self._rest)


class _Conversation:
    """Both pipes of the command on one thread: whichever is ready goes on, until the deadline."""

    def __init__(
        self, process: subprocess.Popen[bytes], timeout_seconds: float, errors: IO[bytes], key: str
    ) -> None:
        self._key = key
        if process.stdin is None or process.stdout is None:
            raise StackError(f"{key}: it was started without pipes")
        self._process, self._in, self._out, self._errors = process, process.stdin, process.stdout, errors
        os.set_blocking(self._in.fileno(), False)
        self._until = time.monotonic() + timeout_seconds
        self._timeout_seconds = timeout_seconds
        self._unsent = memoryview(b"")
        self._begun = LineCutter()
        self._unread: deque[bytes] = deque()
        self._waiting: deque[str] = deque()

    def ask(self, document: RawDocument) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Send one document; yield the answers that have come meanwhile, with the names of their copies."""
        self._waiting.append(document.copy)
        self._unsent = memoryview(document.body + b"\n")
        while self._unsent:
            yield from self._turn()

    def finish(self, *, any_exit_code: bool) -> Iterator[tuple[str, Mapping[str, object]]]:
        """End the input and yield the answers still to come; see that the command then ends well."""
        self._in.close()
        while self._turn_reads():
            yield from self._answers()
        if self._begun.rest().strip():
            raise self._broke("its last answer has no newline")
        if self._waiting:
            raise self._broke(f"{len(self._waiting):,} documents were not answered")
        try:
            code = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self._broke("it did not exit after its last answer") from error
        if code != 0 and not any_exit_code:
            raise self._broke(f"it ended with {code}")

    def _turn(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        readable, writable, _ = select.select([self._out], [self._in], [], self._left())
        if readable:
            if not self._read():
                raise self._broke("it ended before it had seen every document")
            yield from self._answers()
        if writable:
            try:
                self._unsent = self._unsent[os.write(self._in.fileno(), self._unsent[:_PIPE_BYTES]) :]
            except BrokenPipeError as error:
                raise self._broke("it ended before it had seen every document") from error

    def _turn_reads(self) -> bool:
        select.select([self._out], [], [], self._left())
        return self._read()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._broke(f"it did not finish within {self._timeout_seconds:,.1f} s")
        return min(left, 1.0)

    def _read(self) -> bool:
        if not select.select([self._out], [], [], 0)[0]:
            return True
        piece = os.read(self._out.fileno(), _PIPE_BYTES)
        self._unread += self._begun.cut(piece)
        if self._begun.rest_bytes > ANSWER_BYTES_MAX:
            raise self._broke(f"an answer is longer than {ANSWER_BYTES_MAX >> 20} MiB")
        return bool(piece)

    def _answers(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        while self._unread:
            line = self._unread.popleft()
            if not self._waiting:
                raise self._broke("it answered more than it was asked")
            copy = self._waiting.popleft()
            try:
                answer = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise self._broke(f"its answer for {copy} is not JSON: {line[:80]!r}") from error
            if not isinstance(answer, dict):
                raise self._broke(f"its answer for {copy} is not a JSON document: {line[:80]!r}")
            yield copy, answer

    def _broke(self, what: str) -> StackError:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _SHOWN_BYTES))
        said = self._errors.read().decode(errors="replace").strip()
        return StackError(f"{self._key}: {what}{f'; it wrote: {said}' if said else ''}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started in its session; it may have ended long ago."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
    process.wait()
