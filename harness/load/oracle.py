"""The oracle: what was due, sent, answered and acknowledged, seen from a process of its own.

    python -m harness.load.oracle ASSIGNMENT.json HISTORY.jsonl CONTROL.json HISTORY_BYTES_MAX

It computes by itself what was due, reads the slot files that the application and its control write, and
appends facts to its own history. It obeys the same lines on standard input as the application does, and
keeps `tally.json` beside the history for whoever watches. When its input ends, it writes its last facts and
exits: a killed harness loses no fact.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from harness.evidence.history import Recorder
from harness.evidence.lines import digest
from harness.evidence.secrets.planting import PlantedLines
from harness.evidence.spans import span_of
from harness.load.assignment import TALLY_FILE, Assignment, read_assignment
from harness.load.control import ControlCalls
from harness.load.pauses import Pauses
from harness.load.slots import REFUSED, Slot
from harness.model.errors import HarnessError, UnavailableError
from harness.model.facts import (
    Acknowledged,
    Answered,
    Due,
    Event,
    InSpan,
    Planted,
    Refused,
    Sent,
    Withheld,
)
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Tally
from harness.targets.wall_clock import WallClockHistory

_SWEEP_SECONDS = 0.2
# An application that learns of a pause later than this may have sent what it should have withheld.
_WITHHELD_WATCHED_NS = 5 * SECOND_NS


class Oracle:
    """Follows one application's slots and turns what changed into facts."""

    def __init__(self, assignment: Assignment) -> None:
        """Open the assignment's slots."""
        self._assignment = assignment
        self._slots = assignment.slots()
        self._lines = assignment.lines()
        self._offsets_ns = assignment.offsets_ns()
        self._due_ns: dict[int, int] = {}
        self._to_come: list[tuple[int, int]] = []
        self._open: dict[int, Slot] = {}
        self._waves = 0
        path = assignment.wall_clock_path
        self._moved_clock = WallClockHistory(Path(path)) if path else None
        self.pauses = Pauses()
        self._withheld: dict[int, int] = {}
        self._counts = {Due: 0, Sent: 0, Answered: 0, Refused: 0, Acknowledged: 0}

    def begin(self, at_ns: int) -> None:
        """Learn when sending begins."""
        self._plan((at_ns + offset, sequence) for sequence, offset in enumerate(self._offsets_ns))

    def probe(self, at_ns: int) -> None:
        """Learn when the next wave of probes begins."""
        probes = self._assignment.wave(self._waves)
        self._waves += 1
        self._plan((at_ns + self._assignment.probe_offset_ns(sequence), sequence) for sequence in probes)

    def sweep(self, now_ns: int) -> list[Event]:
        """Return the facts since the last sweep; `now_ns` of CLOCK_MONOTONIC is when this one begins."""
        facts: list[Event] = []
        while self._to_come and self._to_come[-1][0] <= now_ns:
            facts.append(self._fall_due_or_not(*self._to_come.pop()))
        facts.extend(self._sent_though_withheld(now_ns))
        for sequence, before in list(self._open.items()):
            after = self._slots.read(sequence).since(before)
            if after != before:
                facts.extend(self._changes(sequence, before, after))
                self._keep(sequence, after)
        for fact in facts:
            if type(fact) in self._counts:
                self._counts[type(fact)] += 1
        facts += self._planted(facts)
        facts += self._in_spans(facts)
        return sorted(facts, key=lambda fact: type(fact).__name__)

    def tally(self) -> Tally:
        """Return the counts so far."""
        return Tally(*self._counts.values())

    def _plan(self, moments: Iterator[tuple[int, int]]) -> None:
        # Latest first, so that the next to fall due is taken from the end.
        self._to_come = sorted([*self._to_come, *moments], reverse=True)

    def _fall_due_or_not(self, at_ns: int, sequence: int) -> Due | Withheld:
        if sequence < self._assignment.scheduled and self.pauses.hold(at_ns):
            self._withheld[sequence] = at_ns
            return Withheld(sequence, at_ns)
        return self._fall_due(at_ns, sequence)

    def _sent_though_withheld(self, now_ns: int) -> Iterator[Due]:
        """Yield what the application sent all the same: it is judged as any other record."""
        for sequence, at_ns in list(self._withheld.items()):
            if self._slots.read(sequence).entered_ns:
                del self._withheld[sequence]
                yield self._fall_due(at_ns, sequence)
            elif now_ns - at_ns > _WITHHELD_WATCHED_NS:
                del self._withheld[sequence]

    def _fall_due(self, at_ns: int, sequence: int) -> Due:
        self._open[sequence] = Slot(0, 0, 0, 0)
        record = self._assignment.record(sequence, self._lines)
        line = record.line
        fields = self._assignment.fields
        level = record.level if "level" in fields or self._assignment.levels else ""
        logger = record.logger if "logger" in fields else ""
        return Due(
            sequence,
            at_ns,
            self._assignment.producer(sequence),
            digest(line),
            len(line.encode("utf-8", "surrogatepass")),
            line.rpartition(" ")[0].isascii(),  # without its identity
            level,
            logger,
        )

    def _planted(self, facts: Sequence[Event]) -> list[Event]:
        """Return which of the records that have become due carry a canary."""
        planted: list[Event] = []
        if isinstance(self._lines, PlantedLines):
            for fact in facts:
                if isinstance(fact, Due) and (canary := self._lines.planted(fact.sequence)) is not None:
                    planted.append(Planted(fact.sequence, canary.canary.kind, canary.path))
        return planted

    def _in_spans(self, facts: Sequence[Event]) -> list[Event]:
        """Return in which spans those of the records are logged that have become due."""
        if "trace" not in self._assignment.fields:
            return []
        due = [fact.sequence for fact in facts if isinstance(fact, Due)]
        spans = [(sequence, span_of(self._assignment.run_id, sequence)) for sequence in due]
        return [InSpan(sequence, *span) for sequence, span in spans if span is not None]

    def _changes(self, sequence: int, before: Slot, after: Slot) -> Iterator[Event]:
        if after.entered_ns != before.entered_ns:
            yield Sent(sequence, after.entered_ns, self._unix_ns(after.entered_ns))
        if after.returned_ns != before.returned_ns:
            refused = after.outcome == REFUSED
            yield (Refused if refused else Answered)(sequence, after.returned_ns)
            if not refused and self._assignment.acknowledged_by != "callback":
                yield Acknowledged(sequence, after.returned_ns)
        if after.acknowledged_ns != before.acknowledged_ns and self._assignment.acknowledged_by == "callback":
            yield Acknowledged(sequence, after.acknowledged_ns)

    def _unix_ns(self, at_ns: int) -> int:
        """Return a moment by the application's wall clock; 0 where no time is to be compared."""
        if "time" not in self._assignment.fields:
            return 0
        unix_ns = at_ns + time.time_ns() - time.monotonic_ns()
        if self._moved_clock is None:
            return unix_ns
        offset_ns = self._moved_clock.offset_ns(at_ns)
        return 0 if offset_ns is None else unix_ns + offset_ns

    def _keep(self, sequence: int, slot: Slot) -> None:
        settled = slot.returned_ns and (
            slot.acknowledged_ns or self._assignment.acknowledged_by != "callback"
        )
        if settled:
            del self._open[sequence]
        else:
            self._open[sequence] = slot


