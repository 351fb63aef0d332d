"""A version beside its baseline: runs of both until an answer is found, or no more may be made.

in turn, on one machine:   A A │ A B B A │ B A A B │ …   after each round: enough?
beside a recorded one:     recorded A … │ B B B B │ B B │ …
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from harness.judging.regression import (
    RegressionRules,
    judge_regression,
    looks,
    order,
    regression_status,
    repeats_needed,
    samples_of,
)
from harness.model.errors import TimeIsUpError
from harness.model.protocols import Status
from harness.model.result import Regression, Result, Sampled
from harness.runs.baselines import Baseline

ALONE = 2
"""Runs of the baseline before any of the candidate: the noise of this machine, by runs of the same thing."""

RunOnce = Callable[[], Result]


@dataclass(frozen=True, slots=True)
class Sides:
    """How each version is run once; a run raises what ends the comparison, or `TimeIsUpError`."""

    baseline: RunOnce
    candidate: RunOnce


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a comparison.

    `seed` fixes what is resampled; `tell` takes each step of it, in a sentence.
    """

    rules: RegressionRules
    seed: int
    tell: Callable[[str], None]


def compare_in_turn(sides: Sides, words: str, asked: Asked) -> Regression:
    """Run both versions in turn until an answer is found.

    Args:
        sides: how to run them.
        words: what the baseline is, in a sentence.
        asked: limits, confidence, bounds.

    Returns:
        What the runs say so far as they were made; one whose time was up says so.
    """
    alone: list[Result] = []
    made: dict[str, list[Result]] = {"A": [], "B": []}
    run = {"A": sides.baseline, "B": sides.candidate}

    def judged() -> Regression:
        samples = samples_of(made["A"], made["B"], alone)
        return _failed_by_itself(_judged(samples, words, asked, interleaved=True), made["B"])

    try:
        for _ in range(ALONE):
            alone.append(sides.baseline())
        asked.tell(_against_itself(samples_of(alone, ()), asked.rules))
        compared = _compared(samples_of(alone, ()), asked.rules)
        if not compared:
            return judged()
        places = order(asked.rules.max_repeats)
        for repeats in _looks(asked.rules, compared):
            for place in places[len(made["A"]) + len(made["B"]) : 2 * repeats]:
                made[place].append(run[place]())
            found = judged()
            asked.tell(_progress(found, repeats))
            if found.status is not Status.INCONCLUSIVE:
                break
    except TimeIsUpError as error:
        return _cut_short(judged(), error)
    return judged()


def compare_with_recorded(first: Result, again: RunOnce, baseline: Baseline, asked: Asked) -> Regression:
    """Compare a run, and more of the same as needed, with what was recorded of another version.

    Args:
        first: the run that is judged.
        again: runs the same once more.
        baseline: what it is compared with.
        asked: limits, confidence, bounds.

    Returns:
        What the runs say so far as they were made; one whose time was up says so.
    """
    made = [first]

    def judged() -> Regression:
        now = {(each.scenario, each.objective): each for each in samples_of((), made)}
        then = {(each.scenario, each.objective): each for each in baseline.samples}
        samples = tuple(
            replace(now.get(key, each), baseline=then[key].baseline if key in then else ())
            for key, each in {**then, **now}.items()
        )
        return _failed_by_itself(_judged(samples, baseline.words, asked, interleaved=False), made)

    try:
        for repeats in _looks(asked.rules, _compared(samples_of((), made), asked.rules)):
            while len(made) < repeats:
                made.append(again())
            found = judged()
            asked.tell(_progress(found, repeats))
            if found.status is not Status.INCONCLUSIVE:
                break
    except TimeIsUpError as error:
        return _cut_short(judged(), error)
    return judged()


def _judged(samples: Sequence[Sampled], words: str, asked: Asked, *, interleaved: bool) -> Regression:
    # The same samples are resampled alike, however often they were looked at before.
    rng = Random(f"{asked.seed}:regression")  # noqa: S311 - reproducible resampling, not a secret
    comparisons = judge_regression(samples, asked.rules, rng, interleaved=interleaved)
    return Regression(
        status=regression_status(comparisons),
        baseline=words,
        interleaved=interleaved,
        confidence=asked.rules.confidence,
        samples=tuple(samples),
        comparisons=comparisons,
    )


def _compared(samples: Sequence[Sampled], rules: RegressionRules) -> int:
    return sum(sampled.objective in rules.rises for sampled in samples)


def _looks(rules: RegressionRules, compared: int) -> tuple[int, ...]:
    """Return after how many runs a side to look; none where no number of runs can decide."""
    needed = repeats_needed(rules, compared)
    return looks(needed, rules.max_repeats) if compared and needed <= rules.max_repeats else ()


def _failed_by_itself(found: Regression, candidate: Sequence[Result]) -> Regression:
    """Return the answer; FAIL where a run of the candidate's fails by absolute rules."""
    failed = next((run for run in candidate if run.gate.status is Status.FAIL), None)
    if failed is None:
        return found
    remark = f"Run {failed.run_id} of the candidate fails by itself: {failed.gate.reasons[0]}"
    return replace(found, status=Status.FAIL, remark=remark)


def _against_itself(samples: Sequence[Sampled], rules: RegressionRules) -> str:
    """Say what the baseline measured in runs of the same thing: this machine's noise."""
    said = [
        f"{each.objective} in {each.scenario} {', '.join(map(_number, each.baseline))} {each.unit}"
        for each in samples
        if each.objective in rules.rises
    ]
    return f"the baseline against itself: {'; '.join(said) or 'nothing was measured'}"


def _number(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"


def _cut_short(found: Regression, error: TimeIsUpError) -> Regression:
    if found.status is Status.FAIL:
        return found
    return replace(
        found,
        status=Status.INCONCLUSIVE,
        remark=f"The comparison with {found.baseline} was cut short: {error}.",
    )


def _progress(found: Regression, repeats: int) -> str:
    open_ones = [each for each in found.comparisons if each.status is Status.INCONCLUSIVE]
    why = f": {open_ones[0].summary}" if open_ones else ""
    return f"after {repeats} runs a side: {found.status.value}{why}"
