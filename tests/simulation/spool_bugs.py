"""Deliberate bugs of a spool, each put into the real one through a seam, for the simulation to find."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from logging_system.spool.checkpoint import SLOT_BYTES, Checkpoint, Position
from logging_system.spool.codec import Codecs
from logging_system.spool.cursor import EpochCursor, _Found
from logging_system.spool.disk import Disk
from logging_system.spool.frame import EVICTED as EVICTED_MARK
from logging_system.spool.frame import BlockHeader
from logging_system.spool.reader import SpoolReader
from logging_system.spool.scan import read_file_header
from logging_system.spool.segment import EVICTED, Segment, find_segment
from logging_system.spool.writer import SpoolWriter
from tests.simulation.disk import FOLDER
from tests.simulation.spool_world import Parts


class _Faulty(Disk):
    """A process's disk; what a subclass does not change is the process's own."""

    def __init__(self, process: Disk) -> None:
        for name in vars(Disk):
            if not name.startswith("_") and name not in vars(type(self)):
                setattr(self, name, getattr(process, name))
        self.process = process


class _SyncsNothing(_Faulty):
    def datasync(self, descriptor: int) -> None:
        """Acknowledges what is in the page cache only."""


class _SyncsAgain(_Faulty):
    def datasync(self, descriptor: int) -> None:
        """Takes the second sync's success for proof, as PostgreSQL did until 2018."""
        try:
            self.process.datasync(descriptor)
        except OSError:
            self.process.datasync(descriptor)


class _SyncsNoFolder(_Faulty):
    def __init__(self, process: Disk) -> None:
        super().__init__(process)
        self._folders: set[int] = set()

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        descriptor = self.process.open(path, flags, mode)
        if path == FOLDER:
            self._folders.add(descriptor)
        return descriptor

    def sync(self, descriptor: int) -> None:
        if descriptor not in self._folders:
            self.process.sync(descriptor)


class _OneSlot(_Faulty):
    def pwrite(self, descriptor: int, data: bytes, offset_bytes: int) -> int:
        return self.process.pwrite(descriptor, data, offset_bytes % SLOT_BYTES)


class _LocksNothing(_Faulty):
    def try_lock(self, descriptor: int, *, shared: bool = False) -> bool:
        """Lets every reader think that every writer is gone."""
        del descriptor, shared
        return True


class _ReusesSequences(SpoolWriter):
    def give_up(self) -> None:
        self._unproven = ()


class _KeepsNames(_Faulty):
    def unlink(self, path: Path) -> None:
        """Leaves behind what could not be finished."""


class _ReusesIndexes(SpoolWriter):
    def _create_segment(self) -> int:
        index, disk = self._index, self._disk
        self._disk = _KeepsNames(disk)
        try:
            return super()._create_segment()
        except OSError:
            self._index = index
            raise
        finally:
            self._disk = disk


class _KeepsTornBlocks(SpoolWriter):
    def _take_back(self, descriptor: int) -> None:
        """Goes on behind a block that was written in part."""


class _RemovesFirst(SpoolReader):
    def save(self, counters: Mapping[str, int]) -> None:
        """Removes what was delivered before the checkpoint is durable (Vector's crash loop)."""
        before = self._saved
        positions = {**before.positions, **{e: cursor.position for e, cursor in self._cursors.items()}}
        self._saved = Checkpoint(positions, before.counters)
        self._remove_consumed()
        self._saved = before
        super().save(counters)


class _SyncsNoRemoval(SpoolReader):
    def _remove_consumed(self) -> None:
        """Forgets a file although a power cut may bring it back."""
        disk, self._disk = self._disk, _SyncsNoFolder(self._disk)
        try:
            super()._remove_consumed()
        finally:
            self._disk = disk


class _ForgetsEarly(SpoolReader):
    def _forget_epochs(self, without_files: list[bytes]) -> None:
        """Forgets what was delivered of a writer that may write the same records again."""
        for epoch in without_files:
            if find_segment(self._folder, epoch, self._saved.positions[epoch].index, self._disk) is None:
                self._forget_epoch(epoch)


class _KeepsMarks(_Faulty):
    def unlink(self, path: Path) -> None:
        if path.suffix != f".{EVICTED}":
            self.process.unlink(path)


