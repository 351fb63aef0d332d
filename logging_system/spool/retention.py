"""Lets the oldest segments give way to newer ones, where somebody asked for that, and counts what it costs.

An evicted segment is replaced by a mark of a few bytes that says which sequences were in it. The mark is
durable before the records are gone, so that the reader counts each of them, as evicted, exactly once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from logging_system.spool.disk import REAL_DISK, Disk, sync_folder, write_fully
from logging_system.spool.frame import EVICTED, FileHeader, encode_file_header, encode_mark
from logging_system.spool.scan import read_file_header, scan_blocks
from logging_system.spool.segment import (
    CREATING,
    FILE_MODE,
    OPEN,
    SEALED,
    Segment,
    list_segments,
    segment_path,
)
from logging_system.spool.segment import EVICTED as EVICTED_STATE


@dataclass(frozen=True, slots=True)
class Retention:
    """What a spool may hold before acknowledged records give way.

    Attributes:
        age_seconds: Segments not written to for longer are evicted; None keeps them whatever their age.
        bytes_max: The oldest segments are evicted while all together take more; None never evicts for room.
    """

    age_seconds: float | None = None
    bytes_max: int | None = None


@dataclass(frozen=True, slots=True)
class Evicted:
    """What retention deleted.

    Attributes:
        records: Records that were evicted, those that had been delivered already included.
        size_bytes: Room that was made.
    """

    records: int = 0
    size_bytes: int = 0

    def __add__(self, other: Evicted) -> Evicted:
        return Evicted(self.records + other.records, self.size_bytes + other.size_bytes)


def evict(
    folder: Path, retention: Retention, *, now_seconds: float, wanted_bytes: int = 0, disk: Disk = REAL_DISK
) -> Evicted:
    """Evict what `retention` no longer covers; segments with a living writer stay.

    Args:
        folder: The spool folder.
        retention: What may stay.
        now_seconds: Seconds since 1970, as file times have them.
        wanted_bytes: Room that is needed below `retention.bytes_max`.
        disk: Where the folder lies.

    Returns:
        What is gone, in all; nothing where all may stay or has a living writer.

    Raises:
        OSError: The disk refused; what was evicted before stays evicted and marked.
    """
    listed = list_segments(folder, disk)
    candidates: list[tuple[float, int, Segment]] = []
    for segments in listed.values():
        for segment in segments.values():
            status = disk.path_status(segment.path)
            if status is not None:
                candidates.append((status.modified_seconds, status.size_bytes, segment))
    candidates.sort(key=lambda each: (each[0], each[2].epoch, each[2].index))
    taken_bytes = sum(size_bytes for _, size_bytes, _ in candidates) + wanted_bytes
    gone = Evicted()
    for modified_seconds, _, segment in candidates:
        too_old = retention.age_seconds is not None and now_seconds - modified_seconds > retention.age_seconds
        too_many = retention.bytes_max is not None and taken_bytes - gone.size_bytes > retention.bytes_max
        if (too_old or too_many) and segment.state in (OPEN, SEALED):
            gone += _evict_one(folder, segment, listed[segment.epoch], disk)
    return gone


def _evict_one(folder: Path, segment: Segment, others: dict[int, Segment], disk: Disk) -> Evicted:
    try:
        descriptor = disk.open(segment.path, os.O_RDONLY)
    except FileNotFoundError:
        return Evicted()  # consumed, or renamed, since it was listed
    try:
        # The lock keeps out a second process that evicts, and tells whether a writer is still at it.
        if not disk.try_lock(descriptor) or disk.status(descriptor).links == 0:
            return Evicted()
        header = read_file_header(disk, descriptor)
        blocks = [each.header for each in scan_blocks(disk, descriptor, segment.epoch) if each.header]
        if header is None or header.is_newer or not blocks or disk.path_status(segment.path) is None:
            return Evicted()
        end_sequence = max(block.end_sequence for block in blocks)
        freed_bytes = disk.status(descriptor).size_bytes
        with _mark_before(segment, others, disk) as before:
            first_sequence = header.first_sequence if before is None else before.first_sequence
            freed_bytes -= _write_mark(folder, segment, first_sequence, end_sequence, disk)
            disk.unlink(segment.path)
            if before is not None:
                disk.unlink(others[segment.index - 1].path)
            sync_folder(folder, disk)
            mark_path = segment_path(folder, segment.epoch, segment.index, EVICTED_STATE)
            others[segment.index] = replace(segment, state=EVICTED_STATE, path=mark_path)
        return Evicted(end_sequence - header.first_sequence, freed_bytes)
    finally:
        disk.close(descriptor)


@contextlib.contextmanager
def _mark_before(segment: Segment, others: Mapping[int, Segment], disk: Disk) -> Iterator[FileHeader | None]:
    """Hold the mark just before a segment, so that one mark can take the place of many.

    A reader does not remove a mark that is held, and so remembers how far it has counted.
    """
    before = others.get(segment.index - 1)
    if before is None or before.state != EVICTED_STATE:
        yield None
        return
    try:
        descriptor = disk.open(before.path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        held = disk.try_lock(descriptor) and disk.status(descriptor).links > 0
        yield read_file_header(disk, descriptor) if held else None
    finally:
        disk.close(descriptor)


def _write_mark(folder: Path, segment: Segment, first_sequence: int, end_sequence: int, disk: Disk) -> int:
    creating = segment_path(folder, segment.epoch, segment.index, CREATING)
    data = encode_file_header(FileHeader(segment.epoch, segment.index, first_sequence))
    data += encode_mark(segment.epoch, EVICTED, first_sequence, end_sequence - first_sequence)
    descriptor = disk.open(creating, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, FILE_MODE)
    try:
        disk.try_lock(descriptor)  # a starting reader removes unfinished files nobody holds
        write_fully(descriptor, data, disk)
        disk.sync(descriptor)
        disk.rename(creating, segment_path(folder, segment.epoch, segment.index, EVICTED_STATE))
        sync_folder(folder, disk)
    except OSError:
        disk.unlink(creating)
        raise
    finally:
        disk.close(descriptor)
    return len(data)
