"""Reads one writer's segments in order, while the writer lives and after it died.

A block that is not whole yet is waited for while its writer holds the segment's lock. In a segment that will
not grow any more the same bytes are judged: at the very end of a dead writer's last segment they are a torn
tail, which was never acknowledged as durable; anywhere else they are corruption, stepped over and counted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from enum import Enum, auto

from logging_system.spool.checkpoint import Position
from logging_system.spool.codec import Codec
from logging_system.spool.frame import (
    BLOCK_HEADER_BYTES,
    FILE_HEADER_BYTES,
    BlockHeader,
    FrameError,
    decode_block_header,
    decode_documents,
    decode_file_header,
    find_block,
    payload_is_intact,
)
from logging_system.spool.segment import OPEN, Segment

_READ_BYTES = 1024 * 1024


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
    """

    corrupted_records: int = 0
    corrupted_blocks: int = 0
    torn_tails: int = 0
    unclean_exits: int = 0

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
        epoch: The writer's 16 bytes.
        position: Where an earlier reader got to; None starts at the first segment there is.
        codecs: The stored forms that can be read.
    """

    def __init__(self, epoch: bytes, position: Position | None, codecs: Mapping[int, Codec]) -> None:
        self.damage = Damage()
        """All damage seen since `position`."""
        self._epoch = epoch
        self._codecs = codecs
        self._started = position is not None
        self._index = position.index if position else 0
        self._offset_bytes = position.offset_bytes if position else 0
        self._next_sequence = position.sequence if position else 1
        self._delivered_sequence = self._next_sequence
        self._handed: deque[_Handed] = deque()
        self._suspect: tuple[int, int] | None = None
        self._damaged_segment = False
        self.finished: dict[int, bool] = {}
        """Segments read to their end, each with whether it was damaged."""

    @property
    def position(self) -> Position:
        """Where a reader that starts again must begin."""
        if self._handed:
            first = self._handed[0]
            sequence = max(first.first_sequence, self._delivered_sequence)
            return Position(first.index, first.offset_bytes, sequence)
        return Position(self._index, self._offset_bytes, self._next_sequence)

    @property
    def passed_damage(self) -> Damage:
        """The damage before `position`: a reader that starts again there won't meet it again."""
        return self._handed[0].damage_before if self._handed else self.damage

    def acknowledge(self, next_sequence: int) -> None:
        """Take note that every record before `next_sequence` is done."""
        self._delivered_sequence = max(self._delivered_sequence, next_sequence)
        while self._handed and self._handed[0].end_sequence <= next_sequence:
            self._handed.popleft()

    def read(self, segments: Mapping[int, Segment], bytes_max: int) -> Iterator[SpooledBlock]:
        """Yield what can be read now, until about `bytes_max` document bytes were handed out.

        Args:
            segments: The epoch's segments as just listed, by index.
            bytes_max: A bound that the last block may exceed.
        """
        for _ in range(len(segments) + 1):
            segment = self._current(segments)
            if segment is None or bytes_max <= 0:
                return
            try:
                descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return  # renamed since it was listed; the next listing has its new name
            try:
                final = segment.state != OPEN or _writer_is_gone(descriptor, segment)
                for block in self._read_segment(descriptor, final, bytes_max):
                    bytes_max -= sum(map(len, block.documents))
                    yield block
                if bytes_max <= 0 or not final:
                    return
                last = all(index <= segment.index for index in segments)
                if not self._judge_tail(descriptor, torn_is_lawful=segment.state == OPEN and last):
                    continue
            finally:
                os.close(descriptor)
            self._finish(segment)

    def _current(self, segments: Mapping[int, Segment]) -> Segment | None:
        later = [index for index in segments if index >= self._index]
        if not later:
            return None
        if min(later) != self._index or not self._started:
            self._index, self._offset_bytes = min(later), 0
        return segments[self._index]

    def _read_segment(self, descriptor: int, final: bool, bytes_max: int) -> Iterator[SpooledBlock]:
        self._pass_file_header(descriptor)
        size_bytes = os.fstat(descriptor).st_size
        while bytes_max > 0 and self._offset_bytes < size_bytes:
            chunk = os.pread(descriptor, _READ_BYTES, self._offset_bytes)
            header = decode_block_header(self._epoch, chunk)
            if header is not None and header.size_bytes > len(chunk):
                chunk = os.pread(descriptor, header.size_bytes, self._offset_bytes)
            consumed_bytes, base_bytes = 0, self._offset_bytes
            while bytes_max > 0 and consumed_bytes < len(chunk):
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

    def _pass_file_header(self, descriptor: int) -> None:
        if self._offset_bytes >= FILE_HEADER_BYTES:
            return
        data = os.pread(descriptor, FILE_HEADER_BYTES, 0)
        header = decode_file_header(data)
        self._offset_bytes = FILE_HEADER_BYTES
        if header is None and len(data) == FILE_HEADER_BYTES:
            self._damaged_segment = True
            self.damage.corrupted_blocks += 1
        if header is not None and not self._started:
            self._next_sequence = self._delivered_sequence = header.first_sequence
        self._started = True

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
        try:
            documents = decode_documents(header, stored, self._codecs)
        except FrameError:
            self._count_lost_block(header)
            return None
        end_sequence = header.first_sequence + header.count
        if end_sequence <= self._next_sequence:
            return None  # written again after a failed sync, or delivered before a restart
        self.damage.corrupted_records += max(0, header.first_sequence - self._next_sequence)
        first_sequence = max(header.first_sequence, self._next_sequence)
        self._next_sequence = end_sequence
        self._handed.append(
            _Handed(first_sequence, end_sequence, self._index, start_bytes, replace(self.damage))
        )
        return SpooledBlock(self._epoch, first_sequence, documents[first_sequence - header.first_sequence :])

    def _step_over(self, descriptor: int, found: _Found, header: BlockHeader | None, final: bool) -> bool:
        """Move behind damage; False where it can't be told from a block still being written."""
        if found is _Found.UNFINISHED:
            return False
        where = (self._index, self._offset_bytes)
        if not final and self._suspect != where:
            self._suspect = where  # judged when it is still there at the next look
            return False
        if found is _Found.BAD_PAYLOAD and header is not None:
            self._offset_bytes += header.size_bytes
            self._count_lost_block(header)
            return True
        return self._resynchronise(descriptor)

    def _resynchronise(self, descriptor: int) -> bool:
        position = self._offset_bytes + 1
        while True:
            data = os.pread(descriptor, _READ_BYTES, position)
            found = find_block(self._epoch, data, 0)
            if found is not None:
                self._offset_bytes = position + found
                self._damaged_segment = True
                self.damage.corrupted_blocks += 1
                return True
            if len(data) < _READ_BYTES:
                return False
            position += _READ_BYTES - BLOCK_HEADER_BYTES

    def _count_lost_block(self, header: BlockHeader) -> None:
        end_sequence = header.first_sequence + header.count
        self._damaged_segment = True
        self.damage.corrupted_blocks += 1
        self.damage.corrupted_records += max(0, end_sequence - self._next_sequence)
        self._next_sequence = max(self._next_sequence, end_sequence)

    def _judge_tail(self, descriptor: int, torn_is_lawful: bool) -> bool:
        """Decide what the bytes after the last block are; False where a block was found behind them."""
        if self._offset_bytes >= os.fstat(descriptor).st_size:
            return True
        if self._resynchronise(descriptor):
            return False
        if torn_is_lawful:
            self.damage.torn_tails += 1
        else:
            self._damaged_segment = True
            self.damage.corrupted_blocks += 1
        return True

    def _finish(self, segment: Segment) -> None:
        if segment.state == OPEN:
            self.damage.unclean_exits += 1
        self.finished[segment.index] = self._damaged_segment
        self._damaged_segment = False
        self._index, self._offset_bytes = segment.index + 1, 0


def _writer_is_gone(descriptor: int, segment: Segment) -> bool:
    """Tell whether an open segment has lost its writer for good.

    The lock of a segment that is just being sealed is free as well, but then its name has changed before.
    """
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return segment.path.exists()
    return False