class _OverlooksMarks(SpoolReader):
    def _remove(self, epoch: bytes, segment: Segment, *, damaged: bool) -> bool:
        """Leaves the mark of an eviction cut short where its segment was delivered."""
        disk = self._disk
        if segment.state != EVICTED:
            self._disk = _KeepsMarks(disk)
        try:
            return super()._remove(epoch, segment, damaged=damaged)
        finally:
            self._disk = disk


class _CountsDeliveredAsEvicted(EpochCursor):
    def _pass_mark(self, header: BlockHeader) -> None:
        """Counts what had been delivered before it gave way."""
        delivered = max(0, min(self._next_sequence, header.end_sequence) - header.first_sequence)
        super()._pass_mark(header)
        self.damage.evicted_records += delivered if header.codec == EVICTED_MARK else 0


class _BuggyCursorReader(SpoolReader):
    cursor: Callable[[Path, bytes, Position | None, Codecs, Disk], EpochCursor]

    def _cursor(self, epoch: bytes) -> EpochCursor:
        if epoch not in self._cursors:
            position = self._saved.positions.get(epoch)
            self._cursors[epoch] = type(self).cursor(self._folder, epoch, position, self._codecs, self._disk)
        return self._cursors[epoch]


class _StopsAtDamage(EpochCursor):
    def _step_over(self, descriptor: int, found: _Found, header: BlockHeader | None, final: bool) -> bool:
        return False

    def _judge_tail(self, descriptor: int, segment: Segment, segments: Mapping[int, Segment]) -> bool:
        return True


class _IgnoresChecksums(EpochCursor):
    def _look(self, chunk: bytes, start: int) -> tuple[_Found, BlockHeader | None]:
        found, header = super()._look(chunk, start)
        return (_Found.BLOCK if found is _Found.BAD_PAYLOAD else found), header


class _TrustsListings(EpochCursor):
    def _hidden_before(self, first: int) -> Segment | None:
        return None


class _AcknowledgesTheBlock(EpochCursor):
    @property
    def position(self) -> Position:
        """Checkpoints what was read instead of what was delivered."""
        return Position(self._index, self._offset_bytes, self._next_sequence)


class _CountsTornTails(EpochCursor):
    def _goes_on(self, segment: Segment, sequence: int) -> bool:
        return False


class _WantsTheExactNext(EpochCursor):
    def _goes_on(self, segment: Segment, sequence: int) -> bool:
        """Takes a block that vanished after a part of it was delivered for damage."""
        descriptor = self._disk.open(segment.path, os.O_RDONLY)
        try:
            header = read_file_header(self._disk, descriptor)
        finally:
            self._disk.close(descriptor)
        return header is not None and header.first_sequence == sequence


def _reader(cursor: type[EpochCursor]) -> type[SpoolReader]:
    return type("_Reader", (_BuggyCursorReader,), {"cursor": cursor})


BUGS: dict[str, Parts] = {
    "acknowledges before fdatasync": Parts(writer_disk=_SyncsNothing),
    "takes a second sync for proof": Parts(writer_disk=_SyncsAgain),
    "does not sync the folder": Parts(writer_disk=_SyncsNoFolder),
    "keeps the checkpoint in one slot": Parts(reader_disk=_OneSlot),
    "thinks every writer is gone": Parts(reader_disk=_LocksNothing),
    "uses a sequence twice after a failed sync": Parts(writer=_ReusesSequences),
    "uses an index twice after a failed creation": Parts(writer=_ReusesIndexes),
    "goes on behind a torn block": Parts(writer=_KeepsTornBlocks),
    "removes before the checkpoint is durable": Parts(reader=_RemovesFirst),
    "ends a segment at damage": Parts(reader=_reader(_StopsAtDamage)),
    "ignores the payload's checksum": Parts(reader=_reader(_IgnoresChecksums)),
    "trusts a listing": Parts(reader=_reader(_TrustsListings)),
    "checkpoints what was read, not what was delivered": Parts(reader=_reader(_AcknowledgesTheBlock)),
    "takes the rest of an abandoned block for damage": Parts(reader=_reader(_CountsTornTails)),
    "wants the next segment where a vanished block ended": Parts(reader=_reader(_WantsTheExactNext)),
    "forgets a writer that writes the same again": Parts(reader=_ForgetsEarly),
    "overlooks the mark of an eviction cut short": Parts(reader=_OverlooksMarks),
    "counts as evicted what was delivered": Parts(reader=_reader(_CountsDeliveredAsEvicted)),
    "forgets a file before its removal is durable": Parts(reader=_SyncsNoRemoval),
}
"""Each bug by what it does wrong, with the parts of a run that has it."""
