"""Walks a segment from its first byte to its last: what is whole in it, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from logging_system.spool.disk import Disk
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    BlockHeader,
    FileHeader,
    decode_block_header,
    decode_file_header,
    find_block,
    payload_is_intact,
)

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Scanned:
    """One stretch of a segment.

    Attributes:
        offset_bytes: Where it begins.
        size_bytes: How long it is.
        header: The block's header; None where the stretch is no block.
        intact: Whether the payload is the one the header was written for.
    """

    offset_bytes: int
    size_bytes: int
    header: BlockHeader | None
    intact: bool


def read_file_header(disk: Disk, descriptor: int) -> FileHeader | None:
    """Return the header of an open segment, or None where it is short, damaged or of another format.

    Raises:
        OSError: The file cannot be read.
    """
    return decode_file_header(disk.pread(descriptor, FILE_HEADER_BYTES, 0))


def scan_blocks(disk: Disk, descriptor: int, epoch: bytes) -> Iterator[Scanned]:
    """Yield every block and every unreadable stretch behind the file header, in order, without a gap.

    Memory stays within one block, whatever the bytes claim.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = disk.status(descriptor).size_bytes
    position = FILE_HEADER_BYTES
    while position < size_bytes:
        scanned = _scan_one(disk, descriptor, epoch, position, size_bytes)
        yield scanned
        position += scanned.size_bytes


def find_next_block(disk: Disk, descriptor: int, epoch: bytes, position_bytes: int) -> int | None:
    """Return the offset of the first valid block header at or behind `position_bytes`, if there is one.

    Raises:
        OSError: The file cannot be read.
    """
    while True:
        data = disk.pread(descriptor, READ_BYTES, position_bytes)
        found = find_block(epoch, data, 0)
        if found is not None:
            return position_bytes + found
        if len(data) < READ_BYTES:
            return None
        position_bytes += READ_BYTES - BLOCK_HEADER_BYTES


def _scan_one(disk: Disk, descriptor: int, epoch: bytes, position: int, size_bytes: int) -> Scanned:
    header = decode_block_header(epoch, disk.pread(descriptor, BLOCK_HEADER_BYTES, position))
    if header is not None and position + header.size_bytes <= size_bytes:
        stored = disk.pread(descriptor, header.length, position + BLOCK_HEADER_BYTES)
        return Scanned(position, header.size_bytes, header, payload_is_intact(header, stored))
    behind = find_next_block(disk, descriptor, epoch, position + 1)
    return Scanned(position, (size_bytes if behind is None else behind) - position, header, intact=False)
