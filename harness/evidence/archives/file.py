"""Files as an archive: every line, or every line of NDJSON, of all files that a pattern matches.

Order is the physical one: files by the time of their last write (then by name), lines as they stand, which
is how log files are rotated. A file that is reached by two names is read once; files that are renamed while
they are opened are opened again. A copy is named by its file and its number in it, counted from 1.
"""

from __future__ import annotations

import glob
import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Literal

import orjson

from harness.evidence.archives.fields import line_of, texts_with, values_of
from harness.evidence.lines import IDENTITY
from harness.model.errors import StackError
from harness.model.protocols import Archive, Follower, RawDocument, Sighting, StoredDocument

POSITION = "_position"
"""The field by which a stack can say that its order is the physical one."""

FORMATS: tuple[Literal["ndjson", "lines", "multiline"], ...] = ("ndjson", "lines", "multiline")
FILES_MAX = 500
LINE_BYTES_MAX = 16 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_LOOKS_MAX = 5
_LIKE_MAX = 10
_COUNT_BYTES = 1 << 20
# Where lines are looked for that are not where they should be, in each file.
_LOOKED_AT_MAX = 5_000
_IDENTITY_END = re.compile(rf" {IDENTITY}\r?\n?\Z".encode())


@dataclass(frozen=True, slots=True)
class _Opened:
    path: str
    file: IO[bytes]
    inode: tuple[int, int]

    @property
    def bytes(self) -> int:
        """Return how long the file is now."""
        return os.fstat(self.file.fileno()).st_size


