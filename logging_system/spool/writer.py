"""Appends blocks of records to segments and says when they are as durable as was promised."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from logging_system.spool.checkpoint import reserve_checkpoint
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.disk import REAL_DISK, Disk, sync_folder, write_fully
from logging_system.spool.forks import FORKS, forget_in_children
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    VOID,
    FileHeader,
    encode_block,
    encode_file_header,
    encode_mark,
)
from logging_system.spool.retention import Evicted, Retention, evict
from logging_system.spool.segment import (
    CREATING,
    FILE_MODE,
    OPEN,
    SEALED,
    new_epoch,
    prepare_folder,
    segment_path,
    spooled_bytes,
)

SEGMENT_BYTES_MAX = 16 * 1024 * 1024
_RECOUNT_SECONDS = 0.25
_SEGMENT_BYTES_MIN = FILE_HEADER_BYTES + 2 * BLOCK_HEADER_BYTES  # the end marks of this segment and the next


class SpoolFullError(Exception):
    """The spool holds as many bytes as it may; what is in it stays, what is new is refused."""


class SpoolWriter:
    """One epoch's side of a spool folder; used by one thread.

    A forked child drops what it inherited and, should it append, does so as a writer of its own.

    Args:
        folder: The spool folder, shared with other writers and one reader; created if missing.
        spool_bytes_max: Bytes that the segments of all writers may take together.
        sync: Whether `append` returns only after `fdatasync(2)`.
        codecs: How payloads are stored.
        retention: When old segments give way; without it a full spool refuses.
        clock: Monotonic seconds.
        wall_clock: Seconds since 1970, for the age of segments.
        disk: The system calls.
        name_epoch: Returns the 16 bytes of a new epoch.
    """

    def __init__(
        self,
        folder: Path,
        *,
        spool_bytes_max: int,
        sync: bool,
        codecs: Codecs = PLAIN_CODECS,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        disk: Disk = REAL_DISK,
        name_epoch: Callable[[], bytes] = new_epoch,
    ) -> None:
        self.evicted = Evicted()
        """What gave way to this writer's records."""
        self._folder = folder
        self._spool_bytes_max = spool_bytes_max
        # The active segment can't be consumed: eight of them keep a full spool drainable.
        self._segment_bytes_max = max(1, min(SEGMENT_BYTES_MAX, spool_bytes_max // 8))
        self._sync = sync
        self._codecs = codecs
        self._retention = retention
        self._clock = clock
        self._wall_clock = wall_clock
        self._disk = disk
        self._name_epoch = name_epoch
        self._total_bytes = 0
        self._recount_at = float("-inf")
        self._descriptor: int | None = None
        self._begin_epoch()
        forget_in_children(self)

    def _begin_epoch(self) -> None:
        self.epoch = self._name_epoch()
        self.next_sequence = 1
        self._index = 0
        self._written_bytes = 0
        self._unproven: Sequence[bytes] = ()
        self._marks = b""
        self._settled_sequence = 1

    @property
    def used_bytes(self) -> int:
        """Return what the segments of all writers took when they were counted the last time, in bytes."""
        return self._total_bytes

    @property
    def spool_bytes_max(self) -> int:
        """Return what they may take, in bytes."""
        return self._spool_bytes_max

    @property
    def evicts_for_room(self) -> bool:
        """Whether old segments give way before the spool is full."""
        return self._retention is not None and self._retention.bytes_max is not None

    def append(self, documents: Sequence[bytes], *, sync: bool | None = None) -> None:
        """Add `documents` as one block, under the next sequences; durable as promised on return.

        After an `OSError` nothing has been promised and the same documents may be handed in again: they keep
        their sequences. Whoever does not hand them in again calls `give_up` first.

        Args:
            documents: At least one encoded record.
            sync: Whether this block is on the disk on return; as the writer was told by default.

        Raises:
            SpoolFullError: The block does not fit below `spool_bytes_max`.
            OSError: The disk refused (ENOSPC, EIO, …).
            FrameError: The block is larger than a block may be.
            KeyUnavailableError: There is no key to store it with; the same documents may be handed in again.
        """
        FORKS.notice()
        if self._unproven and self._unproven != documents:
            self.give_up()
        block = encode_block(self.epoch, self.next_sequence, documents, self._codecs)
        self._reserve(len(self._marks) + len(block) + _SEGMENT_BYTES_MIN)
        descriptor = self._active_segment(len(self._marks) + len(block))
        data = self._marks + block
        try:
            write_fully(descriptor, data, self._disk)
        except OSError:
            self._unproven = documents
            self._take_back(descriptor)
            raise
        if self._sync if sync is None else sync:
            try:
                self._disk.datasync(descriptor)
            except OSError:
                # After a failed sync the kernel may call lost pages clean: this file proves nothing any more.
                self._unproven = documents
                self._abandon()
                raise
        self._written_bytes += len(data)
        self._total_bytes += len(data)
        self.next_sequence += len(documents)
        self._settled_sequence = self.next_sequence
        self._unproven, self._marks = (), b""

    def give_up(self) -> None:
        """Take note that the documents of an append that failed are not handed in again.

        A reader may have seen them all the same, so their sequences are not used for others.
        """
        FORKS.notice()
        if self._unproven:
            count = len(self._unproven)
            self._marks += encode_mark(self.epoch, VOID, self.next_sequence, count)
            self.next_sequence += count
            self._unproven = ()
            if self._descriptor is not None:
                self._abandon()  # a reader that stands behind the block cut off would miss what came there

    def idle(self) -> None:
        """Do what is to be done while there is nothing to append; see `Codecs.idle`."""
        self._codecs.idle()

    def seal(self) -> None:
        """Close the active segment so that its reader knows it is complete; a later append opens another.

        Raises:
            OSError: The segment could not be synced or renamed; readers then treat it as a dead writer's.
        """
        FORKS.notice()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        index, self._index = self._index, self._index + 1
        try:
            self._close_with_mark(descriptor)
            self._disk.rename(
                segment_path(self._folder, self.epoch, index, OPEN),
                segment_path(self._folder, self.epoch, index, SEALED),
            )
            sync_folder(self._folder, self._disk)
        finally:
            self._disk.close(descriptor)

    def forget(self) -> None:
        """Close the descriptor without touching the file: a forked child leaves the parent's segment alone.

        Closing does not release the parent's flock, which belongs to the open file both share.
        """
        descriptor, self._descriptor = self._descriptor, None
        self._begin_epoch()
        if descriptor is not None:
            self._disk.close(descriptor)

    def _reserve(self, block_bytes: int) -> None:
        now = self._clock()
        full = self._total_bytes + block_bytes > self._spool_bytes_max
        if now >= self._recount_at or full:
            self._recount(now, block_bytes)
            full = self._total_bytes + block_bytes > self._spool_bytes_max
        if full:
            if self._written_bytes:
                self.seal()  # only a sealed segment can be consumed, and so make room
                self._written_bytes = 0
            raise SpoolFullError(
                f"{self._folder}: the spool is full, {self._total_bytes} of {self._spool_bytes_max} bytes; "
                "start a shipper or raise spool_bytes_max"
            )

    def _recount(self, now: float, block_bytes: int) -> None:
        self._recount_at = now + _RECOUNT_SECONDS
        try:
            if self._retention is not None:
                self.evicted += evict(
                    self._folder,
                    self._retention,
                    now_seconds=self._wall_clock(),
                    wanted_bytes=block_bytes,
                    disk=self._disk,
                )
            self._total_bytes = spooled_bytes(self._folder, self._disk)
        except FileNotFoundError:
            self._total_bytes = 0

    def _active_segment(self, block_bytes: int) -> int:
        if self._descriptor is not None:
            if self._disk.status(self._descriptor).links == 0:
                self._abandon()  # somebody removed the file: what is appended to it now would be gone
            elif self._written_bytes and self._written_bytes + block_bytes > self._segment_bytes_max:
                self.seal()
        if self._descriptor is None:
            self._descriptor = self._create_segment()
            self._written_bytes = 0
            self._total_bytes += FILE_HEADER_BYTES
        return self._descriptor

    def _create_segment(self) -> int:
        prepare_folder(self._folder, self._disk)
        if self._index == 0:
            reserve_checkpoint(self._folder, self._disk)
        creating = segment_path(self._folder, self.epoch, self._index, CREATING)
        opened = segment_path(self._folder, self.epoch, self._index, OPEN)
        descriptor = self._disk.open(creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, FILE_MODE)
        try:
            # Locked before it gets a name readers look at: an .open file without a lock lost its writer.
            if not self._disk.try_lock(descriptor):
                raise BlockingIOError(errno.EWOULDBLOCK, f"{creating} is locked; a reader is removing it")
            header = FileHeader(self.epoch, self._index, self._settled_sequence)
            write_fully(descriptor, encode_file_header(header), self._disk)
            self._disk.sync(descriptor)
            self._disk.rename(creating, opened)
            sync_folder(self._folder, self._disk)
        except OSError:
            # Under this index a reader may have seen a file without a writer, and gone on to the next.
            self._index += 1
            for path in (creating, opened):
                with contextlib.suppress(OSError):
                    self._disk.unlink(path)
            self._disk.close(descriptor)
            raise
        return descriptor

    def _close_with_mark(self, descriptor: int) -> None:
        mark = self._marks + encode_mark(self.epoch, VOID, self.next_sequence, 0)
        try:
            write_fully(descriptor, mark, self._disk)
            self._total_bytes += len(mark)
            self._settled_sequence, self._marks = self.next_sequence, b""
        except OSError:
            # The mark helps to count damage exactly; a full disk must not keep a segment from being closed.
            self._disk.truncate(descriptor, FILE_HEADER_BYTES + self._written_bytes)
        if self._sync:
            self._disk.datasync(descriptor)

    def _take_back(self, descriptor: int) -> None:
        try:
            self._disk.truncate(descriptor, FILE_HEADER_BYTES + self._written_bytes)
        except OSError:
            self._abandon()

    def _abandon(self) -> None:
        """Stop writing to a file whose last block is in doubt; cut the block off where possible.

        A reader may have seen the block. It comes again under the same sequences, or they are given up.
        """
        descriptor, self._descriptor = self._descriptor, None
        index, self._index = self._index, self._index + 1
        if descriptor is None:
            return
        with contextlib.suppress(OSError):
            if self._written_bytes:
                self._disk.truncate(descriptor, FILE_HEADER_BYTES + self._written_bytes)
            else:
                self._disk.unlink(segment_path(self._folder, self.epoch, index, OPEN))
        with contextlib.suppress(OSError):
            self._disk.close(descriptor)
