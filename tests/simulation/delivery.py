"""Drives the delivery machine through one seed: store, network, clock and spool are simulated.

Virtual time jumps from event to event, so an outage of minutes costs nothing. The promises are checked at
every step.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from logging_system.delivery.answers import Answer, NoAnswer
from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits, LookUp, Send
from tests.simulation.faults import LASTING, Fault, draw_schedule
from tests.simulation.store import LARGE_BYTES, BrokenPromiseError, Store

RECORDS = 1_000
TRAFFIC_AFTER = 400
"""Records that follow once all is well: only a store that takes others can be told from a broken document."""

STUMBLING_MAX = 5
"""Documents answered with 500: each needs its share of other traffic to be told from a lost shard."""

FAULTS_MIN, FAULTS_MAX = 20, 30
FAULTS_WITHIN_SECONDS = 60.0
BURSTS = 200
"""Records come in so many clumps: fewer steps, and no fewer batches."""

DRAIN_SECONDS_MAX = 120.0
STEPS_MAX = 40_000
SINK_TIMEOUT_SECONDS = 3.0
LIMITS = Limits(
    batch_records_max=50,
    batch_bytes_max=8_000,
    held_records_max=300,
    held_bytes_max=24_000,
    unfinished_records_max=2_000,
    request_seconds_max=4.0,
    waiting_batches_max=8,
)
WAITING_MAX = LIMITS.waiting_batches_max + LIMITS.concurrency * 12
EPOCHS = (b"a" * 16, b"b" * 16)

MachineFactory = Callable[[random.Random, Limits], DeliveryMachine]


@dataclass(slots=True)
class MemorySpool:
    """The spool's promises without a disk: what is acknowledged and saved is not read again after a crash."""

    records: dict[bytes, list[tuple[float, Item]]]
    read_up_to: dict[bytes, int] = field(default_factory=dict)
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    saved: dict[bytes, int] = field(default_factory=dict)

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
        """When the next record that was not read appears."""
        return min(
            (
                records[place][0]
                for epoch, records in self.records.items()
                if (place := self.read_up_to.get(epoch, 0)) < len(records)
            ),
            default=math.inf,
        )

    def crash(self) -> None:
        self.acknowledged = dict(self.saved)
        # Sequences begin at 1, so the next sequence is one more than the place in the list.
        self.read_up_to = {epoch: place - 1 for epoch, place in self.saved.items()}


@dataclass(frozen=True, slots=True)
class Trip:
    """A request on the simulated network, and what is going to happen to it."""

    command: Send | LookUp
    life: int
    sent_seconds: float
    index_then: str
    active: frozenset[str]
    delay_seconds: float


