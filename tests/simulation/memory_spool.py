"""A spool in memory: what is acknowledged and saved is not read again after a crash."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from logging_system.delivery.machine import Item
from logging_system.delivery.progress import Outcome
from tests.simulation.store import LARGE_BYTES, BrokenPromiseError

RECORDS = 1_000
TRAFFIC_AFTER = 400
"""Records that follow once all is well: only a store that takes others can be told from a broken document."""

STUMBLING_MAX = 5
"""Documents answered with 500: each needs its share of other traffic to be told from a lost shard."""

BURSTS = 200
"""Records come in so many clumps: fewer steps, and no fewer batches."""

_EPOCHS = (b"a" * 16, b"b" * 16)


@dataclass(slots=True)
class MemorySpool:
    """The spool's promises without a disk; records of an epoch, each with when it appears, by sequence."""

    records: dict[bytes, list[tuple[float, Item]]]
    read_up_to: dict[bytes, int] = field(default_factory=dict)
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    saved: dict[bytes, int] = field(default_factory=dict)

    @property
    def is_dirty(self) -> bool:
        return self.acknowledged != self.saved

    @property
    def records_written(self) -> int:
        return sum(map(len, self.records.values()))

    def read(self, now_seconds: float, bytes_max: int) -> list[Item]:
        read: list[Item] = []
        for epoch, records in self.records.items():
            place = self.read_up_to.get(epoch, 0)
            while bytes_max > 0 and place < len(records) and records[place][0] <= now_seconds:
                read.append(records[place][1])
                bytes_max -= len(records[place][1].document)
                place += 1
            self.read_up_to[epoch] = place
        return read

    def next_seconds(self) -> float:
        return min(
            (
                records[place][0]
                for epoch, records in self.records.items()
                if (place := self.read_up_to.get(epoch, 0)) < len(records)
            ),
            default=math.inf,
        )

    def acknowledge(self, epoch: bytes, next_sequence: int) -> list[str]:
        # Sequences begin at 1, so the next sequence is one more than the place in the list.
        done = self.records[epoch][self.acknowledged.get(epoch, 1) - 1 : next_sequence - 1]
        self.acknowledged[epoch] = next_sequence
        return [item.id for _, item in done]

    def save(self, counts: Mapping[Outcome, int]) -> None:
        del counts
        self.saved = dict(self.acknowledged)

    def crash(self) -> Collection[bytes]:
        self.acknowledged = dict(self.saved)
        self.read_up_to = {epoch: place - 1 for epoch, place in self.saved.items()}
        return tuple(self.records)

    def judge_end(self, is_kept: Callable[[str], bool], poison: Mapping[str, str]) -> None:
        del poison
        for records in self.records.values():
            for _, item in records:
                if not is_kept(item.id):
                    raise BrokenPromiseError(f"{item.id} is nowhere")


def memory_spool(
    rng: random.Random, poison: dict[str, str], healed_seconds: float, within_seconds: float
) -> MemorySpool:
    """Draw what is written when, and what of it is broken.

    Args:
        rng: Where it comes from.
        poison: Receives by id how a record is broken.
        healed_seconds: When the last fault is over.
        within_seconds: Most records come before this.
    """
    moments = sorted(rng.randrange(BURSTS) * within_seconds / BURSTS for _ in range(RECORDS))
    moments += [healed_seconds + 1.0 + place // 10 * 1.5 for place in range(TRAFFIC_AFTER)]
    records: dict[bytes, list[tuple[float, Item]]] = {epoch: [] for epoch in _EPOCHS}
    for moment in moments:
        epoch = rng.choice(_EPOCHS)
        sequence, size_bytes = len(records[epoch]) + 1, rng.randint(60, 200)
        kind = draw_poison(rng, poison.values()) if moment < healed_seconds else ""
        item = Item(epoch, sequence, b"x" * (LARGE_BYTES + 1 if kind == "large" else size_bytes))
        if kind:
            poison[item.id] = kind
        records[epoch].append((moment, item))
    return MemorySpool(records)


def draw_poison(rng: random.Random, earlier: Collection[str]) -> str:
    """Return how the next record is broken; "" if it is in order, as nearly all are."""
    if rng.random() >= 0.012:
        return ""
    stumbling = sum(kind == "stumble" for kind in earlier) < STUMBLING_MAX
    return rng.choice(("mapping", "mapping", "request", "large", *["stumble"] * stumbling))
