"""Appends blocks of records to segments and says when they are as durable as was promised."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from logging_system.spool.codec import PLAIN, Codec
from logging_system.spool.frame import FILE_HEADER_BYTES, FileHeader, encode_block, encode_file_header
from logging_system.spool.segment import (
    CREATING,
    FILE_MODE,
    OPEN,
    SEALED,
    new_epoch,
    prepare_folder,
    segment_path,
    spooled_bytes,
    sync_folder,
    write_fully,
)

SEGMENT_BYTES_MAX = 16 * 1024 * 1024
_RECOUNT_SECONDS = 0.25


class SpoolFullError(Exception):
    """The spool holds as many bytes as it may; what is in it stays, what is new is refused."""


class SpoolWriter:
    """One epoch's side of a spool folder; used by one thread.

    Args:
        folder: The spool folder, shared with other writers and one reader; created if missing.
        spool_bytes_max: Bytes that the segments of all writers may take together.
        sync: Whether `append` returns only after `fdatasync(2)`.
        codec: How payloads are stored.
        clock: Monotonic seconds.
        datasync: Makes a descriptor's data durable; handed in so that a disk that fails can be shown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        spool_bytes_max: int,
        sync: bool,
        codec: Codec = PLAIN,
        clock: Callable[[], float] = time.monotonic,
        datasync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self.epoch = new_epoch()
        self.next_sequence = 1
        self._folder = folder
        self._spool_bytes_max = spool_bytes_max
        # The active segment can't be consumed: eight of them keep a full spool drainable.
        self._segment_bytes_max = max(1, min(SEGMENT_BYTES_MAX, spool_bytes_max // 8))
        self._sync = sync
        self._codec = codec
        self._clock = clock
        self._datasync = datasync
        self._index = 0
        self._descriptor: int | None = None
        self._written_bytes = 0
        self._total_bytes = 0
        self._recount_at = float("-inf")

    def append(self, documents: Sequence[bytes], *, sync: bool | None = None) -> None:
        """Add `documents` as one block, under the next sequences; durable as promised on return.

        After an `OSError` nothing has been promised and the same documents may be handed in again: they keep
        their sequences.

        Args:
            documents: At least one encoded record.
            sync: Whether this block is on the disk on return; as the writer was told by default.

        Raises:
            SpoolFullError: The block does not fit below `spool_bytes_max`.
            OSError: The disk refused (ENOSPC, EIO, …).
            FrameError: The block is larger than a block may be.
        """
        block = encode_block(self.epoch, self.next_sequence, documents, self._codec)
        self._reserve(len(block) + FILE_HEADER_BYTES)
        descriptor = self._active_segment(len(block))
        try:
            write_fully(descriptor, block)
        except OSError:
            self._take_back(descriptor)
            raise
        if self._sync if sync is None else sync:
            try:
                self._datasync(descriptor)
            except OSError:
                # After a failed sync the kernel may call lost pages clean: this file proves nothing any more.
                self._abandon()
                raise
        self._written_bytes += len(block)
        self._total_bytes += len(block)
        self.next_sequence += len(documents)

    def seal(self) -> None:
        """Close the active segment so that its reader knows it is complete; a later append opens another.

        Raises:
            OSError: The segment could not be synced or renamed; readers then treat it as a dead writer's.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        index, self._index = self._index, self._index + 1
        try:
            if self._sync:
                self._datasync(descriptor)
            source = segment_path(self._folder, self.epoch, index, OPEN)
            source.rename(segment_path(self._folder, self.epoch, index, SEALED))
            sync_folder(self._folder)
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """Close the descriptor without touching the file: a forked child leaves the parent's segment alone.

        Closing does not release the parent's flock, which belongs to the open file both share.
        """
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _reserve(self, block_bytes: int) -> None:
        now = self._clock()
        full = self._total_bytes + block_bytes > self._spool_bytes_max
        if now >= self._recount_at or full:
            self._recount(now)
            full = self._total_bytes + block_bytes > self._spool_bytes_max
        if full:
            if self._written_bytes:
                self.seal()  # only a sealed segment can be consumed, and so make room
                self._written_bytes = 0
            raise SpoolFullError(
                f"{self._folder}: {self._total_bytes} of {self._spool_bytes_max} bytes are taken; "
                "start a shipper or raise spool_bytes_max"
            )

    def _recount(self, now: float) -> None:
        self._recount_at = now + _RECOUNT_SECONDS
        try:
            self._total_bytes = spooled_bytes(self._folder)
        except FileNotFoundError:
            self._total_bytes = 0

    def _active_segment(self, block_bytes: int) -> int:
        if self._descriptor is not None:
            if os.fstat(self._descriptor).st_nlink == 0:
                self._abandon()  # somebody removed the file: what is appended to it now would be gone
            elif self._written_bytes and self._written_bytes + block_bytes > self._segment_bytes_max:
                self.seal()
        if self._descriptor is None:
            self._descriptor = self._create_segment()
            self._written_bytes = 0
            self._total_bytes += FILE_HEADER_BYTES
        return self._descriptor

    def _create_segment(self) -> int:
        prepare_folder(self._folder)
        creating = segment_path(self._folder, self.epoch, self._index, CREATING)
        descriptor = os.open(
            creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, FILE_MODE
        )
        try:
            # Locked before it gets a name readers look at: an .open file without a lock lost its writer.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_fully(
                descriptor, encode_file_header(FileHeader(self.epoch, self._index, self.next_sequence))
            )
            os.fsync(descriptor)
            creating.rename(segment_path(self._folder, self.epoch, self._index, OPEN))
            sync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                creating.unlink()
            raise
        return descriptor

    def _take_back(self, descriptor: int) -> None:
        try:
            os.ftruncate(descriptor, FILE_HEADER_BYTES + self._written_bytes)
        except OSError:
            self._abandon()

    def _abandon(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self._index += 1
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