class Simulation:
    """One seed's run.

    Args:
        seed: What everything is drawn from.
        schedule: The faults, if not those of the seed.
        machine: Makes the machine under test.
    """

    def __init__(
        self, seed: int, schedule: Sequence[Fault] | None = None, machine: MachineFactory = DeliveryMachine
    ) -> None:
        setting = random.Random(seed)
        drawn = draw_schedule(setting, setting.randint(FAULTS_MIN, FAULTS_MAX), FAULTS_WITHIN_SECONDS)
        self.schedule = tuple(drawn if schedule is None else schedule)
        self.healed_seconds = max((fault.start_seconds + fault.seconds for fault in drawn), default=0.0)
        self.rng = random.Random(seed + 1)
        poison: dict[str, str] = {}
        self.spool = MemorySpool(_records(setting, poison, self.healed_seconds))
        self.store = Store(self.rng, poison)
        self.new_machine = machine
        self.machine = machine(self.rng, LIMITS)
        self.life = 0
        self.now = 0.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.letters: list[BuryDeadLetter] = []
        self.is_running = True
        self.restart_seconds = math.inf
        self.save_due_seconds = 0.0
        self.scheduled = 0
        self.requests = 0
        self.last_rollover_seconds = -math.inf
        for fault in self.schedule:
            if fault.kind == "rollover":
                self.at(fault.start_seconds, self.store.rollover)
                self.last_rollover_seconds = fault.start_seconds
            elif fault.kind == "shipper killed":
                self.at(fault.start_seconds, self.kill)
        self.lasting = [fault for fault in self.schedule if fault.kind in LASTING]

    def run(self) -> None:
        """Run to the end.

        Raises:
            BrokenPromiseError: One promise did not hold.
        """
        deadline_seconds = self.healed_seconds + DRAIN_SECONDS_MAX
        for _ in range(STEPS_MAX):
            self.step()
            if self.is_complete():
                self.judge_end()
                return
            self.now = self.next_seconds()
            if self.now > deadline_seconds:
                break
        held = self.machine.progress.unfinished
        raise BrokenPromiseError(
            f"at {self.now:.1f} s, healed at {self.healed_seconds:.1f} s: {held} records still held, "
            f"{self.machine.waiting_batches} batches waiting, {self.machine.in_flight} requests under way, "
            f"breaker {self.machine.breaker.state.value}, last trouble {self.machine.tally.last_trouble!r}"
        )

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        self.scheduled += 1
        heapq.heappush(self.events, (seconds, self.scheduled, act))

    def step(self) -> None:
        while self.events and self.events[0][0] <= self.now:
            heapq.heappop(self.events)[2]()
        if self.now >= self.restart_seconds:
            self.restart()
        if not self.is_running:
            return
        if (room_bytes := self.machine.room_bytes) > 0:
            self.machine.take(self.spool.read(self.now, min(room_bytes, LIMITS.batch_bytes_max)), self.now)
        was_closed = self.machine.breaker.is_closed
        commands = self.machine.commands(self.now)
        for command in commands:
            if isinstance(command, BuryDeadLetter):
                self.letters.append(command)
            else:
                self.carry(command)
        asked = sum(not isinstance(command, BuryDeadLetter) for command in commands)
        if asked > 1 and not was_closed:
            raise BrokenPromiseError(f"{asked} requests through an open breaker")
        self.bury()
        self.save()
        self.check()

    def next_seconds(self) -> float:
        moments = [self.events[0][0] if self.events else math.inf, self.restart_seconds]
        if self.is_running:
            wait_seconds = self.machine.wait_seconds(self.now)
            if wait_seconds is not None:
                moments.append(self.now + wait_seconds + 1e-9)  # rounding must not stop the clock
            if self.machine.room_bytes > 0:
                moments.append(self.spool.next_seconds())
            if self.letters:
                moments.append(self.now + 0.3)
            if self.spool.acknowledged != self.spool.saved:
                moments.append(max(self.now + 0.01, self.save_due_seconds))
        return max(self.now, min(moments))

    def active(self) -> frozenset[str]:
        """The faults that hit a request which begins now."""
        return frozenset(
            fault.kind
            for fault in self.lasting
            if fault.start_seconds <= self.now < fault.start_seconds + fault.seconds
            and (fault.share == 1.0 or self.rng.random() < fault.share)
        )

    def carry(self, command: Send | LookUp) -> None:
        """Take a request to the store and its answer back."""
        self.requests += 1
        active = self.active()
        delay_seconds = self.rng.uniform(0.001, 0.01)
        if "slow" in active:
            delay_seconds += self.rng.uniform(0.1, 1.2)
        trip = Trip(command, self.life, self.now, self.store.write_index, active, delay_seconds)
        timeout_seconds = self.rng.uniform(0.05, SINK_TIMEOUT_SECONDS)
        if "connection refused" in active:
            self.bring_back(trip, self.now + 0.001, NoAnswer("refused", may_have_arrived=False))
        elif "request lost" in active:
            self.bring_back(trip, self.now + timeout_seconds, NoAnswer("reset"))
        elif "commit late" in active:
            given_up_seconds = self.now + SINK_TIMEOUT_SECONDS
            self.bring_back(trip, given_up_seconds, NoAnswer("timed out"))
            self.at(given_up_seconds + self.rng.uniform(0.0, 2.0), lambda: self.arrive(trip))
        else:
            if "answer lost after commit" in active:
                self.bring_back(trip, self.now + delay_seconds + timeout_seconds, NoAnswer("cut"))
            self.at(self.now + delay_seconds, lambda: self.arrive(trip))

    def arrive(self, trip: Trip) -> None:
        """Let the store carry a request out."""
        gave_up = self.life != trip.life or self.now >= trip.sent_seconds + SINK_TIMEOUT_SECONDS
        if gave_up and self.comes_too_late(trip):
            return
        answer = self.execute(trip.command, trip.active)
        if "answer late" in trip.active:
            self.bring_back(trip, self.now + self.rng.uniform(2.0, 6.0), answer)
        elif "answer lost after commit" not in trip.active:
            self.bring_back(trip, self.now + trip.delay_seconds, answer)

    def bring_back(self, trip: Trip, seconds: float, answer: Answer | NoAnswer) -> None:
        self.at(seconds, lambda: self.report(trip.life, trip.command.number, answer))

    def comes_too_late(self, trip: Trip) -> bool:
        """Whether executing it now is what no client can guard against (docs/decisions/0006)."""
        if trip.index_then != self.store.write_index:
            return True
        if self.now > self.last_rollover_seconds:
            return False
        asked = self.store.looked_up_seconds
        return any(asked.get(item.id, -math.inf) >= trip.sent_seconds for item in trip.command.items)

    def execute(self, command: Send | LookUp, active: frozenset[str]) -> Answer:
        if isinstance(command, Send):
            return self.store.bulk(command.items, active)
        self.store.looked_up_seconds.update((item.id, self.now) for item in command.items)
        asked = self.store.indices_since(command.indices)
        return replace(self.store.look_up(command.items, asked, active), asked=asked)

    def report(self, life: int, number: int, answer: Answer | NoAnswer) -> None:
        if self.life == life and self.is_running:
            self.machine.answered(number, answer, self.now)

    def kill(self) -> None:
        """End the shipper at once, as SIGKILL does; it comes back a little later."""
        self.life += 1
        self.is_running = False
        self.letters.clear()
        self.restart_seconds = self.now + self.rng.uniform(0.0, 2.0)

    def restart(self) -> None:
        self.restart_seconds = math.inf
        self.is_running = True
        self.spool.crash()
        self.machine = self.new_machine(self.rng, LIMITS)
        self.machine.doubt(EPOCHS)

    def bury(self) -> None:
        if not self.letters or "dead letters refused" in self.active():
            return
        for letter in self.letters:
            document_id = letter.item.id
            if document_id not in self.store.poison:
                raise BrokenPromiseError(f"{document_id} is in order and was buried: {letter.reason}")
            self.store.buried[document_id] = letter.reason
            self.machine.buried(letter.item)
        self.letters.clear()

    def save(self) -> None:
        for epoch, next_sequence in self.machine.progress.moved().items():
            for _, item in self.spool.records[epoch][
                self.spool.acknowledged.get(epoch, 1) - 1 : next_sequence - 1
            ]:
                if not self.is_kept(item.id):
                    raise BrokenPromiseError(f"{item.id} counts as done and is nowhere")
            self.spool.acknowledged[epoch] = next_sequence
        if self.now >= self.save_due_seconds and "checkpoint refused" not in self.active():
            self.spool.saved = dict(self.spool.acknowledged)
            self.save_due_seconds = self.now + 0.1

    def is_kept(self, document_id: str) -> bool:
        """Whether a record is somewhere it may be."""
        store = self.store
        return store.has(document_id) or document_id in store.buried or document_id in store.failure_store

    def check(self) -> None:
        """Judge what must hold at every moment."""
        machine = self.machine
        counts = machine.progress.counts
        if machine.progress.taken != machine.progress.unfinished + sum(counts.values()):
            raise BrokenPromiseError("the equation of conservation does not hold")
        if machine.held_bytes > LIMITS.held_bytes_max + LARGE_BYTES * 2 or machine.held_bytes < 0:
            raise BrokenPromiseError(f"{machine.held_bytes} document bytes held")
        if machine.held_records > LIMITS.held_records_max + LIMITS.batch_bytes_max // 60:
            raise BrokenPromiseError(f"{machine.held_records} records held")
        if machine.waiting_batches > WAITING_MAX:
            raise BrokenPromiseError(f"{machine.waiting_batches} batches wait")
        if machine.in_flight > LIMITS.concurrency:
            raise BrokenPromiseError(f"{machine.in_flight} requests under way")

    def is_complete(self) -> bool:
        return (
            self.is_running
            and self.restart_seconds == math.inf
            and self.now >= self.healed_seconds
            and not self.machine.progress.unfinished
            and self.spool.next_seconds() == math.inf
        )

    def judge_end(self) -> None:
        """Judge what must hold in the end: each record in exactly one place, all the poison given up."""
        for records in self.spool.records.values():
            for _, item in records:
                stored, poisonous = self.store.has(item.id), item.id in self.store.poison
                if stored == poisonous or not self.is_kept(item.id):
                    raise BrokenPromiseError(f"{item.id}: stored {stored}, poison {poisonous}")


def _records(
    rng: random.Random, poison: dict[str, str], healed_seconds: float
) -> dict[bytes, list[tuple[float, Item]]]:
    """Draw what is written when, and what of it is broken."""
    moments = sorted(rng.randrange(BURSTS) * FAULTS_WITHIN_SECONDS / BURSTS for _ in range(RECORDS))
    moments += [healed_seconds + 1.0 + place // 10 * 1.5 for place in range(TRAFFIC_AFTER)]
    records: dict[bytes, list[tuple[float, Item]]] = {epoch: [] for epoch in EPOCHS}
    for moment in moments:
        epoch = rng.choice(EPOCHS)
        sequence, size_bytes = len(records[epoch]) + 1, rng.randint(60, 200)
        kind = ""
        if moment < healed_seconds and rng.random() < 0.012:
            stumbling = sum(broken == "stumble" for broken in poison.values()) < STUMBLING_MAX
            kind = rng.choice(("mapping", "mapping", "request", "large", *["stumble"] * stumbling))
        item = Item(epoch, sequence, b"x" * (LARGE_BYTES + 1 if kind == "large" else size_bytes))
        if kind:
            poison[item.id] = kind
        records[epoch].append((moment, item))
    return records
