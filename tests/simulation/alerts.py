"""Rules, grouping and outbox in virtual time: bursts, late records, outages, crashes and clock jumps.

`python -m tests.simulation.alerts --seeds 1000 --first 0`. The world knows which bursts there are, as it
makes them; the judge looks at nothing but what receivers got.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from logging_system.alerting.evaluation import Evaluation
from logging_system.alerting.facts import Notification
from logging_system.alerting.forward_clock import ForwardClock, ForwardState
from logging_system.alerting.grouping import AlertLabels, Grouping, GroupingTimes, Moment
from logging_system.alerting.muting import Muting
from logging_system.alerting.outbox import Message, NotNow, Outbox, Outcome, Taken
from logging_system.alerting.rules.declared import Clock
from logging_system.alerting.rules.error_count import ErrorCount
from logging_system.alerting.rules.windowed import WindowedMachine
from logging_system.alerting.state_file import decode_state, encode_state
from tests.simulation.campaign import PROCESSES, Trial, run_seeds

EPOCH = 1_700_000_000.0
THRESHOLD = 5
WINDOW_SECONDS = 60.0
LATENESS_SECONDS = 120.0
TIMES = GroupingTimes(wait_seconds=5, interval_seconds=30, repeat_seconds=300)
SERVICES = ("a", "b", "c")
CHANNELS = ("mail", "hook")
_TICK_SECONDS = 1.0
_QUIET_SECONDS = 200.0
"""Between bursts of one service: two windows, what alerts take to end, and a margin."""
_DRAIN_SECONDS = 1_500.0


class BrokenPromiseError(AssertionError):
    """What receivers got is not what happened."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is simulated; deliberate bugs replace one of them."""

    evaluation: type[Evaluation] = Evaluation
    grouping: type[Grouping] = Grouping
    outbox: type[Outbox] = Outbox
    clock: type[ForwardClock] = ForwardClock
    times: GroupingTimes = TIMES
    threshold: int = THRESHOLD


@dataclass(frozen=True, slots=True, order=True)
class Logged:
    """One record: when it can be read, in true seconds, and what it says."""

    read_seconds: float
    event_seconds: float
    service: str


@dataclass(frozen=True, slots=True)
class Story:
    """What happens in one seed, in true seconds.

    Attributes:
        records: All records, as they can be read.
        bursts: How many alerts each service has.
        crashes: When the process dies, and how long it stays away.
        restarts: As crashes, but in order.
        outages: By channel, when it takes nothing.
        jumps: When the time of day is moved, and by how much.
        end_seconds: When all is over.
    """

    records: tuple[Logged, ...]
    bursts: dict[str, int]
    crashes: tuple[tuple[float, float], ...]
    restarts: tuple[tuple[float, float], ...]
    outages: dict[str, tuple[tuple[float, float], ...]]
    jumps: tuple[tuple[float, float], ...]
    end_seconds: float

    def offset(self, second: float) -> float:
        """Return how wrong the time of day is."""
        return sum(by for at, by in self.jumps if at <= second)


def story_of(seed: int) -> Story:
    """Return a seed's story."""
    rng = random.Random(seed)
    jumping = rng.random() < 0.3
    length = rng.uniform(900, 3_600)
    bursts: dict[str, list[float]] = {service: [] for service in SERVICES}
    if jumping:
        second = 50.0
        while second < length:
            bursts[rng.choice(SERVICES)].append(second)
            second += rng.uniform(3 * _QUIET_SECONDS, 4 * _QUIET_SECONDS)
    else:
        for service in SERVICES:
            second = rng.uniform(0, 300)
            while second < length:
                bursts[service].append(second)
                second += _QUIET_SECONDS + 60 + rng.expovariate(1 / 300)
    starts = sorted(start for each in bursts.values() for start in each)
    jumps = tuple(
        (
            start + rng.uniform(_QUIET_SECONDS, 2 * _QUIET_SECONDS),
            rng.choice((-1, 1)) * 10 ** rng.uniform(0, 4),
        )
        for start in starts
        if jumping and rng.random() < 0.5
    )
    bare = Story((), {}, (), (), {}, jumps, length)
    counts = {start: _count(rng) for start in starts}
    records = sorted(
        record
        for service, each in bursts.items()
        for start in each
        for record in _burst(rng, service, start, counts[start], bare, late=not jumping)
    )
    return Story(
        records=tuple(records),
        bursts={
            service: sum(counts[start] >= THRESHOLD for start in each) for service, each in bursts.items()
        },
        crashes=_times(rng, length, 4, 60),
        restarts=_times(rng, length, 2, 60),
        outages={channel: _times(rng, length, 3, 400) for channel in CHANNELS},
        jumps=jumps,
        end_seconds=length + _DRAIN_SECONDS,
    )


