"""Walks a segment from its first byte to its last: what is whole in it, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logging_system.spool.codec import Codecs, UnavailableError
from logging_system.spool.disk import Disk
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    BlockHeader,
    FileHeader,
    FrameError,
    decode_block_header,
    decode_documents,
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
        trouble: Why its records cannot be read, though it is intact; None where they can, or nobody looked.
    """

    offset_bytes: int
    size_bytes: int
    header: BlockHeader | None
    intact: bool
    trouble: FrameError | UnavailableError | None = None


def read_file_header(disk: Disk, descriptor: int) -> FileHeader | None:
    """Return the header of an open segment, or None where it is short, damaged or of another format.

    Args:
        disk: Where the segment lies.
        descriptor: Of the segment, opened for reading.

    Raises:
        OSError: The file cannot be read.
    """
    return decode_file_header(disk.pread(descriptor, FILE_HEADER_BYTES, 0))


def refuse_newer(disk: Disk, descriptor: int, path: Path) -> None:
    """Return if this version knows all that a segment can hold.

    Args:
        disk: Where the segment lies.
        descriptor: Of the segment, opened for reading.
        path: Its path, for the error.

    Raises:
        OSError: A newer version wrote it, or the file cannot be read.
    """
    header = read_file_header(disk, descriptor)
    if header is not None and header.is_newer:
        what = "written by a newer version, so nobody here knows what it holds; use that version"
        raise OSError(None, what, str(path))


def scan_blocks(disk: Disk, descriptor: int, epoch: bytes, codecs: Codecs | None = None) -> Iterator[Scanned]:
    """Yield every block and every unreadable stretch behind the file header, in order, without a gap.

    Memory stays within one block, whatever the bytes claim.

    Args:
        disk: Where the file lies.
        descriptor: The file.
        epoch: Its writer's 16 bytes.
        codecs: With what blocks are read to see that they can be; None leaves them as they are.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = disk.status(descriptor).size_bytes
    position = FILE_HEADER_BYTES
    while position < size_bytes:
        scanned = _scan_one(disk, descriptor, epoch, position, size_bytes, codecs)
        yield scanned
        position += scanned.size_bytes


def find_next_block(disk: Disk, descriptor: int, epoch: bytes, position_bytes: int) -> int | None:
    """Return the offset of the first valid block header at or behind `position_bytes`, if there is one.

    Args:
        disk: Where the segment lies.
        descriptor: Of the segment, opened for reading.
        epoch: The writer's 16 bytes.
        position_bytes: Where to begin, from the beginning of the file.

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


def _scan_one(
    disk: Disk, descriptor: int, epoch: bytes, position: int, size_bytes: int, codecs: Codecs | None
) -> Scanned:
    header = decode_block_header(epoch, disk.pread(descriptor, BLOCK_HEADER_BYTES, position))
    if header is not None and position + header.size_bytes <= size_bytes:
        stored = disk.pread(descriptor, header.length, position + BLOCK_HEADER_BYTES)
        intact = payload_is_intact(header, stored)
        trouble = None
        if codecs is not None and intact and not header.is_mark:
            trouble = _trouble(epoch, header, stored, codecs)
        return Scanned(position, header.size_bytes, header, intact, trouble)
    behind = find_next_block(disk, descriptor, epoch, position + 1)
    return Scanned(position, (size_bytes if behind is None else behind) - position, header, intact=False)


def _trouble(
    epoch: bytes, header: BlockHeader, stored: bytes, codecs: Codecs
) -> FrameError | UnavailableError | None:
    try:
        decode_documents(epoch, header, stored, codecs)
    except (FrameError, UnavailableError) as error:
        return error
    return None
