"""Counts the records of a spool folder that no checkpoint calls delivered, by their blocks' headers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from logging_system.spool.checkpoint import Position, read_checkpoint
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES, FILE_HEADER_BYTES, BlockHeader, decode_block_header
from logging_system.spool.scan import find_next_block
from logging_system.spool.segment import OPEN, SEALED, Segment, list_segments

_START = Position(0, FILE_HEADER_BYTES, 0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records that wait to be delivered.

    Attributes:
        records: How many.
        is_exact: Whether all of the folder was counted; if not, there may be more.
    """

    records: int
    is_exact: bool


def count_waiting(
    folder: Path,
    until_seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    disk: Disk = REAL_DISK,
) -> Waiting:
    """Return how many records wait; nothing is changed, and no payload is read.

    Args:
        folder: The spool folder.
        until_seconds: A moment of `clock` at which to stop counting.
        clock: Monotonic seconds.
        disk: Where the folder lies.
    """
    records = 0
    is_exact = True
    try:
        positions = read_checkpoint(folder, disk)[0].positions
        listed = list_segments(folder, disk)
    except OSError:
        return Waiting(0, is_exact=False)
    for epoch, segments in listed.items():
        position = positions.get(epoch, _START)
        for segment in segments.values():
            if segment.index < position.index or segment.state not in (OPEN, SEALED):
                continue
            if clock() >= until_seconds:
                return Waiting(records, is_exact=False)
            try:
                records += _records_behind(segment, position, disk)
            except OSError:
                is_exact = False
    return Waiting(records, is_exact)


def _records_behind(segment: Segment, position: Position, disk: Disk) -> int:
    descriptor = disk.open(segment.path, os.O_RDONLY)
    try:
        start_bytes = position.offset_bytes if segment.index == position.index else FILE_HEADER_BYTES
        return sum(
            max(0, block.end_sequence - max(block.first_sequence, position.sequence))
            for block in _blocks(disk, descriptor, segment.epoch, start_bytes)
            if not block.is_mark
        )
    finally:
        disk.close(descriptor)


def _blocks(disk: Disk, descriptor: int, epoch: bytes, start_bytes: int) -> Iterator[BlockHeader]:
    size_bytes = disk.status(descriptor).size_bytes
    offset_bytes: int | None = start_bytes
    while offset_bytes is not None and offset_bytes < size_bytes:
        header = decode_block_header(epoch, disk.pread(descriptor, BLOCK_HEADER_BYTES, offset_bytes))
        if header is not None and offset_bytes + header.size_bytes <= size_bytes:
            yield header
            offset_bytes += header.size_bytes
        else:
            offset_bytes = find_next_block(disk, descriptor, epoch, offset_bytes + 1)