def main(arguments: Sequence[str]) -> int:
    """Watch one run until told to finish or until input ends; return the exit code.

    Args:
        arguments: the paths of the application's assignment, of the history to write and of the control's
            assignment, then the most bytes that the history may have.
    """
    assignment, control = read_assignment(Path(arguments[0])), read_assignment(Path(arguments[2]))
    history = Path(arguments[1])
    try:
        _record(assignment, control, history, int(arguments[3]))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _record(assignment: Assignment, control: Assignment, history: Path, bytes_max: int) -> None:
    recorder = Recorder(history, bytes_max)
    recorder.record_all(assignment.hosted())
    oracle = Oracle(assignment)
    commands = _commands()
    print('{"ready": true}', flush=True)
    calls = ControlCalls(control)
    _watch(oracle, calls, commands, recorder, history.parent / TALLY_FILE)
    recorder.record_all(calls.finish())
    recorder.close()


def _watch(
    oracle: Oracle, calls: ControlCalls, commands: queue.Queue[str], recorder: Recorder, tally_path: Path
) -> None:
    while True:
        try:
            command, _, at_ns = commands.get(timeout=_SWEEP_SECONDS).partition(" ")
        except queue.Empty:
            command = ""
        if command == "begin":
            oracle.begin(int(at_ns))
            calls.begin(int(at_ns))
        elif command == "probe":
            oracle.probe(int(at_ns))
        elif command == "pause":
            oracle.pauses.begin(int(at_ns))
        elif command == "resume":
            oracle.pauses.end(int(at_ns))
        recorder.record_all(oracle.sweep(time.monotonic_ns()))
        recorder.record_all(calls.sweep(time.monotonic_ns()))
        _publish(oracle.tally(), tally_path)
        if command == "finish":
            return


def _publish(tally: Tally, path: Path) -> None:
    fresh = path.with_suffix(".fresh")
    try:
        fresh.write_bytes(orjson.dumps(asdict(tally)))
        fresh.replace(path)
    except OSError as error:
        raise UnavailableError(f"{path}: cannot be written: {error.strerror}; free space there") from error


def _commands() -> queue.Queue[str]:
    """Read standard input on a thread; its end becomes `finish`."""
    commands: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            commands.put(line.strip())
        commands.put("finish")

    threading.Thread(target=read, daemon=True).start()
    return commands


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
