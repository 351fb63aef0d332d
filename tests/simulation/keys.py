"""Runs sealed spools and their keys by seed: `python -m tests.simulation.keys --seeds 1000 --first 1`."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Iterable, Sequence
from functools import partial

from tests.simulation.campaign import PROCESSES, Trial, hunt, run_seeds
from tests.simulation.keyed_process import KeyParts
from tests.simulation.keys_bugs import BUGS
from tests.simulation.keys_steps import key_setting, keyed_steps
from tests.simulation.keys_world import KeyedWorld
from tests.simulation.spool_steps import Setting, Step, setting, shrunk
from tests.simulation.spool_world import Parts

RECORDS_MIN = 200
FAULTS_MIN = 15
ROTATIONS_MIN = 2
SEEDS_FOR_A_BUG_MAX = 400
_STEPS_MAX = 1_500
_SHRINK_RUNS_MAX = 300
_COLLECTED_EVERY = 10


def setting_of(seed: int) -> Setting:
    """Return the spool's setting of a seed; disks that lie about syncs keep no promise."""
    drawn = setting(seed)
    return Setting(
        drawn.seed, drawn.spool_bytes_max, drawn.synced, drawn.retention_bytes, drawn.rots, lies=False
    )


def run(seed: int, schedule: Iterable[Step], key_parts: KeyParts) -> tuple[KeyedWorld, list[Step]]:
    """Run a schedule until there was enough of all, or until it ends; then judge.

    Raises:
        AssertionError: A promise was broken; the steps done so far are its `schedule`.
    """
    world = KeyedWorld(setting_of(seed), Parts(), key_setting(seed), key_parts)
    done: list[Step] = []
    try:
        for step in schedule:
            done.append(step)
            world.act(step)
            if len(done) >= _STEPS_MAX or (
                world.records >= RECORDS_MIN
                and world.faults >= FAULTS_MIN
                and world.rotations >= ROTATIONS_MIN
            ):
                break
        world.finish()
    except Exception as error:
        error.schedule = done  # type: ignore[attr-defined]
        raise
    finally:
        world.close()
    return world, done


def run_seed(seed: int, key_parts: KeyParts | None = None) -> KeyedWorld:
    """Run one seed.

    Raises:
        AssertionError: With the command that runs it again and a schedule made as short as possible.
    """
    parts = key_parts or KeyParts()
    try:
        world, _ = run(seed, keyed_steps(setting_of(seed)), parts)
    except Exception as error:  # what is no broken promise is a crash of the product
        raise AssertionError(_report(seed, parts, error)) from error
    return world


def _report(seed: int, parts: KeyParts, error: Exception) -> str:
    def fails(candidate: Sequence[Step]) -> bool:
        try:
            run(seed, candidate, parts)
        except Exception as other:
            return type(other) is type(error)
        return False

    short = shrunk(getattr(error, "schedule", []), fails, _SHRINK_RUNS_MAX)
    told = str(error) if isinstance(error, AssertionError) else "".join(traceback.format_exception(error))
    return "\n".join(
        [
            f"seed {seed}: {told}",
            f"again: python -m tests.simulation.keys --seeds 1 --first {seed}",
            f"{setting_of(seed)}",
            f"{key_setting(seed)}",
            *map(str, short),
        ]
    )


def seeds_until_found(name: str, first: int, seeds_max: int) -> int | None:
    """Return how many seeds it takes from `first` on to find a deliberate bug, or None."""
    for count in range(1, seeds_max + 1):
        seed = first + count - 1
        try:
            run(seed, keyed_steps(setting_of(seed)), BUGS[name])
        except Exception:  # a bug may show as anything but silence
            return count
    return None


def trial(seed: int) -> Trial:
    """Run one seed and say what it did."""
    try:
        world = run_seed(seed)
    except AssertionError as error:
        return Trial(seed, str(error))
    finally:
        if seed % _COLLECTED_EVERY == 0:
            gc.collect()  # each world is a circle of some megabytes
    return Trial(seed, None, world.records, world.faults)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds, or measure how fast each deliberate bug is found; returns 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N")
    parser.add_argument("--first", type=int, default=1, metavar="K")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="P")
    parser.add_argument("--bugs", action="store_true", help="find each deliberate bug N times instead")
    options = parser.parse_args(arguments)
    if options.bugs:
        bugs = {name: partial(_hunt, name, options.first) for name in BUGS}
        return hunt("keys", bugs, options.seeds, options.processes)
    seeds = range(options.first, options.first + options.seeds)
    return 1 if run_seeds("keys", trial, seeds, processes=options.processes).failures else 0


def _hunt(name: str, first: int, number: int) -> int | None:
    return seeds_until_found(name, first + 1_000 * number, SEEDS_FOR_A_BUG_MAX)


if __name__ == "__main__":
    sys.exit(main())
