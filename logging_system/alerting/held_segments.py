"""The spool folder as a second reader sees it: what it has not read stays readable when it is removed.

Whoever ships the folder removes what was delivered, and retention what is old, without waiting for anybody.
So each segment is opened as soon as its name is seen: a file whose name is gone can be read until it is
closed. What that keeps on the disk is bounded; beyond it the oldest are let go.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from logging_system.spool.disk import Disk, FileStatus
from logging_system.spool.segment import EVICTED, OPEN, SEALED, parse_segment

HELD_FILES_MAX = 256
HELD_BYTES_MAX = 128 * 1024 * 1024
"""What files without a name may take on the disk."""

_Key = tuple[bytes, int]


@dataclass(slots=True)
class _Held:
    descriptor: int
    name: str
    is_gone: bool = False


class HeldSegments(Disk):
    """A disk on which segments of one folder stay until they were read; everything else is as on any disk.

    Args:
        folder: The spool folder.
        files_max: How many segments are held at once.
        bytes_max: What those may take whose names are gone.
    """

    def __init__(
        self, folder: Path, *, files_max: int = HELD_FILES_MAX, bytes_max: int = HELD_BYTES_MAX
    ) -> None:
        self._folder = folder
        self._files_max = files_max
        self._bytes_max = bytes_max
        self._held: dict[_Key, _Held] = {}
        self._by_name: dict[str, _Held] = {}
        self._read_before: dict[bytes, int] = {}

    def list_names(self, folder: Path) -> list[str]:
        """Return the names in the folder with those of held files that are gone; hold what is new."""
        names = super().list_names(folder)
        if folder != self._folder:
            return names
        for held in self._held.values():
            held.is_gone = True
        marks: set[str] = set()
        for name in names:
            segment = parse_segment(folder / name)
            if segment is None or segment.index < self._read_before.get(segment.epoch, 0):
                continue
            key = (segment.epoch, segment.index)
            if segment.state in (OPEN, SEALED):
                self._hold(key, name)
            elif segment.state == EVICTED:
                marks.add(name)
        self._let_go_of_surplus()
        gone = [held.name for held in self._held.values() if held.is_gone]
        hidden = {name for name in marks if self._holds(name)}
        return [name for name in names if name not in hidden] + gone

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open a file; a held one through its descriptor, as a file of its own with locks of its own.

        Args:
            path: The file; a held one has the name by which it was listed, also where that name is gone.
            flags: As open(2) takes them.
            mode: Permissions of a file that is made.

        Returns:
            The descriptor; whoever asked closes it.
        """
        held = self._by_name.get(path.name) if path.parent == self._folder else None
        if held is None:
            return super().open(path, flags, mode)
        return super().open(Path(f"/proc/self/fd/{held.descriptor}"), flags, mode)

    def path_status(self, path: Path) -> FileStatus | None:
        """Return what the file of a name is like; a held one is there."""
        held = self._by_name.get(path.name) if path.parent == self._folder else None
        return super().path_status(path) if held is None else self.status(held.descriptor)

    def let_go(self, epoch: bytes, before_index: int) -> None:
        """Close the segments of an epoch that were read to their end; they are not held again.

        Args:
            epoch: The writer's.
            before_index: The first segment that is still to be read, by its index.
        """
        self._read_before[epoch] = before_index
        for key in [key for key in self._held if key[0] == epoch and key[1] < before_index]:
            self._close(key)

    def forget(self, epoch: bytes) -> None:
        """Close what is held of an epoch, and take it for a new one should it come again."""
        self._read_before.pop(epoch, None)
        for key in [key for key in self._held if key[0] == epoch]:
            self._close(key)

    def close_all(self) -> None:
        """Let go of everything."""
        for key in list(self._held):
            self._close(key)

    def _hold(self, key: _Key, name: str) -> None:
        held = self._held.get(key)
        if held is not None:
            held.is_gone = False
            if held.name != name:
                self._by_name.pop(held.name, None)
                held.name = name
                self._by_name[name] = held
        elif len(self._held) < self._files_max:
            with contextlib.suppress(FileNotFoundError):  # renamed or removed since it was listed
                held = self._held[key] = _Held(super().open(self._folder / name, os.O_RDONLY), name)
                self._by_name[name] = held

    def _holds(self, mark: str) -> bool:
        segment = parse_segment(self._folder / mark)
        return segment is not None and (segment.epoch, segment.index) in self._held

    def _let_go_of_surplus(self) -> None:
        gone = sorted(key for key, held in self._held.items() if held.is_gone)
        sizes = {key: self.status(self._held[key].descriptor).size_bytes for key in gone}
        total_bytes = sum(sizes.values())
        for key in gone:
            if total_bytes <= self._bytes_max:
                return
            total_bytes -= sizes[key]
            self._close(key)

    def _close(self, key: _Key) -> None:
        held = self._held.pop(key)
        self._by_name.pop(held.name, None)
        self.close(held.descriptor)
