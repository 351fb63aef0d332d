"""The search of files that others write: what is new in each while a run is on, and all at the end."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.evidence.secrets.needles import Needles
from harness.evidence.secrets.search import PIECE_BYTES, Hit, Stream

FILES_MAX = 10_000
BYTES_MAX = 2 << 30
"""How much is read at the end; what lies beyond it is told as unread."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is searched, and what reports call it; `wanted` picks files by their path in it."""

    name: str
    folder: Path
    wanted: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class FileHit:
    """Half of a secret in a file: `file` is its path as reports call it, `path` where it lies."""

    file: str
    path: Path
    hit: Hit


@dataclass(slots=True)
class _Known:
    """How far a file was read, and when it was last changed."""

    stream: Stream
    changed_ns: int = -1


@dataclass(slots=True)
class Sweep:
    """Files below some folders, searched again and again.

    Args:
        needles: what is looked for.
        places: where.

    Attributes:
        files: how many files there were at the last look.
        read_bytes: how many bytes were searched at the end.
        unread: what could not be searched, and why.
    """

    needles: Needles
    places: Sequence[Place]
    files: int = 0
    read_bytes: int = 0
    unread: list[str] = field(default_factory=list)
    _known: dict[tuple[int, int], _Known] = field(default_factory=dict)

    def look(self, bytes_max: int) -> Iterator[FileHit]:
        """Yield what is found in what files have become since the last look; reads so many bytes at most.

        Args:
            bytes_max: bound of this look, over all files; where it ends, the next look goes on.
        """
        left = bytes_max
        for name, path, seen in self._listed():
            if left <= 0:
                return
            before = self._known.get((seen.st_dev, seen.st_ino))
            if before is not None and before.changed_ns == seen.st_mtime_ns:
                continue
            if before is None or seen.st_size <= before.stream.at_byte:
                # It is new, or was written to in its middle: all of it may be other bytes than before.
                before = self._known[seen.st_dev, seen.st_ino] = _Known(Stream(self.needles))
            for data in _read(path, seen, before.stream.at_byte, left):
                left -= len(data)
                for hit in before.stream.feed(data):
                    yield FileHit(name, path, hit)
            if before.stream.at_byte >= seen.st_size:
                before.changed_ns = seen.st_mtime_ns

    def look_at_all(self) -> Iterator[FileHit]:
        """Yield what is found in all files as they are now; once, when nobody writes any more."""
        self._known.clear()
        left = BYTES_MAX
        for name, path, seen in self._listed():
            stream = Stream(self.needles)
            try:
                for data in _read(path, seen, 0, left):
                    left -= len(data)
                    for hit in stream.feed(data):
                        yield FileHit(name, path, hit)
            except OSError as error:
                self.unread.append(f"{name}: {error.strerror}")
                continue
            self.read_bytes += stream.at_byte
            if left <= 0 and stream.at_byte < seen.st_size:
                self.unread.append(f"{name} and what follows: {BYTES_MAX >> 30} GiB were searched")
                return

    def told(self, copy: str) -> str:
        """Return what reports call a copy: one in a file that is searched goes by that file's name."""
        for place in self.places:
            copy = copy.replace(f"{place.folder}/", f"{place.name}/")
        return copy

    def _listed(self) -> Iterator[tuple[str, Path, os.stat_result]]:
        """Yield each regular file with what reports call it; no link is followed."""
        self.files = 0
        for place in self.places:
            for root, folders, files in os.walk(place.folder):
                folders.sort()
                for name in sorted(files):
                    path = Path(root, name)
                    relative = str(path.relative_to(place.folder))
                    if not place.wanted(relative):
                        continue
                    try:
                        seen = path.lstat()
                    except FileNotFoundError:
                        continue  # removed since
                    if not stat.S_ISREG(seen.st_mode):
                        continue
                    self.files += 1
                    if self.files > FILES_MAX:
                        self.unread.append(f"{place.name}: more than {FILES_MAX:,} files")
                        return
                    yield f"{place.name}/{relative}", path, seen


def _read(path: Path, seen: os.stat_result, from_byte: int, bytes_max: int) -> Iterator[bytes]:
    """Yield a file's bytes from there on, as long as it is the file that was seen."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not os.path.samestat(os.fstat(descriptor), seen):
            return
        file.seek(from_byte)
        left = bytes_max
        while left > 0 and (data := file.read(min(PIECE_BYTES, left))):
            left -= len(data)
            yield data
