"""Runs storms and prints what was missed, repeated, late and false: `python -m tests.storms --storms 200`."""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.campaign import commit
from tests.storms.judging import Judgement
from tests.storms.plan import CHANNELS, LONG_SECONDS, plan_of
from tests.storms.storm import run_storm


@dataclass(slots=True)
class Totals:
    """What all storms did."""

    storms: int = 0
    by_channel: dict[str, Judgement] = field(default_factory=lambda: {name: Judgement() for name in CHANNELS})
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


def run_storms(
    seeds: Sequence[int],
    at_once: int,
    active_seconds: float = LONG_SECONDS,
    *,
    seconds_max: float = float("inf"),
) -> Totals:
    """Run storms, several at once; the folder of one that broke a promise is kept and named.

    Args:
        seeds: Which.
        at_once: How many at a time.
        active_seconds: For how long something new happens in each.
        seconds_max: When no more are begun.
    """
    totals = Totals()
    end_seconds = time.monotonic() + seconds_max

    def one(seed: int) -> tuple[int, Path, dict[str, Judgement]] | None:
        if time.monotonic() > end_seconds:
            return None
        folder = Path(tempfile.mkdtemp(prefix=f"storm-{seed}-"))
        return seed, folder, run_storm(plan_of(seed, active_seconds), folder)

    with ThreadPoolExecutor(at_once) as pool:
        for seed, folder, found in filter(None, pool.map(one, seeds)):
            plan = plan_of(seed, active_seconds)
            totals.storms += 1
            for channel, judgement in found.items():
                totals.by_channel[channel].add(judgement)
                totals.faults.update(f"{channel} {each.mode}" for each in plan.unwell[channel])
            totals.faults.update("watch killed" if death.is_kill else "watch ended" for death in plan.deaths)
            totals.faults["second watch"] += plan.has_standby
            if all(judgement.is_clean for judgement in found.values()):
                shutil.rmtree(folder)
            else:
                totals.failed.append(f"storm {seed}, {folder}: {found}")
                print(totals.failed[-1], flush=True)
            print(f"storms: {totals.storms}, next {seed + 1}", file=sys.stderr, flush=True)
    return totals


def table(totals: Totals, seconds: float) -> str:
    """Return the table, with the commit that it is of."""
    lines = [
        "| channel | alerts | missed | repeated | late | false | without end | again, same key | parked "
        "| crossed → received, median / max (of) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for channel, found in totals.by_channel.items():
        times = found.seconds or [0.0]
        lines.append(
            f"| {channel} | {found.alerts} | {found.missed} | {found.repeated} | {found.late} "
            f"| {found.false} | {found.unended} | {found.again} | {found.parked} "
            f"| {statistics.median(times):.2f} s / {max(times):.2f} s ({len(found.seconds)}) |"
        )
    faults = ", ".join(f"{name} {count}" for name, count in sorted(totals.faults.items()))
    lines.append(f"\n{totals.storms} storms, {len(totals.failed)} with a broken promise; {faults}")
    lines.append(f"{seconds:.0f} s, commit {commit()}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run storms; exit code 1 if one broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.storms")
    parser.add_argument("--storms", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--at-once", type=int, default=6, help="how many run at a time")
    parser.add_argument(
        "--seconds", type=float, default=LONG_SECONDS, help="for how long something new happens in each"
    )
    parser.add_argument("--minutes", type=float, default=240.0, help="begin no more storms after this")
    options = parser.parse_args(arguments)
    began_seconds = time.monotonic()
    seeds = range(options.first, options.first + options.storms)
    totals = run_storms(seeds, options.at_once, options.seconds, seconds_max=60 * options.minutes)
    print(table(totals, time.monotonic() - began_seconds))
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
