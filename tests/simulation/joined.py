"""From a writer's fsync to the store: the real spool on a simulated disk feeds the delivery machine.

`python -m tests.simulation.joined --seeds 1000 --first 0`. Time is the delivery simulation's, and so is what
befalls network and store; what befalls the disk and the writers is drawn as in the spool's simulation.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from logging_system.delivery.machine import Item
from logging_system.delivery.progress import Outcome
from logging_system.delivery.trials import QUIET_SECONDS
from logging_system.spool.segment import list_segments
from tests.simulation.__main__ import main
from tests.simulation.delivery import DRAIN_SECONDS_MAX, FAULTS_WITHIN_SECONDS, LIMITS, Simulation
from tests.simulation.disk import FOLDER, Killed
from tests.simulation.faults import Fault, draw_schedule
from tests.simulation.memory_spool import TRAFFIC_AFTER, draw_poison
from tests.simulation.spool_steps import Setting, Step, setting, steps
from tests.simulation.spool_world import RECORDS_MIN, BrokenPromiseError, Name, Parts, World
from tests.simulation.store import LARGE_BYTES

STORE_FAULTS_MIN, STORE_FAULTS_MAX = 12, 20
_APPENDED_MIN = 1_500
_LOOK_SECONDS = 0.12
_LOOKS_MAX = 6
"""Looks that find nothing before the spool counts as empty: damage is judged at the second, removed later."""

_TRAFFIC_STEPS = 40


@dataclass(frozen=True, slots=True)
class DiskStep(Fault):
    """What a writer does at its moment, or what befalls the shipper's next look or save."""

    step: Step

    def __str__(self) -> str:
        return f"{self.start_seconds:.2f} s  {self.step}"


