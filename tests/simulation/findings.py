"""Detection of findings in virtual time: honest load of many shapes stays quiet, declared changes are found.

```
seed ─ load (Poisson, bursts, on and off, by hour of day) ─┐
     └ change (or none) at a moment ───────────────────────┴─ Detector, second by second ─ judged
```

A false finding is one of a run without a change, or of another kind than a change's; a missed one is a change
that has no finding of its kind within the time that its declaration allows.

    python -m tests.simulation.findings --seeds 1000
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import orjson

from logging_system.coordination.detection.detector import Detector
from logging_system.coordination.detection.pipeline_moment import (
    PipelineMoment,
    RoomMoment,
    ShipperMoment,
    WritersMoment,
)
from logging_system.coordination.detection.seen_record import SeenRecord
from logging_system.coordination.findings import Finding
from logging_system.monitoring.delays import BOUNDS_SECONDS, bucket_of

START = 1_700_000_000
QUIET_SECONDS = 300
RECORDS_A_SECOND_MAX = 400
"""Rates of the simulation are small, so that a seed takes a fraction of a second; limits scale with them."""

Rate = Callable[[int, random.Random], float]


def poisson(mean: float, rng: random.Random) -> int:
    """Draw from a Poisson distribution; Knuth's method below 30, else the normal approximation."""
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def _steady(rng: random.Random) -> Rate:
    mean = rng.choice([2.0, 20.0, 60.0])
    return lambda _second, _rng: mean


def _bursty(rng: random.Random) -> Rate:
    """Bursts of 1 to 8 s at up to eight times the rate, again and again, the first within half a minute."""
    mean, times, every = rng.uniform(5, 40), rng.uniform(2, 8), rng.uniform(8, 30)
    state = {"until": 0.0, "next": rng.uniform(3, 30)}

    def rate(second: int, drawn: random.Random) -> float:
        if second >= state["next"]:
            state["until"] = second + drawn.uniform(1, 8)
            state["next"] = state["until"] + drawn.expovariate(1 / every)
        return mean * times if second < state["until"] else mean

    return rate


def _on_and_off(rng: random.Random) -> Rate:
    mean, on, off = rng.uniform(5, 60), rng.randint(3, 20), rng.randint(3, 20)
    return lambda second, _rng: mean if second % (on + off) < on else 0.0


def _by_hour(rng: random.Random) -> Rate:
    """A day in a few minutes: rises and falls by a factor of up to four."""
    mean, depth, period = rng.uniform(10, 40), rng.uniform(0.2, 0.6), rng.uniform(120, 900)
    return lambda second, _rng: mean * (1 + depth * math.sin(2 * math.pi * second / period))


SHAPES: dict[str, Callable[[random.Random], Rate]] = {
    "steady": _steady,
    "bursty": _bursty,
    "on_and_off": _on_and_off,
    "by_hour": _by_hour,
}


def _burst_soon(rng: random.Random) -> Rate:
    """Twenty times the rate for three seconds, of which a detector knows only some seconds before."""
    mean, begin = rng.choice([8.0, 20.0, 50.0]), rng.randint(11, 40)
    return lambda second, _rng: mean * 20 if begin <= second < begin + 3 else mean


HONEST: dict[str, Callable[[random.Random], Rate]] = {**SHAPES, "burst_soon": _burst_soon, "busy": _bursty}
"""What no finding is owed to: also a service that logs mostly errors, and a machine that is busy."""
ERROR_SHARES = {"burst_soon": 0.4, "busy": 0.4}


@dataclass(frozen=True)
class Change:
    """Something that goes wrong, of a declared size.

    Attributes:
        kinds: The kinds of findings that are right for it.
        cause: The class of cause that is right for it.
        within_seconds: How long it may take to be found.
        shapes: Under which loads it is promised to be found.
        after_seconds: How long all is well before.
        effects: Kinds that its effects may show as, beside its own.
    """

    kinds: tuple[str, ...]
    cause: str
    within_seconds: int
    shapes: tuple[str, ...] = tuple(SHAPES)
    after_seconds: int = 20
    effects: tuple[str, ...] = ()


_FLOWING = ("steady", "bursty", "by_hour")
"""Where nothing is logged, nothing shows that the store is gone."""

CHANGES: dict[str, Change] = {
    "store_down": Change(
        ("store_unreachable",), "store_down", 10, shapes=_FLOWING, effects=("latency_shift", "disk_filling")
    ),
    "store_frozen": Change(
        ("store_unreachable",), "network", 10, shapes=_FLOWING, effects=("latency_shift", "disk_filling")
    ),
    "store_refuses": Change(
        ("push_back",), "store_refuses", 10, shapes=_FLOWING, effects=("latency_shift", "disk_filling")
    ),
    "store_slow": Change(("latency_shift",), "store_slow", 10, shapes=("steady", "by_hour")),
    "disk_full": Change(("disk_filling",), "disk", 10),
    "keys_gone": Change(("key_trouble",), "keys", 10),
    "stored_twice": Change(("duplicates",), "network", 15, shapes=("steady", "by_hour")),
    "new_error": Change(("new_error",), "application", 15, after_seconds=305),
    "error_spike": Change(("spike",), "application", 30, after_seconds=160),
    "load_spike": Change(("spike",), "load", 30, after_seconds=200, effects=("latency_shift",)),
    "silence": Change(
        ("silence",), "application", 80, shapes=("steady", "by_hour"), after_seconds=240, effects=("drop",)
    ),
    "drop": Change(("drop",), "load", 60, shapes=("steady",), after_seconds=240),
}
STEADY_RATE_OF_CHANGE = 30.0


