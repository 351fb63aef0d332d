"""Reads one writer's segments in order, while the writer lives and after it died.

A block that is not whole yet is waited for while its writer holds the segment's lock. In a segment that will
not grow any more the same bytes are judged: at the very end of a dead writer's last segment they are a torn
tail, which was never acknowledged as durable; anywhere else they are corruption, stepped over and counted.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from enum import Enum, auto
from pathlib import Path

from logging_system.spool.checkpoint import Position
from logging_system.spool.codec import Codecs, UnavailableError
from logging_system.spool.disk import Disk
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    EVICTED,
    FILE_HEADER_BYTES,
    VOID,
    BlockHeader,
    FrameError,
    decode_block_header,
    decode_documents,
    payload_is_intact,
)
from logging_system.spool.scan import READ_BYTES, find_next_block, read_file_header
from logging_system.spool.segment import EVICTED as EVICTED_STATE
from logging_system.spool.segment import OPEN, Segment, find_segment

_HIDDEN_MAX = 64
_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class SpooledBlock:
    """Records read from the spool, under consecutive sequences of one epoch."""

    epoch: bytes
    first_sequence: int
    documents: tuple[bytes, ...]


@dataclass(slots=True)
class Damage:
    """What reading found broken, in records, blocks and writers.

    Attributes:
        corrupted_records: Records known to have been in the spool and destroyed there.
        corrupted_blocks: Places where bytes had to be stepped over.
        torn_tails: Unfinished blocks at the end of a dead writer's last segment.
        unclean_exits: Writers that died without sealing their segment.
        evicted_records: Records that gave way to newer ones before they were delivered.
    """

    corrupted_records: int = 0
    corrupted_blocks: int = 0
    torn_tails: int = 0
    unclean_exits: int = 0
    evicted_records: int = 0

    def __add__(self, other: Damage) -> Damage:
        return Damage(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class _Handed:
    """A block that was handed out and is not known to be delivered."""

    first_sequence: int
    end_sequence: int
    index: int
    offset_bytes: int
    damage_before: Damage


class _Found(Enum):
    """What lies where the cursor stands."""

    BLOCK = auto()
    UNFINISHED = auto()
    BAD_PAYLOAD = auto()
    BAD_HEADER = auto()


class EpochCursor:
    """The reading position in one epoch.

    Args:
        folder: The spool folder.
        epoch: The writer's 16 bytes.
        position: Where an earlier reader got to; None starts at the first segment there is.
        codecs: The stored forms that can be read.
        disk: Where the folder lies.
    """

    def __init__(
        self, folder: Path, epoch: bytes, position: Position | None, codecs: Codecs, disk: Disk
    ) -> None:
        self.damage = Damage()
        """All damage seen since `position`."""
        self.is_newer = False
        """Whether only a newer version can read what comes next."""
        self.missing = ""
        """What it takes to read the next block and is not here, such as a key; empty where nothing is."""
        self.is_closed = False
        """Whether the last thing read is the end mark of a segment: what comes next begins behind it."""
        self._folder = folder
        self._epoch = epoch
        self._codecs = codecs
        self._disk = disk
        self._index = position.index if position else 0
        self._offset_bytes = position.offset_bytes if position else 0
        self._next_sequence = position.sequence if position else _UNKNOWN
        self._delivered_sequence = self._next_sequence
        self._handed: deque[_Handed] = deque()
        self._suspect: tuple[int, int] | None = None
        self._damaged = set(position.damaged) if position else set()

    @property
    def position(self) -> Position:
        """Where a reader that starts again must begin."""
        damaged = tuple(sorted(self._damaged))
        if self._handed:
            first = self._handed[0]
            sequence = max(first.first_sequence, self._delivered_sequence)
            return Position(first.index, first.offset_bytes, sequence, damaged)
        return Position(self._index, self._offset_bytes, self._next_sequence, damaged)

    @property
    def unread_from(self) -> tuple[int, int]:
        """The segment and the place in it, in bytes, where what was not read begins."""
        return self._index, self._offset_bytes

    @property
    def passed_damage(self) -> Damage:
        """The damage before `position`: a reader that starts again there won't meet it again."""
        return self._handed[0].damage_before if self._handed else self.damage

    def acknowledge(self, next_sequence: int) -> None:
        """Take note that every record before `next_sequence` is done."""
        self._delivered_sequence = max(self._delivered_sequence, next_sequence)
        while self._handed and self._handed[0].end_sequence <= next_sequence:
            self._handed.popleft()

    def forget_segment(self, index: int) -> None:
        """Take note that the segment `index` is out of the way: removed, or kept aside."""
        self._damaged.discard(index)

    def read(self, segments: Mapping[int, Segment], bytes_max: int) -> Iterator[SpooledBlock]:
        """Yield what can be read now, until about `bytes_max` document bytes were handed out.

        Args:
            segments: The epoch's segments as just listed, by index.
            bytes_max: A bound that the last block may exceed.

        Raises:
            OSError: A segment cannot be read; what was yielded before stays handed out.
        """
        self.missing = ""
        for _ in range(len(segments) + 1):
            segment = self._current(segments)
            if segment is None or bytes_max <= 0:
                return
            try:
                descriptor = self._disk.open(segment.path, os.O_RDONLY)
            except FileNotFoundError:
                return  # renamed since it was listed; the next listing has its new name
            try:
                final = segment.state != OPEN or self._writer_is_gone(descriptor, segment)
                for block in self._read_segment(descriptor, final, bytes_max):
                    bytes_max -= sum(map(len, block.documents))
                    yield block
                if bytes_max <= 0 or not final or self.is_newer or self.missing:
                    return
                if not self._judge_tail(descriptor, segment, segments):
                    continue
            finally:
                self._disk.close(descriptor)
            if segment.state == OPEN and max(segments) <= segment.index:
                self.damage.unclean_exits += 1
            self._index, self._offset_bytes = segment.index + 1, 0

    def _current(self, segments: Mapping[int, Segment]) -> Segment | None:
        first = min((index for index in segments if index >= self._index), default=None)
        if first is None:
            return None
        segment = segments[first]
        if first != self._index:
            segment = self._hidden_before(first) or segment
        if segment.index != self._index or segment.state == EVICTED_STATE:
            self._index, self._offset_bytes = segment.index, 0
        return segment

    def _hidden_before(self, first: int) -> Segment | None:
        """Return the earliest segment that the listing missed: passed over, it would be lost."""
        for index in range(max(self._index, first - _HIDDEN_MAX), first):
            segment = find_segment(self._folder, self._epoch, index, self._disk)
            if segment is not None:
                return segment
        return None

    def _read_segment(self, descriptor: int, final: bool, bytes_max: int) -> Iterator[SpooledBlock]:
        self._pass_file_header(descriptor)
        size_bytes = self._disk.status(descriptor).size_bytes
        while bytes_max > 0 and self._offset_bytes < size_bytes and not (self.is_newer or self.missing):
            chunk = self._read_chunk(descriptor)
            if not chunk:
                return  # a writer took an unfinished block back
            consumed_bytes, base_bytes = 0, self._offset_bytes
            while bytes_max > 0 and consumed_bytes < len(chunk) and not self.missing:
                found, header = self._look(chunk, consumed_bytes)
                if found is _Found.UNFINISHED and consumed_bytes:
                    break  # perhaps only cut by the chunk: read again from here
                if header is not None and found is _Found.BLOCK:
                    stored = chunk[consumed_bytes + BLOCK_HEADER_BYTES : consumed_bytes + header.size_bytes]
                    consumed_bytes += header.size_bytes
                    self._suspect = None
                    block = self._take(header, stored, base_bytes + consumed_bytes)
                    if block is not None:
                        bytes_max -= sum(map(len, block.documents))
                        yield block
                elif self._step_over(descriptor, found, header, final):
                    break
                else:
                    return

    def _read_chunk(self, descriptor: int) -> bytes:
        chunk = self._disk.pread(descriptor, READ_BYTES, self._offset_bytes)
        header = decode_block_header(self._epoch, chunk)
        if header is not None and header.size_bytes > len(chunk):
            return self._disk.pread(descriptor, header.size_bytes, self._offset_bytes)
        return chunk

    def _pass_file_header(self, descriptor: int) -> None:
        if self._offset_bytes >= FILE_HEADER_BYTES:
            return
        header = read_file_header(self._disk, descriptor)
        self.is_newer = header is not None and header.is_newer
        if self.is_newer:
            return
        self._offset_bytes = FILE_HEADER_BYTES
        if header is None and self._disk.status(descriptor).size_bytes >= FILE_HEADER_BYTES:
            self._damaged.add(self._index)
            self.damage.corrupted_blocks += 1
        if self._next_sequence == _UNKNOWN:
            known = 1 if self._index == 0 else _UNKNOWN
            self._next_sequence = header.first_sequence if header is not None else known

    def _look(self, chunk: bytes, start: int) -> tuple[_Found, BlockHeader | None]:
        if len(chunk) - start < BLOCK_HEADER_BYTES:
            return _Found.UNFINISHED, None
        header = decode_block_header(self._epoch, chunk, start)
        if header is None:
            return _Found.BAD_HEADER, None
        if len(chunk) - start < header.size_bytes:
            return _Found.UNFINISHED, header
        stored = chunk[start + BLOCK_HEADER_BYTES : start + header.size_bytes]
        return (_Found.BLOCK if payload_is_intact(header, stored) else _Found.BAD_PAYLOAD), header

    def _take(self, header: BlockHeader, stored: bytes, end_bytes: int) -> SpooledBlock | None:
        start_bytes, self._offset_bytes = self._offset_bytes, end_bytes
        is_end = header.is_mark and header.codec == VOID and header.count == 0
        # A writer that stands before what was read is about to write that again: its sync had failed.
        self.is_closed = is_end and header.first_sequence >= self._next_sequence
        if header.is_mark:
            self._pass_mark(header)
            return None
        try:
            documents = decode_documents(self._epoch, header, stored, self._codecs)
        except UnavailableError as error:
            if self._next_sequence == _UNKNOWN or header.end_sequence > self._next_sequence:
                self._offset_bytes, self.missing = start_bytes, error.missing
            return None  # else nothing new is in it
        except FrameError:
            self._count_lost_block(header)
            return None
        if self._next_sequence == _UNKNOWN:
            self._next_sequence = header.first_sequence
        if header.end_sequence <= self._next_sequence:
            return None  # written again after a failed sync, or delivered before a restart
        self._count_hole(header)
        first_sequence = max(header.first_sequence, self._next_sequence)
        self._next_sequence = header.end_sequence
        self._handed.append(
            _Handed(first_sequence, header.end_sequence, self._index, start_bytes, replace(self.damage))
        )
        return SpooledBlock(self._epoch, first_sequence, documents[first_sequence - header.first_sequence :])

    def _pass_mark(self, header: BlockHeader) -> None:
        self._count_hole(header)
        if header.codec == EVICTED:
            self.damage.evicted_records += max(
                0, header.end_sequence - max(header.first_sequence, self._next_sequence)
            )
        self._next_sequence = max(self._next_sequence, header.end_sequence)

    def _count_hole(self, header: BlockHeader) -> None:
        """Count what is missing before a block: sequences of one epoch have no gap."""
        if self._next_sequence != _UNKNOWN:
            self.damage.corrupted_records += max(0, header.first_sequence - self._next_sequence)

    def _count_lost_block(self, header: BlockHeader) -> None:
        self._damaged.add(self._index)
        self.damage.corrupted_blocks += 1
        if self._next_sequence == _UNKNOWN:
            self._next_sequence = header.first_sequence
        self.damage.corrupted_records += max(0, header.end_sequence - self._next_sequence)
        self._next_sequence = max(self._next_sequence, header.end_sequence)

    def _step_over(self, descriptor: int, found: _Found, header: BlockHeader | None, final: bool) -> bool:
        """Move behind damage; False where it can't be told from the end of what was written."""
        if found is _Found.UNFINISHED:
            return False
        where = (self._index, self._offset_bytes)
        if not final and self._suspect != where:
            self._suspect = where  # judged when it is still there at the next look
            return False
        behind = find_next_block(self._disk, descriptor, self._epoch, self._offset_bytes + 1)
        if behind is None:
            return False
        self._pass_damage(header if found is _Found.BAD_PAYLOAD else None, behind)
        return True

    def _pass_damage(self, header: BlockHeader | None, behind_bytes: int) -> None:
        if header is not None:
            self._offset_bytes += header.size_bytes
            self._count_lost_block(header)
            return
        self._offset_bytes = behind_bytes
        self._damaged.add(self._index)
        self.damage.corrupted_blocks += 1

    def _judge_tail(self, descriptor: int, segment: Segment, segments: Mapping[int, Segment]) -> bool:
        """Decide what the bytes after the last block are; False where a block was found behind them."""
        size_bytes = self._disk.status(descriptor).size_bytes
        if self._offset_bytes >= size_bytes:
            return True
        behind = find_next_block(self._disk, descriptor, self._epoch, self._offset_bytes + 1)
        if behind is not None:
            self._pass_damage(None, behind)
            return False
        later = min((index for index in segments if index > segment.index), default=None)
        if later is None:
            lawful = segment.state == OPEN
        else:
            lawful = self._goes_on(segments[later], self._next_sequence)
        header = decode_block_header(
            self._epoch, self._disk.pread(descriptor, BLOCK_HEADER_BYTES, self._offset_bytes)
        )
        if lawful:
            self.damage.torn_tails += 1
        elif header is not None:
            self._count_lost_block(header)
        else:
            self._pass_damage(None, size_bytes)
        return True

    def _goes_on(self, segment: Segment, sequence: int) -> bool:
        """Whether a later segment begins with `sequence` or before it, so that nothing is missing."""
        descriptor = self._disk.open(segment.path, os.O_RDONLY)
        try:
            header = read_file_header(self._disk, descriptor)
        finally:
            self._disk.close(descriptor)
        return header is not None and header.first_sequence <= sequence

    def _writer_is_gone(self, descriptor: int, segment: Segment) -> bool:
        """Tell whether an open segment has lost its writer for good.

        The lock of a segment that is just being sealed is free as well, but then its name has changed before.
        """
        if not self._disk.try_lock(descriptor, shared=True):
            return False
        return self._disk.path_status(segment.path) is not None
