"""What real episodes came to beside each fixed runbook and doing nothing; pure."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from logging_system.coordination.outcomes.memory import Outcomes
from tests.learning.runbooks import NAMES, NOTHING

SAVED_MIN = 0.30
HARM_MAX = 1.05
_DRAWS = 2_000

Times = Mapping[tuple[str, str], Sequence[float]]
"""Recovery times in seconds by cause and workflow."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, and the interval in which 95 % of the bootstrap's draws are.

    Attributes:
        value: The number.
        low: 2.5 % of the draws are below.
        high: 2.5 % are above.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What episodes came to; each cause counts the same.

    Attributes:
        chosen: Mean seconds of the episodes in which the engine chose.
        by_choice: Mean seconds had one runbook been run for every cause, or nothing.
        best_fixed: The runbook with the shortest mean.
        saved: The share of the best fixed runbook's time that was saved.
        harm: How many times as long as doing nothing.
    """

    chosen: float
    by_choice: Mapping[str, float]
    best_fixed: str
    saved: Estimate
    harm: Estimate

    @property
    def is_as_promised(self) -> bool:
        """Whether enough was saved, and no harm done."""
        return self.saved.value >= SAVED_MIN and self.harm.value <= HARM_MAX


def times_of(rows: Iterable[tuple[str, str, float]]) -> Times:
    """Return recovery times by cause and workflow."""
    times: dict[tuple[str, str], list[float]] = {}
    for cause, workflow, seconds in rows:
        times.setdefault((cause, workflow), []).append(seconds)
    return times


def best_fixed(recorded: Times) -> str:
    """Return the runbook whose mean over all causes, each counted the same, is the shortest."""
    causes = {cause for cause, _ in recorded}

    def mean(name: str) -> float:
        return statistics.mean(statistics.mean(recorded[cause, name]) for cause in causes)

    return min({name for _, name in recorded} - {NOTHING}, key=mean)


def judged(recorded: Times, episodes: Mapping[str, Sequence[float]], seed: int = 0) -> Judgement:
    """Judge episodes beside recordings of the same causes.

    Args:
        recorded: Of each runbook and of `nothing`, for each cause.
        episodes: The seconds of the episodes in which the engine chose, by cause.
        seed: Of the bootstrap, which draws within each cause and choice.

    Raises:
        KeyError: A cause of the episodes was not recorded with each choice.
    """
    names = sorted({name for _, name in recorded} - {NOTHING})
    causes = sorted(episodes)

    def figures(pick: Callable[[Sequence[float]], Sequence[float]]) -> tuple[float, dict[str, float]]:
        chosen = statistics.mean(statistics.mean(pick(episodes[cause])) for cause in causes)
        by_choice = {
            name: statistics.mean(statistics.mean(pick(recorded[cause, name])) for cause in causes)
            for name in (*names, NOTHING)
        }
        return chosen, by_choice

    def ratios(chosen: float, by_choice: Mapping[str, float]) -> tuple[float, float]:
        return 1 - chosen / min(by_choice[name] for name in names), chosen / by_choice[NOTHING]

    rng = random.Random(seed)
    drawn = [ratios(*figures(lambda each: rng.choices(each, k=len(each)))) for _ in range(_DRAWS)]
    chosen, by_choice = figures(lambda each: each)
    saved, harm = ratios(chosen, by_choice)
    return Judgement(
        chosen,
        by_choice,
        min(names, key=lambda name: by_choice[name]),
        _estimate(saved, [each[0] for each in drawn]),
        _estimate(harm, [each[1] for each in drawn]),
    )


def _estimate(value: float, drawn: Sequence[float]) -> Estimate:
    ordered = sorted(drawn)
    return Estimate(value, ordered[len(ordered) // 40], ordered[-len(ordered) // 40])


def learned(
    recorded: Times, contexts: Mapping[str, tuple[str, str]], episodes: int, seed: int
) -> tuple[Outcomes, list[tuple[str, str]]]:
    """Let the learner choose through episodes whose times are drawn among the recorded ones.

    Args:
        recorded: See `judged`.
        contexts: Namespace and class of cause, as the findings of each cause had them.
        episodes: For each cause.
        seed: Of order, times and choices.

    Returns:
        The learner, and the cause and choice of each episode in order.
    """
    rng, outcomes = random.Random(seed), Outcomes(random.Random(seed + 1))
    order = [cause for cause in sorted(contexts) for _ in range(episodes)]
    rng.shuffle(order)
    chosen = []
    for number, cause in enumerate(order):
        name = outcomes.choose(*contexts[cause], NAMES) or NOTHING
        outcomes.note(f"drawn-{number}", *contexts[cause], name, rng.choice(recorded[cause, name]))
        chosen.append((cause, name))
    return outcomes, chosen


def table(recorded: Times, episodes: Times, judgement: Judgement) -> list[str]:
    """Return the table of docs/reference/proofs.md: mean seconds by cause and choice, and what was chosen."""
    names = [name for name in (*NAMES, NOTHING) if name in judgement.by_choice]
    causes = sorted({cause for cause, _ in episodes})
    lines = [
        f"| cause | {' | '.join(names)} | engine | chosen |",
        f"| --- |{' ---: |' * (len(names) + 1)} --- |",
    ]
    for cause in causes:
        means = [f"{statistics.mean(recorded[cause, name]):.1f}" for name in names]
        own = {name: seconds for (of, name), seconds in episodes.items() if of == cause}
        mean = statistics.mean(each for seconds in own.values() for each in seconds)
        counts = ", ".join(f"{name} {len(seconds)}" for name, seconds in sorted(own.items()))
        lines.append(f"| `{cause}` | {' | '.join(means)} | {mean:.1f} | {counts} |")
    means = [f"{judgement.by_choice[name]:.1f}" for name in names]
    return [*lines, f"| all | {' | '.join(means)} | {judgement.chosen:.1f} | |"]


def summary(judgement: Judgement, episodes: int) -> str:
    """Return the sentence that says whether the promise holds."""
    saved, harm = judgement.saved, judgement.harm
    return (
        f"{episodes} real episodes: {judgement.chosen:.1f} s on average, {saved.value:.1%} below the best "
        f"fixed runbook, {judgement.best_fixed} ({saved.low:.1%} to {saved.high:.1%}); {harm.value:.2f} "
        f"times doing nothing ({harm.low:.2f} to {harm.high:.2f})"
    )
