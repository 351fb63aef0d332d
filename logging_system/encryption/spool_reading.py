"""Yields the documents of a spool folder for a person, beside whoever writes or ships it; takes no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from logging_system.encryption.envelope import SealError
from logging_system.spool.codec import Codecs, UnavailableError
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import BLOCK_HEADER_BYTES, BlockHeader, FrameError, decode_documents
from logging_system.spool.scan import read_file_header, scan_blocks
from logging_system.spool.segment import Segment, opened_segments


def spooled_documents(
    folder: Path, codecs: Codecs, unopened: Callable[[str, str, int], None], disk: Disk = REAL_DISK
) -> Iterator[bytes]:
    """Yield what the whole blocks of a folder hold, those kept as corrupt too.

    Args:
        folder: The spool folder.
        codecs: The stored forms of its blocks.
        unopened: Told key, reason and how many records, for each block that cannot be opened, and each
            segment of a newer version.
        disk: The system calls.

    Raises:
        OSError: The folder cannot be read.
    """
    for segment, descriptor in opened_segments(folder, disk):
        yield from _documents(segment, descriptor, codecs, unopened, disk)


def _documents(
    segment: Segment,
    descriptor: int,
    codecs: Codecs,
    unopened: Callable[[str, str, int], None],
    disk: Disk,
) -> Iterator[bytes]:
    header = read_file_header(disk, descriptor)
    if header is not None and header.is_newer:
        unopened("unknown", "of a newer version", 1)  # how many records it holds, nobody here can tell
        return
    for scanned in scan_blocks(disk, descriptor, segment.epoch):
        block = scanned.header
        if block is None or block.is_mark:
            continue
        if not scanned.intact:
            unopened("unknown", "damaged", block.count)
            continue
        stored = disk.pread(descriptor, block.length, scanned.offset_bytes + BLOCK_HEADER_BYTES)
        yield from _opened(segment.epoch, block, stored, codecs, unopened)


def _opened(
    epoch: bytes,
    block: BlockHeader,
    stored: bytes,
    codecs: Codecs,
    unopened: Callable[[str, str, int], None],
) -> Iterator[bytes]:
    try:
        yield from decode_documents(epoch, block, stored, codecs)
    except UnavailableError as error:
        unopened(error.missing.removeprefix("key "), error.reason, block.count)
    except FrameError as error:
        cause = error.__cause__
        key = cause.key_id if isinstance(cause, SealError) else ""
        is_destroyed = isinstance(cause, SealError) and cause.is_destroyed
        unopened(key or "unknown", "destroyed" if is_destroyed else "tampered", block.count)