class DiskSpool(World):
    """Writers on a simulated disk, and the shipper's end of their folder.

    Args:
        of: What holds for the run.
        parts: What it is made of.
        poison: Receives by id how a record is broken, once it has been read.
    """

    step_seconds = 0.0

    def __init__(self, of: Setting, parts: Parts, poison: dict[str, str]) -> None:
        super().__init__(of, parts)
        self.is_dirty = False
        self.is_healed = False
        self.is_kept: Callable[[str], bool] = lambda _: False
        self._poison = poison
        self._kinds: dict[bytes, str] = {}
        self._read_items: list[Item] = []
        self._next_look_seconds = 0.0
        self._empty_looks = 0
        self._hits: dict[str, list[Step]] = {"read": [], "save": []}
        self._totals: dict[str, int] = {}
        self._restored: dict[str, int] = {}
        self._totals_are_stale = False
        self._may_read = False
        self.crash()

    @property
    def is_read(self) -> bool:
        """Whether the shipper is alive."""
        return self._reader is not None

    def act_at(self, now_seconds: float, step: Step) -> None:
        """Do a step at its time; those of the shipper's side wait for its next look or save."""
        self._disk.now_seconds = now_seconds
        if step.action in self._hits:
            self._hits[step.action].append(step)
        else:
            self.act(step)
            self._expect_records()

    def end(self) -> None:
        """Let the writers end."""
        self.end_writers()
        self._expect_records()

    def heal(self) -> None:
        """Let nothing befall anybody from now on."""
        self.is_healed = True
        for hits in self._hits.values():
            hits.clear()

    # What the delivery simulation asks of a spool

    @property
    def records_written(self) -> int:
        return self.records

    def read(self, now_seconds: float, bytes_max: int) -> Sequence[Item]:
        if now_seconds < self._next_look_seconds:
            return ()
        self._disk.now_seconds = now_seconds
        self._act_hit("read", bytes_max)
        items, self._read_items = self._read_items, []
        self._empty_looks = 0 if items else self._empty_looks + 1
        self._next_look_seconds = now_seconds if items else now_seconds + _LOOK_SECONDS
        return items

    def next_seconds(self) -> float:
        return self._next_look_seconds if self._empty_looks < _LOOKS_MAX else math.inf

    def acknowledge(self, epoch: bytes, next_sequence: int) -> Sequence[str]:
        if self._reader is None:
            return ()
        sequences = self._in_flight.get(epoch, [])
        done = [sequence for sequence in sequences if sequence < next_sequence]
        self._in_flight[epoch] = sequences[len(done) :]
        self._done[epoch] = next_sequence
        self._reader.acknowledge(epoch, next_sequence)
        self.is_dirty = self._totals_are_stale = True
        return [_id((epoch, sequence)) for sequence in done]

    def save(self, counts: Mapping[Outcome, int]) -> None:
        if self.is_dirty:
            self._totals = {
                outcome.value: counts[outcome] + self._restored.get(outcome.value, 0) for outcome in Outcome
            }
            self._totals_are_stale = False
            self._act_hit("save", 1)

    def kill(self) -> None:
        """End the shipper."""
        self._may_read = False
        if self._reader_process is not None:
            self._disk.kill(self._reader_process)
        self._bury()

    def crash(self) -> Collection[bytes]:
        self.kill()
        reader = self._living_reader(Step("read", 0, 1))
        self._may_read = True
        self._restored = self._totals = reader.restored_counters
        self._read_items, self._totals_are_stale = [], False
        self._expect_records()
        assert self._reader_process is not None
        return list_segments(FOLDER, self._reader_process).keys()

    def judge_end(self, is_kept: Callable[[str], bool], poison: Mapping[str, str]) -> None:
        del is_kept, poison
        self._judge_losses()
        self._judge_damage()
        self._judge_leftovers()
        self._judge_counts()

    def _judge_counts(self) -> None:
        if not self._checkpoint_is_sound:
            return
        kept = {name for name in self._delivered if self._has_arrived(name)}
        # What arrived and could not be read again after a crash is counted as what destroyed it.
        readable = (kept & self._acknowledged.keys()) - self._evicted - self._rotten
        durable = sum(self._acknowledged[name][1] for name in readable)
        counted = sum(self._totals.values())
        if not durable <= counted <= len(kept):
            raise BrokenPromiseError(
                f"{counted} records counted, of {durable} durable ones and {len(kept)} that arrived"
            )

    # How the world's steps differ

    def _read(self, step: Step) -> None:
        if self._may_read:
            for name, document in self._take(self._living_reader(step), step.amount):
                item = Item(*name, document)
                if kind := self._kinds.get(document):
                    self._poison[item.id] = kind
                self._read_items.append(item)
            self.is_dirty = True

    def _save(self, step: Step) -> None:
        if self._may_read and not self._totals_are_stale:
            done = dict(self._done)
            self._living_reader(step).save(self._totals)
            self.is_dirty = False
            if self._checkpoint_is_sound:
                self._note_saved(done)

    def _acknowledge(self, step: Step) -> None:
        """Leave it to the delivery machine, also in the middle of a writer's call."""

    def _document(self) -> bytes:
        document = super()._document()
        kind = "" if self.is_healed else draw_poison(self._rng, self._kinds.values())
        if kind:
            document += b" " * (LARGE_BYTES if kind == "large" else 0)
            self._kinds[document] = kind
        return document

    def _has_arrived(self, name: Name) -> bool:
        return self.is_kept(_id(name))

    def _act_hit(self, action: str, amount: int) -> None:
        hits = self._hits[action]
        hit = hits.pop(0) if hits else Step(action, 0, amount)
        self.act(replace(hit, amount=amount))
        if self._reader is None:
            raise Killed

    def _expect_records(self) -> None:
        self._empty_looks, self._next_look_seconds = 0, self._disk.now_seconds


def _id(name: Name) -> str:
    return Item(*name, b"").id


