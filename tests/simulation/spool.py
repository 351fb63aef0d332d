"""Runs the spool on a simulated disk by seed: `python -m tests.simulation.spool --seeds 1000 --first 1`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from logging_system.spool.codec import PLAIN_CODECS
from tests.simulation.campaign import PROCESSES, Trial, hunt, run_seeds
from tests.simulation.disk import Strike
from tests.simulation.spool_bugs import BUGS
from tests.simulation.spool_steps import Setting, Step, setting, shrunk, steps
from tests.simulation.spool_world import Parts, World, run
from tests.toy_codec import toy_codecs

CORPUS = Path(__file__).parent / "spool_corpus.json"
_SHRINK_RUNS_MAX = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """A schedule that failed once.

    Attributes:
        found: What was wrong.
        bug: The deliberate bug that makes it fail again.
        setting: What holds for its run.
        schedule: Its steps.
    """

    found: str
    bug: str
    setting: Setting
    schedule: tuple[Step, ...]


def corpus() -> list[Entry]:
    """Return the schedules that once failed, oldest first.

    They are kept as schedules: a seed would give other steps with every change of what draws them.
    """
    return [
        Entry(
            each["found"],
            each["bug"],
            Setting(**{**each["setting"], "synced": tuple(each["setting"]["synced"])}),
            tuple(_step(step) for step in each["schedule"]),
        )
        for each in orjson.loads(CORPUS.read_bytes())
    ]


def _step(content: dict[str, Any]) -> Step:
    strikes = tuple(Strike(**strike) for strike in content["strikes"])
    meanwhile = tuple(_step(step) for step in content["meanwhile"])
    return Step(content["action"], content["actor"], content["amount"], strikes, meanwhile)


def run_seed(seed: int, parts: Parts) -> World:
    """Run one seed.

    Raises:
        AssertionError: With the command that runs it again and a schedule made as short as possible.
    """
    of = setting(seed)
    try:
        world, _ = run(of, steps(of), parts)
    except AssertionError as error:
        raise AssertionError(_report(seed, parts, error)) from error
    return world


def _report(seed: int, parts: Parts, error: AssertionError) -> str:
    def fails(candidate: Sequence[Step]) -> bool:
        try:
            run(setting(seed), candidate, parts)
        except AssertionError:
            return True
        return False

    short = shrunk(getattr(error, "schedule", []), fails, _SHRINK_RUNS_MAX)
    return "\n".join(
        [
            f"seed {seed}: {error}",
            f"again: python -m tests.simulation.spool --seeds 1 --first {seed}{_codec_flag(parts)}",
            f"{setting(seed)}",
            *map(str, short),
        ]
    )


def _codec_flag(parts: Parts) -> str:
    return "" if parts.codecs is PLAIN_CODECS else " --toy-codec"


def seeds_until_found(name: str, first: int, seeds_max: int) -> int | None:
    """Return how many seeds it takes from `first` on to find a deliberate bug, or None."""
    for count in range(1, seeds_max + 1):
        of = setting(first + count - 1)
        try:
            run(of, steps(of), BUGS[name])
        except Exception:  # a bug may show as anything but silence
            return count
    return None


def trial(seed: int, parts: Parts | None = None) -> Trial:
    """Run one seed and say what it did."""
    try:
        world = run_seed(seed, parts or Parts())
    except AssertionError as error:
        return Trial(seed, str(error))
    return Trial(seed, None, world.records, world.faults)


def toy_trial(seed: int) -> Trial:
    """Run one seed whose blocks are authenticated."""
    return trial(seed, Parts(codecs=toy_codecs()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds, or measure how fast each deliberate bug is found; returns 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N")
    parser.add_argument("--first", type=int, default=1, metavar="K")
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="P")
    parser.add_argument("--toy-codec", action="store_true", help="store blocks authenticated, with a key")
    parser.add_argument("--bugs", action="store_true", help="find each deliberate bug N times instead")
    options = parser.parse_args(arguments)
    if options.bugs:
        bugs = {name: partial(_hunt, name, options.first) for name in BUGS}
        return hunt("spool", bugs, options.seeds, options.processes)
    seeds = range(options.first, options.first + options.seeds)
    run_one = toy_trial if options.toy_codec else trial
    return 1 if run_seeds("spool", run_one, seeds, processes=options.processes).failures else 0


def _hunt(name: str, first: int, number: int) -> int | None:
    return seeds_until_found(name, first + 1_000 * number, 1_000)


if __name__ == "__main__":
    sys.exit(main())
