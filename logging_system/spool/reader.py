"""Merges what all writers of a spool folder wrote, and removes what has been delivered.

The order that keeps a crash harmless: deliver, make the checkpoint durable, unlink, make
the unlink durable, forget.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from logging_system.spool.checkpoint import Checkpoint, CheckpointFile
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.cursor import Damage, EpochCursor, SpooledBlock
from logging_system.spool.disk import REAL_DISK, Disk, sync_folder
from logging_system.spool.forks import FORKS, forget_in_children
from logging_system.spool.segment import (
    CORRUPT,
    CREATING,
    EVICTED,
    FILE_MODE,
    Segment,
    find_segment,
    list_segments,
    parse_segment,
    prepare_folder,
    segment_path,
)

LOCK_NAME = "shipper.lock"
CORRUPT_FILES_MAX = 16
"""Damaged segments kept for a person; the oldest give way."""
UNCLOSED_EPOCHS_MAX = 256
"""Positions kept of writers that left no file and did not close their last one."""


class SpoolBusyError(Exception):
    """Another process reads this spool already."""


class SpoolReader:
    """The one reader of a spool folder; used by one thread.

    Args:
        folder: The spool folder; created if missing.
        codecs: The stored forms that can be read.
        disk: Where the folder lies.

    Raises:
        SpoolBusyError: Another process holds the folder's lock.
        SpoolVersionError: A newer version wrote the checkpoint.
        OSError: The folder cannot be created, or its files not opened.
    """

    def __init__(self, folder: Path, codecs: Codecs = PLAIN_CODECS, *, disk: Disk = REAL_DISK) -> None:
        self._folder = folder
        self._codecs = codecs
        self._disk = disk
        self._lock_descriptor, self._checkpoint_file = _take_folder(folder, disk)
        self._saved, self.checkpoint_lost = self._checkpoint_file.load()
        self._cursors: dict[bytes, EpochCursor] = {}
        self._turn = 0
        saved = self._saved.counters
        self._earlier_damage = Damage(**{name: saved.get(name, 0) for name in asdict(Damage())})
        self._removal_is_durable = False
        self._is_closed = False
        self.unreadable = 0
        """Attempts to read a segment that the system refused."""
        self._remove_unfinished()
        forget_in_children(self)

    @property
    def damage(self) -> Damage:
        """All damage seen since the spool began."""
        return sum((cursor.damage for cursor in self._cursors.values()), self._earlier_damage)

    @property
    def newer_epochs(self) -> int:
        """Writers whose segments only a newer version can read; they are left as they are."""
        return sum(cursor.is_newer for cursor in self._cursors.values())

    @property
    def unavailable(self) -> dict[str, int]:
        """How many writers have a next block that cannot be read now, by the key or codec it needs.

        Their blocks stay where they are, and are tried again at each `read`.
        """
        missing = [cursor.missing for cursor in self._cursors.values() if cursor.missing]
        return {each: missing.count(each) for each in sorted(set(missing))}

    @property
    def restored_counters(self) -> dict[str, int]:
        """The counters saved with the last checkpoint."""
        return dict(self._saved.counters)

    def read(self, bytes_max: int) -> list[SpooledBlock]:
        """Return blocks not handed out before, about `bytes_max` document bytes of them.

        Writers take turns at going first, so that one's backlog does not hold up the others.

        Raises:
            OSError: The folder cannot be listed.
            SpoolBusyError: This process is a fork of the one that reads the spool.
        """
        self._check_owner()
        try:
            listed = list_segments(self._folder, self._disk)
        except FileNotFoundError:
            return []  # the folder was removed; a writer, or the next save, makes it again
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

    def oldest_unread_seconds(self, is_to_be_passed_over: Callable[[bytes], bool]) -> float | None:
        """Return when the oldest file with something unread was written the last time, as file times have it.

        Args:
            is_to_be_passed_over: Tells of a writer whether it does not count.

        Raises:
            OSError: The folder cannot be read.
        """
        times: list[float] = []
        for epoch, segments in list_segments(self._folder, self._disk).items():
            if is_to_be_passed_over(epoch):
                continue
            index, offset_bytes = self._cursor(epoch).unread_from
            for segment in segments.values():
                status = self._disk.path_status(segment.path) if segment.index >= index else None
                if status is not None and (segment.index > index or status.size_bytes > offset_bytes):
                    times.append(status.modified_seconds)
        return min(times, default=None)

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
            SpoolBusyError: This process is a fork of the one that reads the spool, or the folder was removed
                and another process reads the one that took its place.
        """
        self._check_owner()
        if self._checkpoint_file.is_removed:
            self._return_after_removal()
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
        if not self._is_closed:
            self._checkpoint_file.close()
            self._disk.close(self._lock_descriptor)
            self._is_closed = True

    def forget(self) -> None:
        """In a forked child: close what was inherited, so that the parent alone holds the folder."""
        self.close()

    def _check_owner(self) -> None:
        FORKS.notice()
        if self._is_closed:
            raise SpoolBusyError(
                f"{self._folder}: this reader is closed or belongs to the parent process; open a new one"
            )

    def _return_after_removal(self) -> None:
        lock_descriptor, checkpoint_file = _take_folder(self._folder, self._disk)
        self._checkpoint_file.close()
        self._disk.close(self._lock_descriptor)
        self._lock_descriptor, self._checkpoint_file = lock_descriptor, checkpoint_file
        self._saved = Checkpoint(self._saved.positions, {})

    def _cursor(self, epoch: bytes) -> EpochCursor:
        cursor = self._cursors.get(epoch)
        if cursor is None:
            position = self._saved.positions.get(epoch)
            cursor = EpochCursor(self._folder, epoch, position, self._codecs, self._disk)
            self._cursors[epoch] = cursor
        return cursor

    def _remove_consumed(self) -> None:
        listed = list_segments(self._folder, self._disk)
        for epoch, position in self._saved.positions.items():
            segments = listed.get(epoch, {})
            for index in [index for index in segments if index < position.index]:
                self._removal_is_durable = False
                if self._remove(epoch, segments[index], damaged=index in position.damaged):
                    del segments[index]
        if not self._removal_is_durable:
            sync_folder(self._folder, self._disk)
            self._removal_is_durable = True
        self._forget_epochs([epoch for epoch in self._saved.positions if not listed.get(epoch)])

    def _forget_epochs(self, without_files: list[bytes]) -> None:
        """Drop the positions of epochs whose files are all gone for good: no restart can meet them again.

        A writer whose sync failed writes the same records again, perhaps after they were delivered from the
        file it gave up. So where the last segment was not closed the position stays, for the youngest epochs.
        """
        unclosed: list[bytes] = []
        for epoch in without_files:
            cursor, position = self._cursors.get(epoch), self._saved.positions[epoch]
            if find_segment(self._folder, epoch, position.index, self._disk) is not None:
                continue  # the listing missed a file whose name was changing
            if cursor is not None and cursor.is_closed:
                self._forget_epoch(epoch)
            else:
                unclosed.append(epoch)
        for epoch in sorted(unclosed)[:-UNCLOSED_EPOCHS_MAX]:
            self._forget_epoch(epoch)

    def _forget_epoch(self, epoch: bytes) -> None:
        del self._saved.positions[epoch]
        gone = self._cursors.pop(epoch, None)
        if gone is not None:
            self._earlier_damage += gone.damage

    def _remove_unfinished(self) -> None:
        """Remove segments whose writer died while creating them: they hold no record."""
        for name in self._disk.list_names(self._folder):
            segment = parse_segment(self._folder / name)
            if segment is not None and segment.state == CREATING:
                try:
                    self._remove_if_free(segment.path)
                except OSError:
                    self.unreadable += 1  # it is in nobody's way; the next reader tries again

    def _remove_if_free(self, path: Path) -> None:
        try:
            descriptor = self._disk.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return  # its writer has finished it
        try:
            if self._disk.try_lock(descriptor):  # else a writer is at it
                self._disk.unlink(path)
        finally:
            self._disk.close(descriptor)

    def _remove(self, epoch: bytes, segment: Segment, *, damaged: bool) -> bool:
        """Take a consumed segment out of the way; False where somebody is just evicting it."""
        try:
            descriptor = self._disk.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            if not self._disk.try_lock(descriptor):
                return False
            # An eviction that was cut short leaves its mark beside the segment: alone, it would count anew.
            self._disk.unlink(segment_path(self._folder, epoch, segment.index, EVICTED))
            if damaged and segment.state != EVICTED:
                self._keep_aside(epoch, segment)
            else:
                self._disk.unlink(segment.path)
        finally:
            self._disk.close(descriptor)
        cursor = self._cursors.get(epoch)
        if cursor is not None:
            cursor.forget_segment(segment.index)
        return True

    def _keep_aside(self, epoch: bytes, segment: Segment) -> None:
        self._disk.rename(segment.path, segment_path(self._folder, epoch, segment.index, CORRUPT))
        kept = sorted(name for name in self._disk.list_names(self._folder) if name.endswith(f".{CORRUPT}"))
        for name in kept[:-CORRUPT_FILES_MAX]:
            self._disk.unlink(self._folder / name)


def _take_folder(folder: Path, disk: Disk) -> tuple[int, CheckpointFile]:
    prepare_folder(folder, disk)
    lock_descriptor = _lock(folder, disk)
    try:
        return lock_descriptor, CheckpointFile(folder, disk)
    except OSError:
        disk.close(lock_descriptor)
        raise


def _lock(folder: Path, disk: Disk) -> int:
    descriptor = disk.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        if not disk.try_lock(descriptor):
            raise _busy(folder, disk.pread(descriptor, 32, 0))
        with contextlib.suppress(OSError):  # who it is helps a person; on a full disk it can't be said
            disk.truncate(descriptor, 0)
            disk.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except (OSError, SpoolBusyError):
        disk.close(descriptor)
        raise
    return descriptor


def _busy(folder: Path, content: bytes) -> SpoolBusyError:
    holder = content.decode("ascii", "replace").strip() or "unknown"
    return SpoolBusyError(
        f"{folder} is already shipped by process {holder}; stop that process or use another spool folder"
    )
