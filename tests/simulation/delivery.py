"""Drives the delivery machine through one seed: store, network, clock and spool are simulated.

The simulated store answers as Elasticsearch does, and the sink's own strict reading tells the machine.

Virtual time jumps from event to event, so an outage of minutes costs nothing. The promises are checked at
every step.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits, LookUp, Send
from logging_system.delivery.outcomes import LookUpOutcome, SendOutcome
from logging_system.delivery.progress import Outcome
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_answer import read_bulk_answer
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer, NoAnswer
from logging_system.sinks.elasticsearch.look_up_answer import read_look_up_answer
from tests.simulation.faults import LASTING, Fault, draw_schedule
from tests.simulation.memory_spool import memory_spool
from tests.simulation.store import LARGE_BYTES, BrokenPromiseError, Store

FAULTS_MIN, FAULTS_MAX = 20, 30
FAULTS_WITHIN_SECONDS = 60.0
DRAIN_SECONDS_MAX = 120.0
STEPS_MAX = 40_000
SINK_TIMEOUT_SECONDS = 3.0
LIMITS = Limits(
    batch_records_max=50,
    batch_bytes_max=8_000,
    held_records_max=300,
    held_bytes_max=24_000,
    unfinished_records_max=1_200,
    request_seconds_max=4.0,
    waiting_batches_max=8,
)
WAITING_MAX = LIMITS.waiting_batches_max + LIMITS.concurrency + math.ceil(math.log2(LIMITS.batch_records_max))
"""Batches of more than one document, see `Departures.may_take_apart`."""

HELD_BYTES_MAX = LIMITS.held_bytes_max * 3 // 2
"""Up to half of it may be judged alone, beside what is held otherwise."""

MachineFactory = Callable[[random.Random, Limits], DeliveryMachine]


class Spool(Protocol):
    """Where the records come from: in memory (`memory_spool.py`), or the real one (`joined.py`)."""

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to save."""
        ...

    @property
    def records_written(self) -> int:
        """How many records were handed in."""
        ...

    def read(self, now_seconds: float, bytes_max: int) -> Sequence[Item]:
        """Return records that were not read before, or not since the last crash."""
        ...

    def next_seconds(self) -> float:
        """When reading may bring something."""
        ...

    def acknowledge(self, epoch: bytes, next_sequence: int) -> Sequence[str]:
        """Take note that all before `next_sequence` is done; the ids of those that were not done before."""
        ...

    def save(self, counts: Mapping[Outcome, int]) -> None:
        """Make the progress survive a crash."""
        ...

    def crash(self) -> Collection[bytes]:
        """Begin again as after a SIGKILL; the epochs whose records were there before."""
        ...

    def judge_end(self, is_kept: Callable[[str], bool], poison: Mapping[str, str]) -> None:
        """Judge what must hold of each record in the end."""
        ...


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

    name = "delivery"
    drain_seconds_max = DRAIN_SECONDS_MAX
    read_records_max = LIMITS.batch_bytes_max // 60
    read_bytes_over_max = 2 * LARGE_BYTES

    def __init__(
        self, seed: int, schedule: Sequence[Fault] | None = None, machine: MachineFactory = DeliveryMachine
    ) -> None:
        self.seed = seed
        setting = random.Random(seed)
        drawn = self.draw(setting)
        self.schedule = tuple(drawn if schedule is None else schedule)
        self.healed_seconds = max((fault.start_seconds + fault.seconds for fault in drawn), default=0.0)
        self.rng = random.Random(seed + 1)
        poison: dict[str, str] = {}
        self.spool = self.open_spool(setting, poison)
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
            self.plan(fault)
        self.lasting = [fault for fault in self.schedule if fault.kind in LASTING]

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return len(self.schedule)

    @property
    def records(self) -> int:
        """How many records there were."""
        return self.spool.records_written

    def draw(self, setting: random.Random) -> Sequence[Fault]:
        """Draw the faults of a run."""
        return draw_schedule(setting, setting.randint(FAULTS_MIN, FAULTS_MAX), FAULTS_WITHIN_SECONDS)

    def open_spool(self, setting: random.Random, poison: dict[str, str]) -> Spool:
        """Return the spool of this run; `poison` says of the records in it how they are broken."""
        return memory_spool(setting, poison, self.healed_seconds, FAULTS_WITHIN_SECONDS)

    def plan(self, fault: Fault) -> None:
        """Let a fault without duration take place when its time comes."""
        if fault.kind == "rollover":
            self.at(fault.start_seconds, self.store.rollover)
            self.last_rollover_seconds = max(self.last_rollover_seconds, fault.start_seconds)
        elif fault.kind == "shipper killed":
            self.at(fault.start_seconds, self.kill)

    def run(self) -> None:
        """Run to the end.

        Raises:
            BrokenPromiseError: One promise did not hold.
        """
        deadline_seconds = self.healed_seconds + self.drain_seconds_max
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
            if self.spool.is_dirty:
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
            refused = NoAnswer("refused", may_have_arrived=False)
            self.bring_back(trip, self.now + 0.001, read(trip.command, refused))
        elif "request lost" in active:
            self.bring_back(trip, self.now + timeout_seconds, read(trip.command, NoAnswer("reset")))
        elif "commit late" in active:
            given_up_seconds = self.now + SINK_TIMEOUT_SECONDS
            self.bring_back(trip, given_up_seconds, read(trip.command, NoAnswer("timed out")))
            self.at(given_up_seconds + self.rng.uniform(0.0, 2.0), lambda: self.arrive(trip))
        else:
            if "answer lost after commit" in active:
                cut = read(trip.command, NoAnswer("cut"))
                self.bring_back(trip, self.now + delay_seconds + timeout_seconds, cut)
            self.at(self.now + delay_seconds, lambda: self.arrive(trip))

    def arrive(self, trip: Trip) -> None:
        """Let the store carry a request out."""
        gave_up = self.life != trip.life or self.now >= trip.sent_seconds + SINK_TIMEOUT_SECONDS
        if gave_up and self.comes_too_late(trip):
            return
        outcome = self.execute(trip.command, trip.active)
        if "answer late" in trip.active:
            self.bring_back(trip, self.now + self.rng.uniform(2.0, 6.0), outcome)
        elif "answer lost after commit" not in trip.active:
            self.bring_back(trip, self.now + trip.delay_seconds, outcome)

    def bring_back(self, trip: Trip, seconds: float, outcome: SendOutcome | LookUpOutcome) -> None:
        self.at(seconds, lambda: self.report(trip.life, trip.command.number, outcome))

    def comes_too_late(self, trip: Trip) -> bool:
        """Whether executing it now is what no client can guard against (docs/decisions/0006)."""
        if trip.index_then != self.store.write_index:
            return True
        if self.now > self.last_rollover_seconds:
            return False
        asked = self.store.looked_up_seconds
        return any(asked.get(item.id, -math.inf) >= trip.sent_seconds for item in trip.command.items)

    def execute(self, command: Send | LookUp, active: frozenset[str]) -> SendOutcome | LookUpOutcome:
        if isinstance(command, Send):
            return read(command, self.store.bulk(command.items, active))
        self.store.looked_up_seconds.update((item.id, self.now) for item in command.items)
        asked = self.store.indices_since(command.indices)
        return read(command, self.store.look_up(command.items, asked, active), asked)

    def report(self, life: int, number: int, outcome: SendOutcome | LookUpOutcome) -> None:
        if self.life == life and self.is_running:
            self.machine.answered(number, outcome, self.now)

    def kill(self) -> None:
        """End the shipper at once, as SIGKILL does; it comes back a little later."""
        self.life += 1
        self.is_running = False
        self.letters.clear()
        self.restart_seconds = self.now + self.rng.uniform(0.0, 2.0)

    def restart(self) -> None:
        self.restart_seconds = math.inf
        self.is_running = True
        self.machine = self.new_machine(self.rng, LIMITS)
        self.machine.doubt(tuple(self.spool.crash()))

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
            for document_id in self.spool.acknowledge(epoch, next_sequence):
                if not self.is_kept(document_id):
                    raise BrokenPromiseError(f"{document_id} counts as done and is nowhere")
        if self.now >= self.save_due_seconds and "checkpoint refused" not in self.active():
            self.spool.save(self.machine.progress.counts)
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
        if machine.held_bytes > HELD_BYTES_MAX + self.read_bytes_over_max or machine.held_bytes < 0:
            raise BrokenPromiseError(f"{machine.held_bytes} document bytes held")
        if machine.held_records > LIMITS.held_records_max + self.read_records_max:
            raise BrokenPromiseError(f"{machine.held_records} records held")
        if machine.waiting_batches - machine.waiting_alone > WAITING_MAX:
            raise BrokenPromiseError(f"{machine.waiting_batches} batches wait, {machine.waiting_alone} alone")
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
        self.spool.judge_end(self.is_kept, self.store.poison)
        for document_id in self.store.poison:
            if self.store.has(document_id):
                raise BrokenPromiseError(f"{document_id} is stored and poison")


def read(
    command: Send | LookUp, answer: HttpAnswer | NoAnswer, asked: Collection[str] = ()
) -> SendOutcome | LookUpOutcome:
    """Read an answer as the sink does.

    Args:
        command: What was asked.
        answer: What came back.
        asked: For a look-up, the indices that were asked.
    """
    if isinstance(command, Send):
        return read_bulk_answer(answer, command.items, runs_of(command.items))
    return read_look_up_answer(answer, [item.id for item in command.items], {*command.indices, *asked})