@dataclass
class World:
    """The pipeline and its records, second by second."""

    rng: random.Random
    rate: Rate
    change: str = ""
    change_at: int = 1 << 30
    shipper: ShipperMoment = field(default_factory=lambda: ShipperMoment(1, searchable_counts=(0,) * 20))
    writers: WritersMoment = field(default_factory=lambda: WritersMoment(1, durable_counts=(0,) * 20))
    backlog: int = 0
    failures: int = 0
    highest_rate: float = 0.0
    events: Counter[str] = field(default_factory=Counter)
    error_share: float = 0.01
    is_busy_at_times: bool = False
    busy_until: int = 0
    late_seconds: float = 0.0
    more_seconds: float = 0.0

    def second(self, second: int) -> tuple[list[SeenRecord], PipelineMoment]:
        """Return what is logged in a second, and the pipeline at its end."""
        change = self.change if second >= self.change_at else ""
        if self.is_busy_at_times:
            self._compete(second)
        records = list(self._records(second, change))
        self._write(len(records), change)
        self._ship(change)
        room = RoomMoment(1_000, 1 << 30, 0 if change == "disk_full" else 1 << 34, 1 << 35)
        return records, PipelineMoment(
            START + second + 1.0, self.shipper, self.writers, room, dict(self.events), self.late_seconds
        )

    def _compete(self, second: int) -> None:
        """Let others use the machine for some seconds, again and again: everyone wakes late."""
        if second >= self.busy_until + self.rng.randint(3, 30):
            self.busy_until = second + self.rng.randint(4, 25)
            self.more_seconds = self.rng.uniform(0.2, 1.8)
        is_busy = second < self.busy_until
        self.late_seconds = self.more_seconds / 2 * self.rng.uniform(0.6, 1.0) if is_busy else 0.002

    def _records(self, second: int, change: str) -> Iterator[SeenRecord]:
        rate = self.rate(second, self.rng)
        if change == "silence":
            return
        if change == "load_spike":
            rate = max(60.0, 6 * self.highest_rate)
        elif change == "drop":
            rate *= 0.1
        else:
            self.highest_rate = max(self.highest_rate, rate)
        for _ in range(poisson(rate, self.rng)):
            is_error = self.rng.random() < (0.5 if change == "error_spike" else self.error_share)
            message = (
                f"payment {self.rng.randrange(10**6)} was refused"
                if is_error
                else f"order {self.rng.randrange(10**6)}"
            )
            yield self._record(second, 40 if is_error else 20, message)
        if change == "error_spike":
            for _ in range(poisson(20.0, self.rng)):
                yield self._record(second, 40, f"payment {self.rng.randrange(10**6)} was refused")
        if change == "new_error" and second % 2 == 0:
            yield self._record(second, 40, f"cannot open ledger {second}")

    def _record(self, second: int, level: int, message: str) -> SeenRecord:
        fraction = self.rng.random()
        seconds = START + second + fraction
        return SeenRecord(seconds, level, "", "shop", "shop.cart", message, f"{seconds:.6f}")

    def _write(self, count: int, change: str) -> None:
        writers = self.writers
        durable = list(writers.durable_counts)
        durable[bucket_of(self.rng.uniform(0.002, 0.02))] += count
        errors = dict(writers.spool_errors)
        if change == "disk_full" and count:
            errors["ENOSPC"] = errors.get("ENOSPC", 0) + 1
        if change == "keys_gone":
            self.events["key_unavailable"] += 1
        self.writers = replace(
            writers, offered=writers.offered + count, durable_counts=tuple(durable), spool_errors=errors
        )
        self.backlog += count

    def _ship(self, change: str) -> None:
        shipper = replace(self.shipper, in_flight=1 if self.backlog else 0)
        if change in {"store_down", "store_refuses"} and self.backlog:
            words = (
                "Connection refused"
                if change == "store_down"
                else "HTTP 429: es_rejected_execution_exception"
            )
            self.failures += 3
            shipper = replace(
                shipper,
                requests=shipper.requests + 3,
                unproved=shipper.unproved + 3,
                is_breaker_open=self.failures >= 5,
                trouble=f"http://store:9200: {words}",
            )
        elif change != "store_frozen" and self.backlog:
            # Now and then a store pauses for a second or two, and a request fails.
            if self.rng.random() < 0.02:
                self.shipper = replace(shipper, spooled=self.backlog)
                return
            failed = self.rng.random() < 0.01
            delays = self._delays(change)
            conflicts = round(0.6 * self.backlog) if change == "stored_twice" else 0
            counts = list(shipper.searchable_counts)
            for _ in range(self.backlog):
                counts[bucket_of(min(BOUNDS_SECONDS[-1], delays()))] += 1
            shipper = replace(
                shipper,
                requests=shipper.requests + 2 + failed,
                unproved=shipper.unproved + failed,
                delivered=shipper.delivered + self.backlog,
                conflicts=shipper.conflicts + conflicts,
                searchable_counts=tuple(counts),
                in_flight=self.rng.randint(0, 2),
                trouble="no complete answer within 10 s" if failed else shipper.trouble,
            )
            self.backlog = 0
        self.shipper = replace(shipper, spooled=self.backlog)

    def _delays(self, change: str) -> Callable[[], float]:
        middle = 1.05 + (1.5 if change == "store_slow" else 0.0)
        if self.late_seconds > 0.01:
            middle += self.more_seconds
        return lambda: self.rng.lognormvariate(math.log(middle), 0.05)


