"""Which workflow is chosen, in worlds whose recovery times are known: harm, relearning, time saved.

`python -m tests.simulation.learning --runs 200 --first 0 [--times FILE [--episodes 60]]`.

A world has, for each class of cause, a distribution of recovery times for each of four runbooks and for doing
nothing. The judge compares the mean of what was chosen with doing nothing, and with the one runbook that
would have been best for all causes.

A file of recorded times is JSON, such as `tests/learning/recorded_times.json`, with an entry for each episode
that was measured:

    {"times": [{"cause": "store_slow", "workflow": "shrink", "seconds": 41.2}]}

`workflow` is `nothing` where none ran. Each cause needs at least one entry for each workflow of the file, and
for `nothing`; an episode's time is drawn among the entries of its cause and workflow.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from logging_system.coordination.outcomes.memory import NOTHING, Outcomes

CAUSES = ("store_slow", "store_refuses", "disk", "application")
RUNBOOKS = ("shrink", "fallback", "restart", "quiet")
NAMESPACE = "shop"
EPISODES = 60
"""For each cause."""
HARM_MAX = 1.05
SAVED_MIN = 0.30
RELEARN_EPISODES = 30
_SPREAD = 0.4
_CONFIDENCE = 1.96

Draw = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class World:
    """How long recovery takes.

    Attributes:
        draws: What draws a recovery time in seconds, by cause and workflow.
        means: Its mean.
    """

    draws: Mapping[tuple[str, str], Draw]
    means: Mapping[tuple[str, str], float]

    @property
    def causes(self) -> list[str]:
        """The classes of cause."""
        return sorted({cause for cause, _ in self.draws})

    @property
    def runbooks(self) -> list[str]:
        """The workflows, without doing nothing."""
        return sorted({name for _, name in self.draws if name != NOTHING})


def drawn_world(rng: random.Random, *, is_harmful: bool) -> World:
    """Return a world: each cause has another right runbook, or every runbook does harm."""
    means: dict[tuple[str, str], float] = {}
    for number, cause in enumerate(CAUSES):
        nothing = math.exp(rng.uniform(math.log(60), math.log(600)))
        means[cause, NOTHING] = nothing
        for place, name in enumerate(RUNBOOKS):
            if is_harmful:
                share = rng.uniform(1.2, 3.0)
            elif place == number:
                share = rng.uniform(0.2, 0.45)
            else:
                share = rng.uniform(0.9, 2.0)
            means[cause, name] = nothing * share
    return World({key: _log_normal(mean) for key, mean in means.items()}, means)


def _log_normal(mean: float) -> Draw:
    middle = math.log(mean) - _SPREAD**2 / 2
    return lambda rng: rng.lognormvariate(middle, _SPREAD)


def recorded_world(path: Path) -> World:
    """Return the world of a file of recorded times.

    Raises:
        ValueError: An entry is none, or a cause lacks a workflow; says where and what.
    """
    times: dict[tuple[str, str], list[float]] = {}
    for number, each in enumerate(json.loads(path.read_text())["times"]):
        try:
            key = (str(each["cause"]), str(each["workflow"]))
            times.setdefault(key, []).append(float(each["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} times[{number}]: expected cause, workflow and seconds: {error!r}"
            ) from error
    names = {name for _, name in times} | {NOTHING}
    for cause in {cause for cause, _ in times}:
        for name in names:
            if (cause, name) not in times:
                raise ValueError(f"{path}: cause {cause} has no time for {name}")
    return World(
        {key: _among(each) for key, each in times.items()},
        {key: statistics.mean(each) for key, each in times.items()},
    )


def _among(times: Sequence[float]) -> Draw:
    return lambda rng: rng.choice(times)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of many episodes came to, in mean seconds an episode.

    Attributes:
        chosen: As it was chosen.
        nothing: Had nothing been done.
        best_fixed: Had the one runbook been run that is best for all causes together.
    """

    chosen: float
    nothing: float
    best_fixed: float

    @property
    def harm(self) -> float:
        """How many times as long as doing nothing."""
        return self.chosen / self.nothing

    @property
    def saved(self) -> float:
        """The share of the best fixed runbook's time that was saved."""
        return 1 - self.chosen / self.best_fixed


