"""The real spool on a simulated disk, and beside it everything that was promised, to hold it to that."""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.disk import Disk
from logging_system.spool.frame import FILE_HEADER_BYTES, decode_block_header, find_block
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Retention
from logging_system.spool.segment import EVICTED, OPEN, SEALED, parse_segment
from logging_system.spool.writer import SpoolFullError, SpoolWriter
from tests.simulation.disk import FOLDER, Killed, Process, SimulatedDisk
from tests.simulation.spool_steps import Setting, Step

RECORDS_MIN = 1_000
FAULTS_MIN = 20
_STEPS_MAX = 5_000
_DRAIN_READS_MAX = 2_000

Name = tuple[bytes, int]
"""A record: epoch and sequence."""


class BrokenPromiseError(AssertionError):
    """The spool did what it says it never does."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of; a deliberate bug replaces one of them."""

    writer: type[SpoolWriter] = SpoolWriter
    reader: type[SpoolReader] = SpoolReader
    writer_disk: Callable[[Process], Disk] = lambda process: process
    reader_disk: Callable[[Process], Disk] = lambda process: process
    codecs: Codecs = PLAIN_CODECS


@dataclass(slots=True)
class WriterSeat:
    synced: bool
    process: Process | None = None
    writer: SpoolWriter | None = None
    documents: list[bytes] = field(default_factory=list)