@dataclass(frozen=True)
class Seed:
    """What one seed came to.

    Attributes:
        change: What went wrong; empty where nothing did.
        shape: The load.
        false: Findings that nothing explains.
        missed: Whether the change was not found in time.
        took_seconds: How long it took.
        is_cause_right: Whether the finding named the right class of cause.
    """

    change: str
    shape: str
    false: tuple[str, ...]
    missed: bool
    took_seconds: float
    is_cause_right: bool


def run(number: int, made: Callable[[], Detector] = Detector) -> Seed:
    """Run one seed: every second one has no change; a few are stopped and restored in their midst.

    Args:
        number: The seed.
        made: Makes what is judged.
    """
    rng = random.Random(number)
    change = "" if number % 2 else rng.choice(sorted(CHANGES))
    declared = CHANGES.get(change)
    shape = rng.choice(list(declared.shapes if declared else HONEST))
    change_at = declared.after_seconds + rng.randint(0, 20) if declared else 1 << 30
    rate = HONEST[shape](rng)
    if change in {"store_slow", "stored_twice", "silence", "drop"}:  # promised from this rate on
        steady = rate
        rate = lambda second, drawn: max(STEADY_RATE_OF_CHANGE, steady(second, drawn))  # noqa: E731
    world = World(
        rng,
        rate,
        change,
        change_at,
        error_share=ERROR_SHARES.get(shape, 0.01),
        is_busy_at_times=shape == "busy",
    )
    last = QUIET_SECONDS if declared is None else change_at + declared.within_seconds
    restart_at = rng.randrange(last) if number % 5 == 0 else -1
    detector, found = made(), []
    for second in range(last):
        records, moment = world.second(second)
        for record in records:
            detector.tell(record)
        found += [each for each in detector.look(moment, moment.seconds) if each.until_seconds is None]
        if second == restart_at:
            content = orjson.loads(orjson.dumps(detector.content()))
            detector = made()
            detector.restore(content)
    return _judged(number, change, shape, change_at, found)


def _judged(number: int, change: str, shape: str, change_at: int, found: list[Finding]) -> Seed:
    declared = CHANGES.get(change)
    right = [each for each in found if declared and each.kind.value in declared.kinds]
    explained = {*declared.kinds, *declared.effects} if declared else set()
    false = tuple(
        f"seed {number} ({shape}, {change or 'no change'}): {each.summary}"
        for each in found
        if each.kind.value not in explained or each.found_seconds < START + change_at
    )
    took_seconds = right[0].found_seconds - START - change_at if right else math.inf
    is_right = any(each.cause.value == (declared.cause if declared else "") for each in right)
    return Seed(change, shape, false, declared is not None and not right, took_seconds, is_right)


def main(arguments: list[str] | None = None) -> int:
    """Run seeds and print what came of them; returns 1 where a finding was false or missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args(arguments)
    seeds = [run(number) for number in range(options.first, options.first + options.seeds)]
    quiet = [each for each in seeds if not each.change]
    false = [sentence for each in seeds for sentence in each.false]
    print("| what | runs | found | cause right | slowest, s |\n| --- | ---: | ---: | ---: | ---: |")
    for name in sorted(CHANGES):
        of_change = [each for each in seeds if each.change == name]
        hits = [each for each in of_change if not each.missed]
        causes = sum(each.is_cause_right for each in hits)
        slowest = max((each.took_seconds for each in hits), default=math.nan)
        print(f"| {name} | {len(of_change)} | {len(hits)} | {causes} | {slowest:.0f} |")
    missed = sum(each.missed for each in seeds)
    print(
        f"\n{len(seeds)} seeds: {missed} missed, {len(false)} false findings; {len(quiet)} without a change"
    )
    for sentence in false[:20]:
        print(sentence)
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
