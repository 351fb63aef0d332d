"""Reads every record of a spool folder once, beside whoever ships it; changes and holds up nothing.

Records whose segment was gone before it could be opened are counted as missed: within a writer's sequences by
the gap they leave, and of writers that came and went in between by what these said of themselves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import orjson

from logging_system.alerting.held_segments import HeldSegments
from logging_system.monitoring.status_files import status_files
from logging_system.spool.checkpoint import Position
from logging_system.spool.codec import Codecs
from logging_system.spool.cursor import EpochCursor, SpooledBlock
from logging_system.spool.segment import list_segments

_EPOCH_DIGITS = 32


_ABSENT_LOOKS_MAX = 360
"""A writer without files is forgotten after so many looks; a file of its status may still come."""
_FROM_THE_START = Position(index=0, offset_bytes=0, sequence=1)


@dataclass(slots=True)
class _Writer:
    """What was read of one writer.

    Attributes:
        cursor: The reading position.
        seen: Records that were read.
        not_ours: Records shipped before anybody watched; None where nothing was read yet that tells.
        missed_earlier: Records gone before they could be read, without those that `cursor` counts.
        is_settled: Whether what it missed was compared with what the writer said at its end.
        is_behind: Whether more could be read than there was time for, or a key is missing.
        waits_for_turn: Whether more could be read than there was time for.
        read_seconds: Event time of the last record read; None before the first.
        absent_looks: How often in a row it had no file.
    """

    cursor: EpochCursor
    seen: int = 0
    not_ours: int | None = 0
    missed_earlier: int = 0
    is_settled: bool = False
    is_behind: bool = False
    waits_for_turn: bool = False
    read_seconds: float | None = None
    absent_looks: int = 0

    @property
    def missed(self) -> int:
        """Records that were gone before they could be read."""
        damage = self.cursor.damage
        return self.missed_earlier + damage.corrupted_records + damage.evicted_records


class SpoolFollower:
    """A reading position of its own in a spool folder.

    Args:
        folder: The spool folder.
        codecs: The stored forms that can be read.
        content: What `content` returned before a restart; None begins with what is in the folder now.
        disk: Where the folder lies.
    """

    def __init__(
        self,
        folder: Path,
        codecs: Codecs,
        content: Mapping[str, Any] | None = None,
        *,
        disk: HeldSegments | None = None,
    ) -> None:
        self._folder = folder
        self._codecs = codecs
        self.disk = disk or HeldSegments(folder)
        """Where the folder lies: what was seen in it stays readable."""
        self._writers: dict[bytes, _Writer] = {}
        self._turn = 0
        self._read_seconds = 0.0
        self._missed_earlier = 0
        self.unreadable = 0
        """Attempts to read a segment that the system refused."""
        if content is None:
            self._begin()
        else:
            self._restore(content)

    @property
    def missed(self) -> int:
        """Records whose segment was gone before it could be read."""
        return self._missed_earlier + sum(writer.missed for writer in self._writers.values())

    @property
    def unavailable(self) -> dict[str, int]:
        """How many writers have a next block that cannot be read now, by the key or codec that it needs."""
        missing = [w.cursor.missing for w in self._writers.values() if w.cursor.missing]
        return {each: missing.count(each) for each in sorted(set(missing))}

    def read(self, bytes_max: int) -> Iterator[SpooledBlock]:
        """Yield blocks not read before, about `bytes_max` document bytes of them; writers take turns.

        A block counts as read when the next one is asked for.

        Raises:
            OSError: The folder cannot be listed.
        """
        try:
            listed = list_segments(self._folder, self.disk)
        except FileNotFoundError:
            return
        epochs = sorted(listed)
        self._turn += 1
        for place in range(len(epochs)):
            epoch = epochs[(place + self._turn) % len(epochs)]
            writer = self._writer(epoch)
            writer.is_behind = writer.waits_for_turn = bytes_max <= 0
            if bytes_max <= 0:
                continue
            try:
                for block in writer.cursor.read(listed[epoch], bytes_max):
                    if writer.not_ours is None:
                        writer.not_ours = max(0, block.first_sequence - 1 - writer.missed)
                    bytes_max -= sum(map(len, block.documents))
                    yield block
                    writer.seen += len(block.documents)
                    writer.cursor.acknowledge(block.first_sequence + len(block.documents))
            except OSError:
                self.unreadable += 1
            writer.waits_for_turn = bytes_max <= 0
            writer.is_behind = bytes_max <= 0 or bool(writer.cursor.missing)
            self.disk.let_go(epoch, writer.cursor.position.index)

    def note_read(self, block: SpooledBlock, event_seconds: float) -> None:
        """Take note of how far in event time a writer was read; called before the next block is asked for.

        Args:
            block: The block that `read` yielded last.
            event_seconds: When its last record was logged, seconds since 1970; now where it does not say.
        """
        self._writers[block.epoch].read_seconds = event_seconds

    def read_until(self, now_seconds: float) -> float:
        """Return up to when all records were read, in event time.

        Args:
            now_seconds: Seconds since 1970: the answer where nothing waits to be read.
        """
        behind = [writer.read_seconds for writer in self._writers.values() if writer.is_behind]
        if not behind:
            self._read_seconds = now_seconds
        else:
            known = [seconds for seconds in behind if seconds is not None]
            if len(known) == len(behind):
                self._read_seconds = min(now_seconds, *known)
        return min(now_seconds, self._read_seconds)

    def waited_seconds(self, now_seconds: float) -> float | None:
        """Return how long the oldest record has waited that there was no time for; None where all was read.

        Args:
            now_seconds: Seconds since 1970.
        """
        waiting = [writer.read_seconds for writer in self._writers.values() if writer.waits_for_turn]
        if not waiting:
            return None
        return max((now_seconds - each for each in waiting if each is not None), default=float("inf"))

    def settle(self) -> None:
        """Compare what was read of writers that have ended with what they said; forget those long gone.

        Raises:
            OSError: The folder cannot be listed.
        """
        listed = list_segments(self._folder, self.disk)
        files = {_epoch_of(path): path for path in status_files(self._folder)}
        for epoch, path in files.items():
            admitted = _admitted(path)
            if epoch in listed or admitted is None:
                continue
            writer = self._writer(epoch)
            if not writer.is_settled and writer.not_ours is not None:
                known = writer.not_ours + writer.seen + writer.missed
                writer.missed_earlier += max(0, admitted - known)
            writer.is_settled = True
        for epoch, writer in list(self._writers.items()):
            is_absent = epoch not in listed and epoch not in files
            writer.absent_looks = writer.absent_looks + 1 if is_absent else 0
            if writer.absent_looks > _ABSENT_LOOKS_MAX:
                self._missed_earlier += self._writers.pop(epoch).missed
                self.disk.forget(epoch)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        writers = {
            epoch.hex(): [
                astuple(writer.cursor.position),
                writer.seen,
                writer.not_ours,
                writer.missed,
                writer.is_settled,
            ]
            for epoch, writer in self._writers.items()
        }
        return {"writers": writers, "missed_earlier": self._missed_earlier}

    def close(self) -> None:
        """Let go of the files."""
        self.disk.close_all()

    def _begin(self) -> None:
        """Leave out what was shipped before anybody watched."""
        for path in status_files(self._folder):
            if _admitted(path) is not None:
                self._writer(_epoch_of(path)).is_settled = True
        try:
            listed = list_segments(self._folder, self.disk)
        except FileNotFoundError:
            return
        for epoch, segments in listed.items():
            first = None if min(segments) > 0 else _FROM_THE_START
            writer = self._writers[epoch] = _Writer(self._cursor(epoch, first))
            writer.not_ours = None if first is None else 0

    def _restore(self, content: Mapping[str, Any]) -> None:
        self._missed_earlier = content["missed_earlier"]
        for digits, (position, seen, not_ours, missed, is_settled) in content["writers"].items():
            epoch = bytes.fromhex(digits)
            index, offset_bytes, sequence, damaged = position
            start = Position(index, offset_bytes, sequence, tuple(damaged))
            self._writers[epoch] = _Writer(self._cursor(epoch, start), seen, not_ours, missed, is_settled)
            self.disk.let_go(epoch, index)

    def _writer(self, epoch: bytes) -> _Writer:
        writer = self._writers.get(epoch)
        if writer is None:
            # Begun since the last look: what is gone of it by now was missed.
            writer = self._writers[epoch] = _Writer(self._cursor(epoch, _FROM_THE_START))
        return writer

    def _cursor(self, epoch: bytes, position: Position | None) -> EpochCursor:
        return EpochCursor(self._folder, epoch, position, self._codecs, self.disk)


def _admitted(path: Path) -> int | None:
    """Return how many records a writer admitted that ended in order; None where its file does not say."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = orjson.loads(path.read_bytes())
        return int(content["admitted"]) if content["closed"] is True else None
    return None


def _epoch_of(path: Path) -> bytes:
    return bytes.fromhex(path.stem[-_EPOCH_DIGITS:])
