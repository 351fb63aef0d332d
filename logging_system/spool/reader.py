"""Merges what all writers of a spool folder wrote, and removes what has been delivered.

The order that keeps a crash harmless: deliver, make the checkpoint durable, unlink, make
the unlink durable, forget.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from logging_system.spool.checkpoint import Checkpoint, CheckpointFile
from logging_system.spool.codec import CODECS, Codec
from logging_system.spool.cursor import Damage, EpochCursor, SpooledBlock
from logging_system.spool.segment import (
    CORRUPT,
    CREATING,
    FILE_MODE,
    Segment,
    list_segments,
    prepare_folder,
    segment_path,
    sync_folder,
)

LOCK_NAME = "shipper.lock"
CORRUPT_FILES_MAX = 16
"""Damaged segments kept for a person; the oldest give way."""


class SpoolBusyError(Exception):
    """Another process reads this spool already."""


class SpoolReader:
    """The one reader of a spool folder; used by one thread.

    Args:
        folder: The spool folder; created if missing.
        codecs: The stored forms that can be read.

    Raises:
        SpoolBusyError: Another process holds the folder's lock.
        OSError: The folder cannot be created, or its files not opened.
    """

    def __init__(self, folder: Path, codecs: Mapping[int, Codec] = CODECS) -> None:
        prepare_folder(folder)
        self._folder = folder
        self._codecs = codecs
        self._lock_descriptor = _lock(folder)
        self._checkpoint_file = CheckpointFile(folder)
        self._saved, self.checkpoint_lost = self._checkpoint_file.load()
        self._cursors: dict[bytes, EpochCursor] = {}
        self._turn = 0
        saved = self._saved.counters
        self._earlier_damage = Damage(**{name: saved.get(name, 0) for name in asdict(Damage())})
        self.unreadable = 0
        """Attempts to read a segment that the system refused."""
        self._remove_unfinished()

    @property
    def damage(self) -> Damage:
        """All damage seen since the spool began."""
        return sum((cursor.damage for cursor in self._cursors.values()), self._earlier_damage)

    @property
    def restored_counters(self) -> dict[str, int]:
        """The counters saved with the last checkpoint."""
        return dict(self._saved.counters)

    def read(self, bytes_max: int) -> list[SpooledBlock]:
        """Return blocks not handed out before, about `bytes_max` document bytes of them.

        Writers take turns at going first, so that one's backlog does not hold up the others.

        Raises:
            OSError: The folder cannot be listed.
        """
        listed = list_segments(self._folder)
        blocks: list[SpooledBlock] = []
        epochs = sorted(listed)
        self._turn += 1
        for place in range(len(epochs)):
            if bytes_max <= 0:
                break
            epoch = epochs[(place + self._turn) % len(epochs)]
            try:
                for block in self._cursor(epoch).read(listed[epoch], bytes_max):
                    blocks.append(block)
                    bytes_max -= sum(map(len, block.documents))
            except OSError:
                self.unreadable += 1  # one bad file must not hold up the other writers; tried again next time
        return blocks

    def acknowledge(self, epoch: bytes, next_sequence: int) -> None:
        """Take note that every record of `epoch` before `next_sequence` is done."""
        cursor = self._cursors.get(epoch)
        if cursor is not None:  # else somebody removed its files by hand
            cursor.acknowledge(next_sequence)

    def save(self, counters: Mapping[str, int]) -> None:
        """Make the progress durable together with `counters`, then remove consumed segments.

        Args:
            counters: What the progress amounts to, by outcome; restored with it after a restart.

        Raises:
            OSError: The disk refused; the progress before is still remembered.
            CheckpointError: There are too many writers for one folder.
        """
        positions = dict(self._saved.positions)
        positions.update({epoch: cursor.position for epoch, cursor in self._cursors.items()})
        passed = sum((cursor.passed_damage for cursor in self._cursors.values()), self._earlier_damage)
        checkpoint = Checkpoint(positions, {**counters, **asdict(passed)})
        if checkpoint != self._saved:
            self._checkpoint_file.save(checkpoint)
            self._saved = checkpoint
        self._remove_consumed()

    def close(self) -> None:
        """Give the folder back; nothing is saved."""
        self._checkpoint_file.close()
        os.close(self._lock_descriptor)

    def _cursor(self, epoch: bytes) -> EpochCursor:
        cursor = self._cursors.get(epoch)
        if cursor is None:
            position = self._saved.positions.get(epoch)
            cursor = self._cursors[epoch] = EpochCursor(epoch, position, self._codecs)
        return cursor

    def _remove_consumed(self) -> None:
        listed = list_segments(self._folder)
        removed = False
        for epoch, segments in listed.items():
            position = self._saved.positions.get(epoch)
            for index, segment in list(segments.items()):
                if position is not None and index < position.index:
                    self._remove(epoch, segment)
                    del segments[index]
                    removed = True
        if removed:
            sync_folder(self._folder)
        for epoch in [epoch for epoch in self._saved.positions if not listed.get(epoch)]:
            # Every file of it is gone for good, so a restart can't meet it again.
            self._saved.positions.pop(epoch)
            gone = self._cursors.pop(epoch, None)
            if gone is not None:
                self._earlier_damage += gone.damage

    def _remove_unfinished(self) -> None:
        """Remove segments whose writer died while creating them: they hold no record."""
        for path in self._folder.glob(f"*.{CREATING}"):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except BlockingIOError:
                continue  # a writer is at it
            finally:
                os.close(descriptor)

    def _remove(self, epoch: bytes, segment: Segment) -> None:
        cursor = self._cursors.get(epoch)
        damaged = cursor.finished.pop(segment.index, False) if cursor is not None else False
        if not damaged:
            segment.path.unlink(missing_ok=True)
            return
        segment.path.rename(segment_path(self._folder, epoch, segment.index, CORRUPT))
        kept = sorted(self._folder.glob(f"*.{CORRUPT}"))
        for path in kept[:-CORRUPT_FILES_MAX]:
            path.unlink(missing_ok=True)


def _lock(folder: Path) -> int:
    path = folder / LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise SpoolBusyError(
            f"{folder} is being shipped by process {holder}; stop that one or use another spool folder"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
