"""Files of the stack as a target: what a worn disk, a lost volume or somebody else does to them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from random import Random

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.capabilities import Flip
from harness.targets.folders import folders_of, is_away, put_back, take_away
from harness.targets.stack_files import regular_files


@dataclass(frozen=True, slots=True)
class _There:
    """A file as it was seen: the inode tells it from another that takes its name, and finds it renamed."""

    path: Path
    inode: tuple[int, int]
    size_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class _Flipped:
    flip: Flip
    inode: tuple[int, int]


class FilesTarget:
    """What a stack keeps in some files below its own folder; implements Corruptible and Movable.

    Args:
        name: how scenarios call them.
        folder: the stack's folder. What lies elsewhere is never touched, symbolic links are not followed.
        patterns: of `Path.glob`, relative to that folder.
    """

    def __init__(self, name: str, folder: Path, patterns: Sequence[str]) -> None:
        self.name = name
        self.folder = folder
        self.patterns = tuple(patterns)
        self._flipped: list[_Flipped] = []

    def flip_bits(self, count: int, from_share: float, to_share: float, rng: Random) -> None:
        """Flip one bit in each of `count` bytes, drawn from a part of all the files together.

        Raises:
            FaultError: the disk refuses.
        """
        self._flipped = []
        files = sorted(self._files(), key=lambda each: (each.changed_ns, each.path))
        total_bytes = sum(each.size_bytes for each in files)
        part = range(int(from_share * total_bytes), int(to_share * total_bytes))
        for place in sorted(rng.sample(part, min(count, len(part)))):
            file, offset_bytes = _at(files, place)
            mask = 1 << rng.randrange(8)
            try:
                self._flipped += _flip(file, str(file.path.relative_to(self.folder)), offset_bytes, mask)
            except OSError as error:
                raise FaultError(
                    f'target "{self.name}": {file.path.name} cannot be changed: {error.strerror}'
                ) from error

    def flipped(self) -> Sequence[Flip]:
        """Return what the last `flip_bits` changed, as far as it is found changed on the disk now."""
        files = {each.inode: each for each in self._files()}
        return [
            each.flip
            for each in self._flipped
            if each.inode in files and _byte(files[each.inode], each.flip.offset_bytes) == each.flip.after
        ]

    def describe_files(self) -> str:
        """Return what the files are now, for a person."""
        files = list(self._files())
        if not files:
            return f"no file matches {', '.join(self.patterns)}"
        return f"{len(files):,} files with {sum(each.size_bytes for each in files):,} bytes"

    def undo_flip(self) -> Undo:
        """Say that there is nothing to take back: a repaired disk would be another one."""
        return Undo(
            "nothing",
            {"why": f"what was destroyed in {self.name} cannot be restored; it is removed with its run"},
        )

    def take_away(self) -> None:
        """Move the folders that the patterns name aside.

        Raises:
            FaultError: one of them is the stack's own folder, or cannot be moved.
        """
        for folder in folders_of(self.patterns):
            take_away(self.folder, folder)

    def put_back(self) -> None:
        """Put the folders back; raises FaultError where one cannot be."""
        for folder in folders_of(self.patterns):
            put_back(self.folder, folder)

    def gone(self) -> bool:
        """Tell whether none of the folders can be entered, and each lies elsewhere."""
        return all(is_away(self.folder, folder) for folder in folders_of(self.patterns))

    def describe_folders(self) -> str:
        """Return what the folders are now, for a person."""
        return "; ".join(
            f"{folder} is {'gone' if is_away(self.folder, folder) else 'there, or never was'}"
            for folder in folders_of(self.patterns)
        )

    def undo_take_away(self) -> Undo:
        """Name the folders by the stack's own folder and their paths in it.

        Raises:
            FaultError: the patterns name no folder below the stack's own, which must stay.
        """
        folders = folders_of(self.patterns)
        if PurePath() in folders:
            raise FaultError(
                f'target "{self.name}": its files lie directly in the folder of the run, which must stay; '
                "let the stack keep them in a folder below it, e.g. {run.folder}/spool"
            )
        return Undo("put_back_folders", {"root": str(self.folder), "folders": "\n".join(map(str, folders))})

    def _files(self) -> Iterator[_There]:
        for path, status in regular_files(self.folder, self.patterns):
            yield _There(path, (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)


def _at(files: Sequence[_There], place: int) -> tuple[_There, int]:
    """Return the file and the offset in it of a byte counted over all files."""
    for each in files:
        if place < each.size_bytes:
            return each, place
        place -= each.size_bytes
    raise FaultError(f"byte {place:,} is beyond the end of the last file")


def _flip(file: _There, name: str, offset_bytes: int, mask: int) -> list[_Flipped]:
    """Change one byte on the disk; nothing where the file is gone or ends before it."""
    with _opened(file, os.O_RDWR) as descriptor:
        if descriptor is None or not (byte := os.pread(descriptor, 1, offset_bytes)):
            return []
        changed = byte[0] ^ mask
        os.pwrite(descriptor, bytes([changed]), offset_bytes)
        os.fsync(descriptor)
        # Rot changes no times, by which a program might find it.
        os.utime(descriptor, ns=(file.changed_ns, file.changed_ns))
        return [_Flipped(Flip(name, offset_bytes, byte[0], changed), file.inode)]


def _byte(file: _There, offset_bytes: int) -> int | None:
    with _opened(file, os.O_RDONLY) as descriptor:
        byte = b"" if descriptor is None else os.pread(descriptor, 1, offset_bytes)
    return byte[0] if byte else None


@contextmanager
def _opened(file: _There, flags: int) -> Iterator[int | None]:
    """Open a file if it is still the one that was seen; None where it is not."""
    try:
        descriptor = os.open(file.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        status = os.fstat(descriptor)
        yield descriptor if (status.st_dev, status.st_ino) == file.inode else None
    finally:
        os.close(descriptor)