class FileArchive:
    r"""Reads one run's own files whole, plain or gzipped (told by their first bytes).

    Args:
        path: a file, or a pattern of Python's `glob` (`**` included); what does not exist yet is empty.
        field: where the line stands in a document of NDJSON, dots parting keys.
        format: `ndjson`: each line is a JSON document. `lines`: each line is a document, the bytes between
            `\n`, one trailing `\r` dropped. `multiline`: a document goes on until a line ends in an identity
            of logquake, for writers that put tracebacks into a file as they are.

    A last line without its newline is read like any other: it is a document where it is a whole one. Where it
    is not, it shows as torn; while its writer still writes, a later reading mends that, and only the last one
    counts.
    """

    def __init__(
        self, path: str, field: str = "message", format: Literal["ndjson", "lines", "multiline"] = "ndjson"
    ) -> None:
        self.field = field
        self._pattern = path
        self._format = format
        self._counted: dict[tuple[int, int], tuple[int, int]] = {}

    def count(self) -> int:
        """Return how many lines there are; only what was appended since the last count is read.

        Raises:
            StackError: a file cannot be read.
        """
        with ExitStack() as stack:
            return sum(self._lines_in(opened) for opened in self._open(stack))

    def refresh(self) -> None:
        """Do nothing: what is written can be read."""

    def read(self, fields: Sequence[str] = ()) -> Iterator[StoredDocument]:
        """Yield every copy's line, in physical order, with the values of the fields asked for.

        The field `_position` is in every document: its place in that order.

        Raises:
            StackError: a file cannot be read, or not whole.
        """
        for position, document in enumerate(self.raw(), start=1):
            yield _stored(document, self.field, fields, position)

    def raw(self) -> Iterator[RawDocument]:
        """Yield every copy as a JSON document, in physical order.

        Raises:
            StackError: a file cannot be read, or not whole.
        """
        with ExitStack() as stack:
            for opened in self._open(stack):
                for number, (_, text) in enumerate(self._texts(opened), start=1):
                    yield self._raw(f"{opened.path}:{number}", text)

    def follow(self, *, from_now: bool = False) -> Follower:
        """Return a follower that reads what is appended.

        Raises:
            StackError: it is to begin now, and a file cannot be looked at.
        """
        ends: dict[tuple[int, int], int] = {}
        if from_now:
            with ExitStack() as stack:
                ends = {each.inode: each.bytes for each in self._open(stack)}
        return _Appended(self, ends)

    def appended(self, ends: dict[tuple[int, int], int]) -> Iterator[RawDocument]:
        """Yield the whole documents behind these places of files, by their inodes, and move the places on.

        Args:
            ends: by device and inode, the place in bytes up to which a file was read; of a file that is not
                named all is yielded.

        Raises:
            StackError: a file cannot be read.
        """
        with ExitStack() as stack:
            for opened in self._open(stack):
                end = ends.get(opened.inode, 0)
                if self._packed(opened):
                    if end:
                        continue  # whoever packs files has done so for good
                elif end > opened.bytes:
                    ends[opened.inode] = end = 0  # the file was emptied and begun anew
                for end, text in self._texts(opened, end):  # noqa: B020 - goes on where it began
                    if not text.endswith(b"\n"):
                        break  # it is still being written
                    ends[opened.inode] = end
                    yield self._raw(f"{opened.path}@{end}", text)

    def absent(self) -> str:
        """Name the pattern that no file matches."""
        if glob.glob(self._pattern, recursive=True):  # noqa: PTH207 - patterns may be absolute
            return ""
        return f"no file matches {self._pattern}: check `archive.path` in the stack file"

    def neighbours(self) -> Sequence[tuple[str, Archive]]:
        """Return the files whose names go on where the pattern ends, as those of rotated files do.

        Raises:
            StackError: there are too many, or they cannot be looked at.
        """
        longer = FileArchive(f"{self._pattern}?*", self.field, self._format)
        own = self._names().values()
        paths = [path for path, inode in longer._names().items() if inode not in own]
        return [
            (f"the file {path}", FileArchive(glob.escape(path), self.field, self._format))
            for path in paths[-_LIKE_MAX:]
        ]

    def otherwise(self) -> Sequence[tuple[Mapping[str, str], Archive]]:
        """Return the same files read by each other format."""
        return [
            ({"format": word}, FileArchive(self._pattern, self.field, word))
            for word in FORMATS
            if word != self._format
        ]

    def close(self) -> None:
        """Do nothing: no file stays open between readings."""

    def elsewhere(self, word: str, folder: str) -> Iterator[Sighting]:
        """Yield texts that hold a word: in these files read otherwise, or in others if there are none.

        Raises:
            StackError: these files cannot be read.
        """
        mine = list(self._names())
        for path in mine or _files_below(folder):
            changes = {} if mine else {"path": path}
            lines: list[bytes] = []
            with suppress(OSError), Path(path).open("rb") as file:
                opened = _Opened(path, file, (0, 0))
                lines = list(islice(self._lines(opened), _LOOKED_AT_MAX))
            # Tracebacks as they are printed: read as `lines`, each of theirs would be a record never sent.
            plain = "lines" if all(_IDENTITY_END.search(line) for line in lines) else "multiline"
            for number, text in enumerate(lines, start=1):
                if word.encode() in text:
                    copy = f"{path}:{number}"
                    yield from self._sighted(copy, text.rstrip(b"\r\n"), word, changes, plain)

    def _sighted(
        self, copy: str, text: bytes, word: str, changes: Mapping[str, str], plain: str
    ) -> Iterator[Sighting]:
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            changed = {**changes, **({"format": plain} if self._format == "ndjson" else {})}
            if changed:
                yield Sighting(copy, text.decode(errors="backslashreplace"), changed)
            return
        for field, value in texts_with(document, word):
            changed = {
                **changes,
                **({} if self._format == "ndjson" else {"format": "ndjson"}),
                **({} if field == self.field else {"field": field}),
            }
            if changed:
                yield Sighting(copy, value, changed)

    # --- inside ------------------------------------------------------------------------------------------

    def _raw(self, copy: str, text: bytes) -> RawDocument:
        whole = text.endswith(b"\n")
        text = text.removesuffix(b"\n").removesuffix(b"\r")
        if self._format != "ndjson":
            return RawDocument(copy, orjson.dumps({self.field: text.decode(errors="backslashreplace")}))
        try:
            if isinstance(orjson.loads(text), dict):
                return RawDocument(copy, text)
        except orjson.JSONDecodeError:
            pass
        return RawDocument(copy, text, "it is not a JSON document" if whole else "its last line is torn")

    def _texts(self, opened: _Opened, end: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield where each document ends, and its bytes with their newline, from some place on.

        Blank lines between documents of NDJSON are none.
        """
        text = b""
        for line in self._lines(opened, end):
            end += len(line)
            text += line
            if len(text) > LINE_BYTES_MAX:
                raise self._unreadable(opened.path, f"a document is longer than {LINE_BYTES_MAX >> 20} MiB")
            if self._format == "multiline" and not _IDENTITY_END.search(line):
                continue
            if text.strip() or self._format != "ndjson":
                yield end, text
            text = b""
        if text:
            yield end, text

    def _packed(self, opened: _Opened) -> bool:
        try:
            packed = opened.file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            opened.file.seek(0)
        except OSError as error:
            raise self._unreadable(opened.path, str(error)) from error
        return packed

    def _lines(self, opened: _Opened, from_bytes: int = 0) -> Iterator[bytes]:
        try:
            stream = gzip.GzipFile(fileobj=opened.file) if self._packed(opened) else opened.file
            stream.seek(from_bytes)
            while line := stream.readline(LINE_BYTES_MAX + 1):
                yield line
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(opened.path, f"{type(error).__name__}: {error}") from error

    def _lines_in(self, opened: _Opened) -> int:
        try:
            if self._packed(opened):
                # Whoever packs files has done so for good: such a file is counted once.
                if opened.inode not in self._counted:
                    self._counted[opened.inode] = (0, sum(1 for _ in self._lines(opened)))
                return self._counted[opened.inode][1]
            offset, lines = self._counted.get(opened.inode, (0, 0))
            if offset > opened.bytes:
                offset, lines = 0, 0  # the file was emptied and begun anew
            opened.file.seek(offset)
            while piece := opened.file.read(_COUNT_BYTES):
                offset, lines = offset + len(piece), lines + piece.count(b"\n")
        except OSError as error:
            raise self._unreadable(opened.path, str(error)) from error
        self._counted[opened.inode] = (offset, lines)
        return lines

    def _open(self, stack: ExitStack) -> list[_Opened]:
        """Open all files first, and see that none was renamed or added meanwhile: a rotation moves them."""
        for _ in range(_LOOKS_MAX):
            with ExitStack() as attempt:
                opened = self._open_once(attempt)
                if opened is not None and self._names() == {each.path: each.inode for each in opened}:
                    stack.push(attempt.pop_all())
                    return self._in_order(opened)
        raise self._unreadable(self._pattern, "its files were renamed during every reading")

    def _open_once(self, stack: ExitStack) -> list[_Opened] | None:
        opened = []
        for path in self._names():
            try:
                file = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115 - the stack closes it
            except FileNotFoundError:
                return None
            except OSError as error:
                raise self._unreadable(path, str(error.strerror)) from error
            found = os.fstat(file.fileno())
            opened.append(_Opened(path, file, (found.st_dev, found.st_ino)))
        return opened

    def _in_order(self, opened: list[_Opened]) -> list[_Opened]:
        by_inode = {each.inode: each for each in sorted(opened, key=lambda each: each.path, reverse=True)}
        return sorted(
            by_inode.values(), key=lambda each: (os.fstat(each.file.fileno()).st_mtime_ns, each.path)
        )

    def _names(self) -> dict[str, tuple[int, int]]:
        """Return the inodes of the files that the pattern matches now, by path."""
        names = {}
        for path in sorted(glob.glob(self._pattern, recursive=True)):  # noqa: PTH207 - patterns may be absolute
            try:
                found = Path(path).stat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self._unreadable(path, str(error.strerror)) from error
            if stat.S_ISDIR(found.st_mode):
                continue
            if not stat.S_ISREG(found.st_mode):
                raise self._unreadable(path, "it is no regular file")
            names[path] = (found.st_dev, found.st_ino)
        if len(names) > FILES_MAX:
            raise self._unreadable(self._pattern, f"it matches more than {FILES_MAX} files")
        return names

    def _unreadable(self, path: str, what: str) -> StackError:
        return StackError(f"{path}: the archive cannot be read whole: {what}")


class _Appended:
    """What is appended to the files of an archive; implements Follower."""

    def __init__(self, archive: FileArchive, ends: dict[tuple[int, int], int]) -> None:
        self._archive = archive
        self._ends = ends

    def read(self) -> Iterator[StoredDocument]:
        for document in self._archive.appended(self._ends):
            yield _stored(document, self._archive.field)


def _stored(
    document: RawDocument, field: str, fields: Sequence[str] = (), position: int = 0
) -> StoredDocument:
    if document.unreadable:
        line = document.body.decode(errors="backslashreplace")
        return StoredDocument(document.copy, line, document.unreadable)
    content = {POSITION: position, **orjson.loads(document.body)}
    return StoredDocument(document.copy, line_of(content, field), values=values_of(content, fields))


def _files_below(folder: str) -> Iterator[str]:
    """Yield the regular files below a folder, at most `FILES_MAX`."""
    paths = (
        os.path.join(place, name)  # noqa: PTH118 - os.walk gives texts
        for place, _, names in os.walk(folder)
        for name in sorted(names)
    )
    yield from islice(
        (path for path in paths if Path(path).is_file() and not Path(path).is_symlink()), FILES_MAX
    )
