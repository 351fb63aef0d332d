"""`python -m tests.simulation.cache --seeds 100000 --first 0`: one world a seed, no wrong answer."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tests.simulation.cache.world import KNOWN_WRONG, World, WrongAnswerError
from tests.simulation.campaign import PROCESSES, Trial, hunt, run_seeds

HUNT_SEEDS_MAX = 5_000


def run_seed(seed: int) -> Trial:
    """Run one seed; its records are the answers judged, its faults what happened."""
    world = World(seed)
    trouble = None
    try:
        world.run()
    except WrongAnswerError as error:
        trouble = f"{error}\nagain: python -m tests.simulation.cache --first {seed} --seeds 1"
    return Trial(seed, trouble, records=world.fresh, faults=world.events, requests=world.store.requests)


def found_after(bug: str, number: int) -> int | None:
    """How many seeds it takes to find a deliberate bug; None where none found it."""
    for tried in range(HUNT_SEEDS_MAX):
        try:
            World(number * HUNT_SEEDS_MAX + tried, KNOWN_WRONG[bug]).run()
        except WrongAnswerError:
            return tried + 1
    return None


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--bugs", action="store_true", help="hunt the known-wrong caches instead")
    chosen = parser.parse_args()
    if chosen.bugs:
        bugs = {bug: partial(found_after, bug) for bug in KNOWN_WRONG}
        return hunt("cache", bugs, hunts=3, processes=chosen.processes)
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    return 1 if run_seeds("cache", run_seed, seeds, processes=chosen.processes).failures else 0


if __name__ == "__main__":
    sys.exit(main())
