"""What the application, its control and the oracle are to do: one JSON file each of them reads by itself.

None of them trusts another's account: due times and lines come from this file alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson

from harness.evidence.lines import FileLines, GeneratedLines, LineSource, stamp
from harness.evidence.secrets.planting import PlantedLines
from harness.evidence.shaped_lines import ShapedLines
from harness.evidence.spans import span_of
from harness.load.slots import SlotFiles, Slots
from harness.load.variation import level_named, level_of, logger_of
from harness.model.declarations import Arguments, Part, tenant_of, worker_name
from harness.model.facts import ProducersHosted
from harness.model.protocols import Record

PROBE_INTERVAL_NS = 20_000_000

TALLY_FILE = "tally.json"
"""Beside the oracle's history: how far it has seen the sending come, for whoever watches."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one application is to send.

    `scheduled` records are due by the schedule; `waves` of `probes` more, numbered after them, are kept back
    until the run wants proof that the stack is alive. Producer threads take sequences in turn; each wave has
    threads of its own, so that a call which hangs holds up no probe. `fields` names what of a record, beside
    its line, will be compared with what is stored; level, logger and span vary only where they are. Where
    several `workers` send, each has producers that follow one another, and a slot file of its own. `secrets`
    are the kinds of canary that some records carry, by the `secret_paths`. `levels` has the first letter of
    each scheduled record's level, where the schedule decides it; those of a wave are INFO then. `shapes` has
    the letter of each one's shape, likewise.
    `wall_clock_path` names the file of the moved clock that the application follows; empty = the machine's.
    `tenants` says of how many parts of the records each tenant is.
    """

    run_id: str
    seed: int
    scheduled: int
    probes: int
    waves: int
    probe_interval_ns: int
    producers: int
    schedule_path: str
    slots_path: str
    input_path: str
    acknowledged_by: str
    intake_kind: str
    intake_arguments: Arguments
    fields: Sequence[str] = ()
    workers: int = 1
    secrets: Sequence[str] = ()
    secret_paths: Sequence[str] = ()
    levels: str = ""
    shapes: str = ""
    wall_clock_path: str = ""
    tenants: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Return how many records there are, probes included."""
        return self.scheduled + self.waves * self.probes

    @property
    def intake(self) -> Part:
        """Return the intake the application hosts."""
        return Part(self.intake_kind, self.intake_arguments)

    def producer(self, sequence: int) -> int:
        """Return which producer thread sends this record.

        Args:
            sequence: the record's, probes included; a probe's producers are others than the schedule's.
        """
        if sequence < self.scheduled:
            return sequence % self.producers
        wave, place = divmod(sequence - self.scheduled, self.probes)
        return (1 + wave) * self.producers + place % self.producers

    def worker(self, producer: int) -> int:
        """Return which worker, from 1, has a producer; those of a wave are spread as the first ones are."""
        return producer % self.producers * self.workers // self.producers + 1

    def hosted(self) -> Iterator[ProducersHosted]:
        """Yield which producers each of several workers has; nothing where one process has all."""
        for worker in range(1, self.workers + 1) if self.workers > 1 else ():
            mine = [producer for producer in range(self.producers) if self.worker(producer) == worker]
            yield ProducersHosted(worker_name(worker), mine[0], mine[-1], self.producers)

    def tenant(self, sequence: int) -> str:
        """Return whose the record `sequence` is, probes included; empty where there are no tenants."""
        return tenant_of(self.tenants, sequence)

    def slots_of(self, worker: int) -> Path:
        """Return the slot file that this worker writes."""
        path = Path(self.slots_path)
        return path if self.workers == 1 else path.with_name(f"{path.stem}-{worker}{path.suffix}")

    def create_slots(self) -> None:
        """Make the slot file of each worker, empty; each has room for all records."""
        for worker in range(1, self.workers + 1):
            Slots.create(self.slots_of(worker), self.records)

    def slots(self) -> SlotFiles:
        """Open the slots of all workers.

        Returns:
            The slot files, which exist already, each mapped; a record's slot is in that of the worker that
            sends it.
        """
        paths = [self.slots_of(worker) for worker in range(1, self.workers + 1)]
        return SlotFiles(paths, lambda sequence: self.worker(self.producer(sequence)) - 1)

    def wave(self, number: int) -> range:
        """Return the sequences of the wave of probes of that number, counted from 0."""
        first = self.scheduled + number * self.probes
        return range(first, first + self.probes)

    def offsets_ns(self) -> Sequence[int]:
        """Return the due times of the scheduled records after the start of sending, in ns."""
        offsets = array("q")
        offsets.frombytes(Path(self.schedule_path).read_bytes())
        return offsets

    def probe_offset_ns(self, sequence: int) -> int:
        """Return when a probe is due after the moment its wave begins, in ns.

        Args:
            sequence: the probe's, `scheduled` or above.
        """
        return (sequence - self.scheduled) % self.probes * self.probe_interval_ns

    def lines(self) -> LineSource:
        """Return the source of the text of all records."""
        lines: LineSource = GeneratedLines(self.seed)
        if self.input_path:
            lines = FileLines(Path(self.input_path), self.records)
        if self.shapes:
            lines = ShapedLines(lines, self.seed, self.shapes)
        if not self.secrets:
            return lines
        return PlantedLines(lines, self.seed, self.run_id, self.secrets, self.secret_paths)

    def record(self, sequence: int, lines: LineSource) -> Record:
        """Return the record as it is sent, its identity included.

        Args:
            sequence: the record's, probes included.
            lines: gives the text; where it plants secrets, the record has its secret.
        """
        record = Record(sequence, stamp(lines.text(sequence), self.run_id, sequence))
        if self.levels:
            letter = self.levels[sequence] if sequence < self.scheduled else "I"
            record = replace(record, level=level_named(letter))
        elif "level" in self.fields:
            record = replace(record, level=level_of(sequence))
        if "logger" in self.fields:
            record = replace(record, logger=logger_of(sequence))
        if "trace" in self.fields:
            record = replace(record, span=span_of(self.run_id, sequence))
        if isinstance(lines, PlantedLines):
            record = replace(record, secret=lines.secret(sequence))
        if self.tenants:
            record = replace(record, tenant=self.tenant(sequence), other_tenant=self._other_tenant(sequence))
        return record

    def _other_tenant(self, sequence: int) -> str:
        """Return whose record that is not: each of the others in turn."""
        others = [tenant for tenant in self.tenants if tenant != self.tenant(sequence)]
        return others[sequence % len(others)] if others else ""

    def write(self, path: Path, offsets_ns: Sequence[int]) -> None:
        """Write the file and its schedule.

        Args:
            path: the file; the schedule goes to `schedule_path`.
            offsets_ns: when each scheduled record is due, in ns after sending begins, by sequence.
        """
        Path(self.schedule_path).write_bytes(array("q", offsets_ns).tobytes())
        path.write_bytes(orjson.dumps(asdict(self)))


def read_assignment(path: Path) -> Assignment:
    """Return the assignment another process of the run wrote."""
    return Assignment(**orjson.loads(path.read_bytes()))