def run_world(world: World, seed: int, episodes: int = EPISODES) -> Run:
    """Let the learner choose through a run of episodes, the causes in random order."""
    rng, outcomes = random.Random(seed), Outcomes(random.Random(seed + 1_000_000))
    order = [cause for cause in world.causes for _ in range(episodes)]
    rng.shuffle(order)
    chosen = 0.0
    for number, cause in enumerate(order):
        name = outcomes.choose(NAMESPACE, cause, world.runbooks) or NOTHING
        chosen += world.means[cause, name]
        outcomes.note(str(number), NAMESPACE, cause, name, world.draws[cause, name](rng))
    fixed = [sum(world.means[cause, name] for cause in order) for name in world.runbooks]
    nothing = sum(world.means[cause, NOTHING] for cause in order)
    return Run(chosen / len(order), nothing / len(order), min(fixed) / len(order))


def relearning(seed: int, episodes: int = EPISODES) -> list[bool]:
    """Return, for each episode after the world has changed, whether the right runbook was chosen."""
    rng, outcomes = random.Random(seed), Outcomes(random.Random(seed + 1_000_000))
    before, cause = drawn_world(rng, is_harmful=False), CAUSES[0]
    right, other = RUNBOOKS[0], RUNBOOKS[1]
    for number in range(episodes):
        name = outcomes.choose(NAMESPACE, cause, RUNBOOKS) or NOTHING
        outcomes.note(f"before-{number}", NAMESPACE, cause, name, before.draws[cause, name](rng))
    swapped = {right: other, other: right}
    was_right = []
    for number in range(episodes):
        name = outcomes.choose(NAMESPACE, cause, RUNBOOKS) or NOTHING
        seconds = before.draws[cause, swapped.get(name, name)](rng)
        outcomes.note(f"after-{number}", NAMESPACE, cause, name, seconds)
        was_right.append(name == other)
    return was_right


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean's interval of 95 %."""
    mean = statistics.mean(values)
    half = _CONFIDENCE * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean - half, mean + half


def main(arguments: list[str] | None = None) -> int:
    """Run many worlds and print what came of them; exit code 1 where a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.learning")
    parser.add_argument("--runs", type=int, default=200, help="how many worlds of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--times", type=Path, help="a file of recorded times instead of drawn worlds")
    parser.add_argument(
        "--episodes", type=int, default=EPISODES, help=f"for each cause of the file; default {EPISODES}"
    )
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.runs)
    if options.times is not None:
        recorded = recorded_world(options.times)
        return _tell("recorded", [run_world(recorded, seed, options.episodes) for seed in seeds], saves=True)
    helpful = [run_world(drawn_world(random.Random(seed), is_harmful=False), seed) for seed in seeds]
    harmful = [run_world(drawn_world(random.Random(seed), is_harmful=True), seed) for seed in seeds]
    broken = _tell("helpful", helpful, saves=True) | _tell("harmful", harmful, saves=False)
    shares = [statistics.mean(relearning(seed)[RELEARN_EPISODES:]) for seed in seeds]
    low, high = interval(shares)
    print(
        f"changed: after {RELEARN_EPISODES} episodes the right runbook is chosen in "
        f"{statistics.mean(shares):.1%} of episodes ({low:.1%} to {high:.1%})"
    )
    return broken | int(statistics.mean(shares) < 0.5)


def _tell(kind: str, runs: Sequence[Run], *, saves: bool) -> int:
    harms, saved = [each.harm for each in runs], [each.saved for each in runs]
    low, high = interval(saved)
    print(
        f"{kind}: {len(runs)} runs, {statistics.mean(harms):.3f} times doing nothing "
        f"(19 of 20 below {sorted(harms)[19 * len(harms) // 20]:.3f}, worst {max(harms):.3f}), "
        f"{statistics.mean(saved):.1%} below the best fixed runbook ({low:.1%} to {high:.1%})"
    )
    is_broken = statistics.mean(harms) > HARM_MAX or (saves and statistics.mean(saved) < SAVED_MIN)
    return int(is_broken)


if __name__ == "__main__":
    sys.exit(main())