def _count(rng: random.Random) -> int:
    """Return how many errors a burst has: enough for an alert, or nearly."""
    return rng.randint(THRESHOLD, 4 * THRESHOLD) if rng.random() < 0.7 else THRESHOLD - 1


def _burst(
    rng: random.Random, service: str, start: float, count: int, bare: Story, *, late: bool
) -> Iterator[Logged]:
    lasting = rng.uniform(0, 40)
    lateness = rng.uniform(0, LATENESS_SECONDS - 5) if late and rng.random() < 0.4 else 0.0
    share = rng.choice((0.3, 1.0))
    for _ in range(count):
        second = start + rng.uniform(0, lasting)
        delay = lateness if rng.random() < share else 0.0
        yield Logged(second + delay + rng.uniform(0, 1), EPOCH + second + bare.offset(second), service)


def _times(
    rng: random.Random, length: float, most: int, seconds_max: float
) -> tuple[tuple[float, float], ...]:
    return tuple(
        sorted((rng.uniform(0, length), rng.uniform(0, seconds_max)) for _ in range(rng.randint(0, most)))
    )


@dataclass(slots=True)
class Got:
    """A message that a receiver took."""

    at_seconds: float
    notification: Notification


@dataclass(slots=True)
class World:
    """What outlives the process: the records, the state on the disk, the receivers, the clocks.

    Attributes:
        story: What happens.
        parts: What is simulated.
        rng: Chance.
        seed: What it was made of.
        now: True seconds.
        saved: The state on the disk.
        made: When notifications were made, by key, in true seconds.
        got: What receivers took, by channel.
    """

    story: Story
    parts: Parts
    rng: random.Random
    seed: int = 0
    now: float = 0.0
    saved: bytes = b""
    made: dict[str, float] = field(default_factory=dict)
    got: dict[str, list[Got]] = field(default_factory=lambda: {channel: [] for channel in CHANNELS})

    def wall(self) -> float:
        """Return the time of day."""
        return EPOCH + self.now + self.story.offset(self.now)

    def boot(self) -> float:
        """Return the seconds since the system was booted."""
        return 1_000.0 + self.now


class Process:
    """One life of the process that watches: what `Watch.look` does, on the world instead of files."""

    def __init__(self, world: World) -> None:
        self.world, parts = world, world.parts
        rule = ErrorCount(name="errors", threshold=parts.threshold, window_seconds=WINDOW_SECONDS)
        self.evaluation = parts.evaluation([rule], lateness_seconds=LATENESS_SECONDS, series_max=100)
        known = {"errors": AlertLabels()}
        self.grouping = parts.grouping(parts.times, ("rule", "service.name"), known, identity="simulated")
        self.outbox = parts.outbox(CHANNELS)
        self.next_record, self.read_seconds = 0, 0.0
        # Most rows are packed all the time in every other seed, as with very many alerts.
        full_max = 1_000 if world.seed % 2 else 0
        self.grouping.alerts.full_max = full_max
        for machine in self.evaluation._machines.values():
            assert isinstance(machine, WindowedMachine)
            machine._series.full_max = full_max
        state: dict[str, Any] | None = decode_state(world.saved) if world.saved else None
        clock = None if state is None else ForwardState(**state["clock"])
        self.forward = parts.clock(clock, boot=world.boot, wall=world.wall, this_boot="b1")
        self.outcomes: list[tuple[float, Message, Outcome]] = []
        self.save_due = 0.0
        if state is not None:
            self.next_record, self.read_seconds = state["next_record"], state["read_seconds"]
            self.evaluation.restore(state["evaluation"])
            self.grouping.restore(state["grouping"])
            self.outbox.restore(state["outbox"])

    def look(self) -> None:
        """Read, decide, save and send once."""
        world = self.world
        clock = Clock(world.wall(), min(world.wall(), self.read_seconds))
        records = world.story.records
        while self.next_record < len(records) and records[self.next_record].read_seconds <= world.now:
            self.evaluation.tell(_document(records[self.next_record]), clock)
            self.next_record += 1
        clock = Clock(world.wall(), world.wall())
        self.read_seconds = clock.read_seconds
        moment = Moment(self.forward(), world.wall())
        for change in self.evaluation.changes(clock):
            self.grouping.note(change, (), moment)
        must_save = self._take_outcomes()
        for notification in self.grouping.due(moment, Muting()):
            self.outbox.put(notification, CHANNELS)
            world.made[notification.key] = world.now
            must_save = True
        if must_save or world.now >= self.save_due:
            self.save()
        for message in self.outbox.to_send(self.forward()):
            self._send(message)

    def save(self) -> None:
        """Write the state to the world's disk."""
        content = {
            "clock": _content_of(self.forward.state()),
            "next_record": self.next_record,
            "read_seconds": self.read_seconds,
            "evaluation": self.evaluation.content(),
            "grouping": self.grouping.content(),
            "outbox": self.outbox.content(),
        }
        self.world.saved = b"".join(encode_state(content))
        self.save_due = self.world.now + 1.0

    def _send(self, message: Message) -> None:
        """Give a message to its receiver: it takes it or not, and says so or not, at once or later."""
        world, rng = self.world, self.world.rng
        is_down = any(at <= world.now <= at + lasting for at, lasting in world.story.outages[message.channel])
        outcome: Outcome = Taken()
        if is_down:
            outcome = NotNow("down")
        else:
            world.got[message.channel].append(Got(world.now, message.notification))
            if rng.random() < 0.1:
                outcome = NotNow("no answer", may_have_arrived=True)
        self.outcomes.append((world.now + rng.choice((0.0, 0.0, 2.0, 8.0)), message, outcome))

    def _take_outcomes(self) -> bool:
        ready = [each for each in self.outcomes if each[0] <= self.world.now]
        self.outcomes = [each for each in self.outcomes if each[0] > self.world.now]
        for _, message, outcome in ready:
            self.outbox.settled(message, outcome, self.forward())
        return bool(ready)