class Joined(Simulation):
    """One seed's run from the writers' appends to the store; as `Simulation`, but with a disk."""

    name = "joined"
    # A spool may be full of what was delivered after a document under judgement: nothing is left to judge it.
    drain_seconds_max = DRAIN_SECONDS_MAX + QUIET_SECONDS
    parts = Parts()
    steps_of: Callable[[Setting], Iterator[Step]] = staticmethod(steps)
    spool_bytes_min = 65_536
    read_records_max = LIMITS.batch_bytes_max // 20 + 60
    # Blocks are read whole, and one may hold several large documents.
    read_bytes_over_max = 6 * LARGE_BYTES

    def draw(self, setting: random.Random) -> Sequence[Fault]:
        faults = setting.randint(STORE_FAULTS_MIN, STORE_FAULTS_MAX)
        drawn: list[Fault] = list(draw_schedule(setting, faults, FAULTS_WITHIN_SECONDS))
        chosen: list[Step] = []
        appended = 0
        for step in self.steps_of(self.setting()):
            chosen.append(step)
            appended += step.amount if step.action == "append" else 0
            if appended >= _APPENDED_MIN:
                break
        moments = sorted(setting.uniform(0.0, FAULTS_WITHIN_SECONDS) for _ in chosen)
        drawn += [
            DiskStep("disk", moment, 0.0, 1.0, step) for moment, step in zip(moments, chosen, strict=True)
        ]
        return drawn

    @property
    def faults(self) -> int:
        planned = sum(not isinstance(fault, DiskStep) for fault in self.schedule)
        return planned + self.disk_spool.faults

    def open_spool(self, setting: random.Random, poison: dict[str, str]) -> DiskSpool:
        del setting
        self.disk_spool = DiskSpool(self.setting(), self.parts, poison)
        self.disk_spool.is_kept = self.is_kept
        self.has_ended = False
        return self.disk_spool

    def setting(self) -> Setting:
        """Return the spool simulation's setting, but for disks that lie about syncs: they keep no promise.

        And for spools that would take fewer than the records a seed is to have.
        """
        drawn = setting(self.seed)
        spool_bytes_max = max(self.spool_bytes_min, drawn.spool_bytes_max)
        retention_bytes = spool_bytes_max // 2 if drawn.retention_bytes else 0
        return replace(drawn, lies=False, spool_bytes_max=spool_bytes_max, retention_bytes=retention_bytes)

    def plan(self, fault: Fault) -> None:
        if isinstance(fault, DiskStep):
            self.at(fault.start_seconds, lambda: self.act(fault.step))
        else:
            super().plan(fault)

    def run(self) -> None:
        self.at(self.healed_seconds, self.disk_spool.heal)
        for place in range(_TRAFFIC_STEPS):
            self.at(self.healed_seconds + 1.0 + place * 1.5, self.add_traffic)
        self.at(self.healed_seconds + 1.0 + _TRAFFIC_STEPS * 1.5, self.end)
        super().run()

    def act(self, step: Step) -> None:
        """Let a step on the disk take place; the shipper may die of it."""
        if step.action == "kill_reader":
            self.kill()
            return
        self.disk_spool.act_at(self.now, step)
        if self.is_running and not self.disk_spool.is_read:
            self.kill()

    def add_traffic(self) -> None:
        """Append records that nothing befalls."""
        amount = max(TRAFFIC_AFTER, RECORDS_MIN - self.disk_spool.records) // _TRAFFIC_STEPS + 1
        self.act(Step("append", 0, amount + (amount % 3 == 0)))

    def end(self) -> None:
        """Let the writers end; from now on the run is over when all is in its place."""
        self.disk_spool.end()
        self.has_ended = True

    def step(self) -> None:
        try:
            super().step()
        except Killed:
            self.kill()

    def kill(self) -> None:
        super().kill()
        self.disk_spool.kill()

    def is_complete(self) -> bool:
        return self.has_ended and not self.disk_spool.is_dirty and super().is_complete()


if __name__ == "__main__":
    sys.exit(main(simulation_of=Joined, command="python -m tests.simulation.joined"))