class World:
    """Writers, a reader and their disk.

    Args:
        setting: What holds for the run.
        parts: What it is made of.
    """

    step_seconds = 0.1
    refusals: tuple[type[Exception], ...] = (OSError, SpoolFullError)
    """What a step may raise without breaking a promise."""

    def __init__(self, setting: Setting, parts: Parts) -> None:
        self.records = 0
        self.faults = 0
        self._setting = setting
        self._parts = parts
        self._rng = random.Random(f"world {setting.seed}")
        self._disk = SimulatedDisk(self._rng, lies=setting.lies)
        self._disk.on_evicted = self._note_evicted
        self._seats = [WriterSeat(synced) for synced in setting.synced]
        self._reader_process: Process | None = None
        self._reader: SpoolReader | None = None
        self._epochs = 0
        self._handed_in: dict[Name, set[bytes]] = {}
        self._acknowledged: dict[Name, tuple[bytes, bool]] = {}
        self._delivered: dict[Name, bytes] = {}
        self._excused: set[Name] = set()
        self._rotten: set[Name] = set()
        self._evicted: set[Name] = set()
        self._read_in_this_life: set[Name] = set()
        self._settled: set[Name] = set()
        self._done: dict[bytes, int] = {}
        self._saved: dict[bytes, int] = {}
        self._in_flight: dict[bytes, list[int]] = {}
        self._last_read: dict[bytes, int] = {}
        self._cuts = 0
        self._checkpoint_is_sound = True

    def act(self, step: Step) -> None:
        """Do one step; a process that dies in it is gone afterwards.

        Raises:
            BrokenPromiseError: The spool did what it must not.
        """
        self._disk.now_seconds += self.step_seconds
        struck = self._disk.struck
        actions = self._actions()
        self._disk.meanwhile = lambda: self._act_meanwhile(actions, step.meanwhile)
        with contextlib.suppress(Killed, *self.refusals):
            actions[step.action](step)
        self._bury()
        self.faults += self._disk.struck - struck

    def _actions(self) -> dict[str, Callable[[Step], None]]:
        return {
            "append": self._append,
            "seal": self._seal,
            "read": self._read,
            "acknowledge": self._acknowledge,
            "save": self._save,
            "kill_writer": self._kill_writer,
            "kill_reader": self._kill_reader,
            "power_cut": self._power_cut,
            "evict_forgotten": self._evict_forgotten,
            "rot": self._rot,
        }

    def finish(self) -> None:
        """End all writers, read all there is, and hold the spool to what it promised.

        Raises:
            BrokenPromiseError: The spool did what it must not.
        """
        self.end_writers()
        for _ in range(2):
            self._drain()
        self._judge_losses()
        self._judge_damage()
        self._judge_leftovers()

    def end_writers(self) -> None:
        """Let each writer close its segment, or die."""
        for seat in self._seats:
            if seat.writer is not None and self._rng.random() < 0.5:
                seat.writer.seal()
            elif seat.process is not None:
                self._disk.kill(seat.process)
        self._bury()

    # What actors do

    def _act_meanwhile(self, actions: dict[str, Callable[[Step], None]], steps: Iterable[Step]) -> None:
        self._disk.meanwhile = None
        for step in steps:
            with contextlib.suppress(*self.refusals):
                actions[step.action](step)

    def _append(self, step: Step) -> None:
        seat = self._seats[step.actor]
        writer = self._living_writer(seat, step)
        if seat.documents and step.amount % 3 == 0:
            seat.documents = []
            if step.amount % 2:
                writer.give_up()
        if not seat.documents:
            seat.documents = [self._document_of(seat) for _ in range(step.amount)]
        documents, first, epoch = seat.documents, writer.next_sequence, writer.epoch
        skipped = len(getattr(writer, "_unproven", ()))
        for start in {first, first + skipped}:
            for place, document in enumerate(documents):
                self._handed_in.setdefault((epoch, start + place), set()).add(document)
        writer.append(documents)
        seat.documents = []
        first = writer.next_sequence - len(documents)
        for place, document in enumerate(documents):
            self._acknowledged[epoch, first + place] = (document, seat.synced)

    def _seal(self, step: Step) -> None:
        seat = self._seats[step.actor]
        if seat.writer is not None and seat.process is not None:
            seat.process.arm(step.strikes)
            seat.writer.seal()

    def _read(self, step: Step) -> None:
        self._take(self._living_reader(step), 200 * step.amount)

    def _acknowledge(self, step: Step) -> None:
        if self._reader is None:
            return
        for epoch, sequences in self._in_flight.items():
            taken, self._in_flight[epoch] = sequences[: step.amount], sequences[step.amount :]
            if taken:
                self._done[epoch] = taken[-1] + 1
                self._reader.acknowledge(epoch, taken[-1] + 1)

    def _save(self, step: Step) -> None:
        done = dict(self._done)
        reader = self._living_reader(step)
        if self._done == done:  # else the reader has just been started again
            reader.save({})
            if self._checkpoint_is_sound and not self._setting.lies:
                self._note_saved(done)

    def _note_saved(self, done: dict[bytes, int]) -> None:
        self._saved.update(done)
        settled = {name for name in self._read_in_this_life if name[1] < self._saved.get(name[0], 0)}
        self._settled |= settled
        self._read_in_this_life -= settled

    def _kill_writer(self, step: Step) -> None:
        process = self._seats[step.actor].process
        if process is not None:
            self._disk.struck += 1
            self._disk.kill(process)

    def _kill_reader(self, step: Step) -> None:
        del step
        if self._reader_process is not None:
            self._disk.struck += 1
            self._disk.kill(self._reader_process)

    def _power_cut(self, step: Step) -> None:
        del step
        self._disk.struck += 1
        self._disk.power_cut()

    def _evict_forgotten(self, step: Step) -> None:
        del step
        reverted = self._disk.evict_forgotten()
        self._disk.struck += reverted
        if reverted and self._setting.lies:
            self._excuse()  # what a lie left unwritten, a failed sync forgot

    def _rot(self, step: Step) -> None:
        names = sorted(name for name in self._disk.names if name.endswith((OPEN, SEALED, "checkpoint")))
        if not names:
            return
        name = names[step.amount % len(names)]
        content = self._disk.content(name)
        places = [place for place in range(len(content)) if content[place]] if name == "checkpoint" else None
        if not content or places == []:
            return
        offset = self._rng.choice(places) if places else self._rng.randrange(len(content))
        self._disk.struck += 1
        if name == "checkpoint":
            self._checkpoint_is_sound = False
            self._saved.clear()
        else:
            self._rotten |= _records_at(name, content, offset)
        self._disk.rot(name, offset, self._rng.randrange(8))

    # Who lives

    def _living_writer(self, seat: WriterSeat, step: Step) -> SpoolWriter:
        if seat.process is None or seat.writer is None:
            seat.process, seat.documents = self._disk.process(), []
            seat.writer = self._parts.writer(
                FOLDER,
                spool_bytes_max=self._setting.spool_bytes_max,
                sync=seat.synced,
                codecs=self._codecs_of(seat.process),
                retention=Retention(bytes_max=self._setting.retention_bytes or None),
                clock=lambda: self._disk.now_seconds,
                wall_clock=lambda: self._disk.now_seconds,
                disk=self._parts.writer_disk(seat.process),
                name_epoch=self._name_epoch,
            )
        seat.process.arm(step.strikes)
        return seat.writer

    def _living_reader(self, step: Step) -> SpoolReader:
        if self._reader is None:
            process = self._reader_process = self._disk.process()
            process.arm(step.strikes)
            self._in_flight, self._last_read, self._done = {}, {}, {}
            self._read_in_this_life.clear()
            try:
                self._reader = self._parts.reader(
                    FOLDER, self._codecs_of(process), disk=self._parts.reader_disk(process)
                )
            except OSError:
                self._disk.kill(process)
                raise
        elif self._reader_process is not None:
            self._reader_process.arm(step.strikes)
        return self._reader

    def _bury(self) -> None:
        """Forget who has died, and after a power cut what it excuses."""
        for seat in self._seats:
            if seat.process is not None:
                seat.process.arm(())
                if seat.process.dead:
                    seat.process = seat.writer = None
        if self._reader_process is not None:
            self._reader_process.arm(())
            if self._reader_process.dead:
                self._reader_process = self._reader = None
        if self._disk.power_cuts > self._cuts:
            self._cuts = self._disk.power_cuts
            self._excuse()

    def _excuse(self) -> None:
        """Take note of what may be lost now: what was not synced, and what a lying disk said was."""
        for name, (_, synced) in self._acknowledged.items():
            if (not synced or self._setting.lies) and not self._has_arrived(name):
                self._excused.add(name)

    def _has_arrived(self, name: Name) -> bool:
        """Whether the disk is no longer needed for a record."""
        return name in self._delivered

    def _name_epoch(self) -> bytes:
        self._epochs += 1
        return struct.pack(">II8s", self._epochs, 1, self._rng.randbytes(8))

    def _codecs_of(self, process: Process) -> Codecs:
        """Return the stored forms of blocks as a process knows them."""
        del process
        return self._parts.codecs

    def _document_of(self, seat: WriterSeat) -> bytes:
        del seat
        return self._document()

    def _document(self) -> bytes:
        self.records += 1
        return b'{"number":%d,"text":"%s"}' % (self.records, b"x" * self._rng.randrange(40))

    # What was promised

    def _take(self, reader: SpoolReader, bytes_max: int) -> list[tuple[Name, bytes]]:
        found: list[tuple[Name, bytes]] = []
        for block in reader.read(bytes_max):
            for place, document in enumerate(block.documents):
                name = (block.epoch, block.first_sequence + place)
                self._judge_delivery(name, document)
                self._in_flight.setdefault(block.epoch, []).append(block.first_sequence + place)
                found.append((name, document))
        return found

    def _judge_delivery(self, name: Name, document: bytes) -> None:
        epoch, sequence = name
        if document not in self._handed_in.get(name, ()):
            raise BrokenPromiseError(
                f"record {sequence} was delivered as {document!r}, which nobody handed in"
            )
        if sequence <= self._last_read.get(epoch, 0):
            raise BrokenPromiseError(f"record {sequence} came after record {self._last_read[epoch]}")
        if sequence < self._saved.get(epoch, 0):
            raise BrokenPromiseError(
                f"record {sequence} was delivered again, checkpointed up to {self._saved[epoch]}"
            )
        self._last_read[epoch] = sequence
        self._delivered[name] = document
        self._read_in_this_life.add(name)

    def _drain(self) -> None:
        quiet = Step("read", 0, 1)
        empty_looks = 0
        for _ in range(_DRAIN_READS_MAX):
            self._disk.now_seconds += 1.0
            if self._take(self._living_reader(quiet), 1 << 16):
                empty_looks = 0
            else:
                empty_looks += 1
            self._acknowledge(Step("acknowledge", 0, 1 << 30))
            self._save(Step("save", 0, 1))
            if empty_looks == 3:
                return
        raise BrokenPromiseError(f"the reader has not come to an end after {_DRAIN_READS_MAX} reads")

    def _judge_losses(self) -> None:
        for name, (document, synced) in self._acknowledged.items():
            if self._delivered.get(name) == document and self._has_arrived(name):
                continue
            if name not in self._excused | self._rotten | self._evicted:
                what = "synced" if synced else "written"
                raise BrokenPromiseError(f"record {name[1]}, acknowledged as {what}, is lost: {document!r}")

    def _judge_damage(self) -> None:
        damage = self._living_reader(Step("read", 0, 1)).damage
        if self._setting.lies or not self._checkpoint_is_sound:
            return
        lost = {name for name in self._acknowledged if name not in self._delivered}
        last: dict[bytes, int] = {}
        for epoch, sequence in self._delivered:
            last[epoch] = max(last.get(epoch, 0), sequence)
        countable = {name for name in lost if name[1] < last.get(name[0], 0)} - self._evicted - self._excused
        torn = set() if all(self._setting.synced) or not self._cuts else set(self._handed_in)
        if not len(countable) <= damage.corrupted_records <= len(self._rotten | torn):
            raise BrokenPromiseError(
                f"{damage.corrupted_records} records counted as corrupted, "
                f"at least {len(countable)} and at most {len(self._rotten | torn)} are"
            )
        if not self._setting.rots and not torn and damage.corrupted_blocks:
            raise BrokenPromiseError(f"{damage.corrupted_blocks} places counted as corrupted, none is")
        owed = len((lost & self._evicted) - self._rotten - self._excused)
        # What was delivered and checkpointed did not give way, whatever became of its file.
        most = len(self._evicted - self._settled)
        if not owed <= damage.evicted_records <= most:
            raise BrokenPromiseError(
                f"{damage.evicted_records} records counted as evicted: at least {owed}, at most {most} are"
            )

    def _judge_leftovers(self) -> None:
        left = [name for name in self._disk.names if name.endswith((OPEN, SEALED, EVICTED))]
        if left:
            raise BrokenPromiseError(f"all was delivered and {left} is still there")

    def _note_evicted(self, content: bytes) -> None:
        segment_epoch = content[16:32]
        header = decode_block_header(segment_epoch, content, FILE_HEADER_BYTES)
        if header is not None:
            for sequence in range(header.first_sequence, header.end_sequence):
                self._evicted.add((segment_epoch, sequence))


def _records_at(name: str, content: bytes, offset: int) -> set[Name]:
    """Return the records of the block that holds the byte at `offset`."""
    segment = parse_segment(FOLDER / name)
    if segment is None:
        return set()
    start = find_block(segment.epoch, content, 0)
    while start is not None and start <= offset:
        header = decode_block_header(segment.epoch, content, start)
        if header is not None and offset < start + header.size_bytes:
            return {
                (segment.epoch, sequence) for sequence in range(header.first_sequence, header.end_sequence)
            }
        start = find_block(segment.epoch, content, start + 1)
    return set()


def run(setting: Setting, schedule: Iterable[Step], parts: Parts) -> tuple[World, list[Step]]:
    """Run a schedule until there were enough records and faults, or until it ends; then judge.

    Raises:
        BrokenPromiseError: The spool did what it must not; the steps done so far are its `schedule`.
    """
    world = World(setting, parts)
    done: list[Step] = []
    try:
        for step in schedule:
            done.append(step)
            world.act(step)
            if len(done) >= _STEPS_MAX or (world.records >= RECORDS_MIN and world.faults >= FAULTS_MIN):
                break
        world.finish()
    except AssertionError as error:
        error.schedule = done  # type: ignore[attr-defined]
        raise
    return world, done