def _content_of(state: ForwardState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in ForwardState.__slots__}


def _document(record: Logged) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.event_seconds, UTC).isoformat()
    return {"@timestamp": moment, "log": {"level": "error"}, "service": {"name": record.service}}


def run_seed(seed: int, parts: Parts | None = None) -> World:
    """Run a seed and judge it.

    Raises:
        BrokenPromiseError: An alert was missed, repeated or false, or it never ended.
    """
    story = story_of(seed)
    world = World(story, parts or Parts(), random.Random(seed), seed)
    process: Process | None = Process(world)
    deaths = sorted([(*each, True) for each in story.crashes] + [(*each, False) for each in story.restarts])
    away_until = 0.0
    while world.now < story.end_seconds:
        while deaths and deaths[0][0] <= world.now:
            at, lasting, is_crash = deaths.pop(0)
            if process is not None and not is_crash:
                process.save()
            process, away_until = None, max(away_until, at + lasting)
        if process is None and world.now >= away_until:
            process = Process(world)
        if process is not None:
            process.look()
        world.now += _TICK_SECONDS * world.rng.uniform(0.5, 5.0)
    for channel in CHANNELS:
        _judge(world, channel, f"seed {seed}, channel {channel}")
    return world


def _judge(world: World, channel: str, where: str) -> None:
    """Compare what a receiver got with what happened; a message that came again under its key counts once."""
    first: dict[str, Got] = {}
    for got in world.got[channel]:
        first.setdefault(got.notification.key, got)
    for service in SERVICES:
        told = [
            (got, notice)
            for got in first.values()
            for notice in got.notification.notices
            if dict(notice.labels)["service.name"] == service
        ]
        firing = [(got, notice) for got, notice in told if notice.is_firing]
        begun, times = world.story.bursts[service], sum(notice.times for _, notice in firing)
        if times < begun:
            raise BrokenPromiseError(f"{where}: {begun - times} of {begun} alerts of {service} were missed")
        if times > begun:
            raise BrokenPromiseError(f"{where}: {times - begun} alerts of {service} are false or repeated")
        moments = sorted(world.made[got.notification.key] for got, _ in firing)
        for earlier, later in pairwise(moments):
            if later - earlier < TIMES.repeat_seconds - 1e-6:
                raise BrokenPromiseError(f"{where}: {service} was told twice within {later - earlier:.1f} s")
        if told and told[-1][1].is_firing:
            raise BrokenPromiseError(f"{where}: nobody was told that {service} ended")


def _trial(seed: int) -> Trial:
    story = story_of(seed)
    faults = (
        len(story.crashes) + len(story.restarts) + len(story.jumps) + sum(map(len, story.outages.values()))
    )
    try:
        world = run_seed(seed)
    except BrokenPromiseError as error:
        again = f"python -m tests.simulation.alerts --first {seed} --seeds 1"
        return Trial(seed, f"{error}\n  again: {again}", len(story.records), faults, 0)
    return Trial(seed, None, len(story.records), faults, sum(map(len, world.got.values())))


def main(arguments: list[str] | None = None) -> int:
    """Run seeds; exit code 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.alerts")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="how many run seeds at once")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    totals = run_seeds("alerts", _trial, seeds, processes=options.processes)
    return 1 if totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
