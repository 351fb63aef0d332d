"""Looks into a spool folder without changing it: what is in it, how far it was delivered, what is broken.

Safe beside living writers and a living reader; what they do meanwhile may show in half.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from logging_system.spool.checkpoint import NAME as CHECKPOINT_NAME
from logging_system.spool.checkpoint import Position, read_checkpoint
from logging_system.spool.codec import PLAIN_CODECS, Codecs, UnavailableError
from logging_system.spool.disk import REAL_DISK, Disk
from logging_system.spool.frame import EVICTED, BlockHeader, FileHeader
from logging_system.spool.reader import LOCK_NAME
from logging_system.spool.scan import Scanned, read_file_header, scan_blocks
from logging_system.spool.segment import CORRUPT, CREATING, OPEN, Segment, parse_segment


class Severity(Enum):
    """How much a finding matters to the person on call."""

    LOSS = "loss"
    """Records are destroyed."""
    DAMAGE = "damage"
    """Bytes are broken, no record is known to be lost."""
    NOTICE = "notice"
    """Nothing is broken; somebody may want to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as a healthy spool has it.

    Attributes:
        path: The file.
        offset_bytes: Where in it; None for the whole file.
        severity: How much it matters.
        records: Records it costs; 0 where none are known to be lost.
        what: One sentence: what is wrong and what to do.
    """

    path: Path
    offset_bytes: int | None
    severity: Severity
    records: int
    what: str


@dataclass(frozen=True, slots=True)
class SegmentSummary:
    """One file of a writer.

    Attributes:
        path: The file.
        index: Its place in the epoch.
        state: "open", "segment" (sealed), "corrupt" (kept aside), "new" (being created) or "evicted".
        size_bytes: Its length.
        format_version: As its header says; None where the header cannot be read.
        first_sequence: As its header says; None where the header cannot be read.
        end_sequence: One after the last sequence found in it; None where it holds none.
        records: Records in whole blocks.
        evicted_records: Records that gave way to newer ones.
        unreadable_stretches: Places where bytes are no whole block.
        writer_lives: Whether a process still appends to it.
    """

    path: Path
    index: int
    state: str
    size_bytes: int
    format_version: int | None
    first_sequence: int | None
    end_sequence: int | None
    records: int
    evicted_records: int
    unreadable_stretches: int
    writer_lives: bool


@dataclass(frozen=True, slots=True)
class EpochSummary:
    """What one writer left in the folder.

    Attributes:
        epoch: Its 32 hexadecimal digits.
        started_seconds: When it began, seconds since 1970.
        process_id: The process it was, as that process saw it.
        position: How far it was delivered; None where no checkpoint speaks of it.
        segments: Its files by index.
        records: Records in whole blocks of its readable files.
        delivered: Of these, before the checkpoint.
        undelivered: Of these, behind the checkpoint.
    """

    epoch: str
    started_seconds: int
    process_id: int
    position: Position | None
    segments: tuple[SegmentSummary, ...]
    records: int
    delivered: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class SpoolSummary:
    """A spool folder at one moment.

    Attributes:
        folder: The folder.
        epochs: Its writers, oldest first.
        size_bytes: All segments together, those kept as corrupt left out.
        counters: What the reader had counted at its last checkpoint, damage included.
        checkpoint_lost: Whether there is a checkpoint file of which nothing can be read.
        holder: Process id of the living reader; None where there is none.
    """

    folder: Path
    epochs: tuple[EpochSummary, ...]
    size_bytes: int
    counters: dict[str, int]
    checkpoint_lost: bool
    holder: str | None

    @property
    def records(self) -> int:
        """Records in whole blocks, delivered ones whose file is still there included."""
        return sum(epoch.records for epoch in self.epochs)

    @property
    def undelivered(self) -> int:
        """Records that no checkpoint calls delivered."""
        return sum(epoch.undelivered for epoch in self.epochs)

    @property
    def delivered(self) -> int:
        """Records that were delivered and whose file is still there."""
        return sum(epoch.delivered for epoch in self.epochs)


def inspect(folder: Path, disk: Disk = REAL_DISK) -> SpoolSummary:
    """Return what a spool folder holds.

    Reads every segment; a folder of one gigabyte takes seconds.

    Raises:
        OSError: The folder cannot be listed.
        SpoolVersionError: The checkpoint was written by a newer version.
    """
    checkpoint, lost = read_checkpoint(folder, disk)
    by_epoch: dict[bytes, list[SegmentSummary]] = {}
    delivered: dict[bytes, int] = {}
    for content in _contents(folder, disk):
        epoch, summary = content.segment.epoch, _summarise(content)
        by_epoch.setdefault(epoch, []).append(summary)
        if summary.state != CORRUPT:
            done = _delivered(content, checkpoint.positions.get(epoch))
            delivered[epoch] = delivered.get(epoch, 0) + done
    return SpoolSummary(
        folder=folder,
        epochs=tuple(
            _epoch_summary(epoch, checkpoint.positions.get(epoch), segments, delivered.get(epoch, 0))
            for epoch, segments in sorted(by_epoch.items())
        ),
        size_bytes=sum(
            each.size_bytes for segments in by_epoch.values() for each in segments if each.state != CORRUPT
        ),
        counters=dict(checkpoint.counters),
        checkpoint_lost=lost,
        holder=_holder(folder, disk),
    )


def verify(folder: Path, codecs: Codecs = PLAIN_CODECS, *, disk: Disk = REAL_DISK) -> list[Finding]:
    """Return everything in a spool folder that is not as a healthy spool has it; nothing is changed.

    Args:
        folder: The spool folder.
        codecs: The stored forms that can be read; every block is.
        disk: Where the folder lies.

    Raises:
        OSError: The folder cannot be listed.
        SpoolVersionError: The checkpoint was written by a newer version.
    """
    findings: list[Finding] = []
    checkpoint, lost = read_checkpoint(folder, disk)
    if lost:
        what = "no slot is readable; the shipper will send everything in the folder again, with the same ids"
        findings.append(Finding(folder / CHECKPOINT_NAME, None, Severity.DAMAGE, 0, what))
    next_sequence = {epoch: position.sequence for epoch, position in checkpoint.positions.items()}
    for content in _contents(folder, disk, codecs):
        findings += _verify_file(content)
        if content.segment.state != CORRUPT:
            findings += _verify_blocks(content, next_sequence)
    return findings


@dataclass(frozen=True, slots=True)
class _Content:
    """A segment as it was read."""

    segment: Segment
    size_bytes: int
    header: FileHeader | None
    stretches: tuple[Scanned, ...]
    writer_lives: bool

    @property
    def blocks(self) -> Iterator[BlockHeader]:
        """The headers of whole blocks, marks included."""
        return (each.header for each in self.stretches if each.intact and each.header is not None)


def _contents(folder: Path, disk: Disk, codecs: Codecs | None = None) -> Iterator[_Content]:
    segments = [parse_segment(folder / name) for name in disk.list_names(folder)]
    for segment in sorted(filter(None, segments), key=lambda each: (each.epoch, each.index)):
        try:
            descriptor = disk.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # consumed, or renamed, since it was listed
        try:
            header = read_file_header(disk, descriptor)
            readable = header is None or not header.is_newer
            yield _Content(
                segment,
                disk.status(descriptor).size_bytes,
                header,
                tuple(scan_blocks(disk, descriptor, segment.epoch, codecs)) if readable else (),
                segment.state in (OPEN, CREATING) and not disk.try_lock(descriptor, shared=True),
            )
        finally:
            disk.close(descriptor)


def _summarise(content: _Content) -> SegmentSummary:
    header = content.header
    return SegmentSummary(
        path=content.segment.path,
        index=content.segment.index,
        state=content.segment.state,
        size_bytes=content.size_bytes,
        format_version=header.version if header is not None else None,
        first_sequence=header.first_sequence if header is not None else None,
        end_sequence=max((block.end_sequence for block in content.blocks), default=None),
        records=sum(block.count for block in content.blocks if not block.is_mark),
        evicted_records=sum(block.count for block in content.blocks if block.codec == EVICTED),
        unreadable_stretches=sum(not each.intact for each in content.stretches),
        writer_lives=content.writer_lives,
    )


def _delivered(content: _Content, position: Position | None) -> int:
    if position is None:
        return 0
    ranges = [(block.first_sequence, block.end_sequence) for block in content.blocks if not block.is_mark]
    return sum(max(0, min(end, position.sequence) - first) for first, end in ranges)


def _epoch_summary(
    epoch: bytes, position: Position | None, segments: list[SegmentSummary], delivered: int
) -> EpochSummary:
    started_seconds, process_id = struct.unpack_from(">II", epoch)
    records = sum(segment.records for segment in segments if segment.state != CORRUPT)
    return EpochSummary(
        epoch=epoch.hex(),
        started_seconds=started_seconds,
        process_id=process_id,
        position=position,
        segments=tuple(segments),
        records=records,
        delivered=delivered,
        undelivered=records - delivered,
    )


def _holder(folder: Path, disk: Disk) -> str | None:
    try:
        descriptor = disk.open(folder / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if disk.try_lock(descriptor, shared=True):
            return None
        return disk.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        disk.close(descriptor)


def _verify_file(content: _Content) -> Iterator[Finding]:
    path, state = content.segment.path, content.segment.state
    if state == CORRUPT:
        what = "damaged; every readable record was delivered; delete the file when you no longer need it"
        yield Finding(path, None, Severity.NOTICE, 0, what)
    elif content.header is not None and content.header.is_newer:
        what = f"format version {content.header.version}; a newer version of logging_system can ship it"
        yield Finding(path, None, Severity.NOTICE, 0, what)
    elif state == OPEN and not content.writer_lives:
        what = "its writer ended without closing it; its complete blocks will be delivered"
        yield Finding(path, None, Severity.NOTICE, 0, what)
    if content.header is None and not content.writer_lives:
        what = "the file header is unreadable; blocks are found by their own headers"
        yield Finding(path, 0, Severity.DAMAGE, 0, what)


def _verify_blocks(content: _Content, next_sequence: dict[bytes, int]) -> Iterator[Finding]:
    path, epoch = content.segment.path, content.segment.epoch
    for stretch in content.stretches:
        at_end = stretch.offset_bytes + stretch.size_bytes >= content.size_bytes
        if not stretch.intact and at_end and content.segment.state == OPEN:
            if not content.writer_lives:
                what = "the file ends with an incomplete block, which was never acknowledged as durable"
                yield Finding(path, stretch.offset_bytes, Severity.NOTICE, 0, what)
        elif not stretch.intact:
            what = f"{stretch.size_bytes} bytes are unreadable; reading continues after them"
            yield Finding(path, stretch.offset_bytes, Severity.DAMAGE, 0, what)
        elif stretch.header is not None:
            block = stretch.header
            missing = block.first_sequence - next_sequence.get(epoch, block.first_sequence)
            if missing > 0:
                what = f"{missing} records before sequence {block.first_sequence} are lost"
                yield Finding(path, stretch.offset_bytes, Severity.LOSS, missing, what)
            yield from _verify_block(path, stretch, block)
            next_sequence[epoch] = max(next_sequence.get(epoch, 1), block.end_sequence)


def _verify_block(path: Path, stretch: Scanned, block: BlockHeader) -> Iterator[Finding]:
    if isinstance(stretch.trouble, UnavailableError):
        what = f"{stretch.trouble}; {block.count} records and all later ones of this writer wait for it"
        yield Finding(path, stretch.offset_bytes, Severity.NOTICE, 0, what)
    elif stretch.trouble is not None:
        what = f"{block.count} records cannot be read: {stretch.trouble}"
        yield Finding(path, stretch.offset_bytes, Severity.LOSS, block.count, what)
    elif block.codec == EVICTED:
        what = f"{block.count} records were evicted, as the retention settings ask"
        yield Finding(path, stretch.offset_bytes, Severity.LOSS, block.count, what)
