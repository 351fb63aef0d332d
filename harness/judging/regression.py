"""Has it got worse? A measure's runs of two versions, compared; absolute limits are the gate's own business.

All values are such that more is worse. A run gives one sample a measure; what is compared is the median of
each side's samples, never the best. An answer is given only where three things agree, and else more runs are
asked for:

* the bootstrap interval of the rise lies wholly on one side of the limit;
* the four pairings agree: each half of the baseline's runs against each half of the candidate's;
* for a regression, the rise is larger than this machine's noise: the baseline's runs against themselves.

Pure: the same samples, rules and random source give the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb, inf, isfinite
from random import Random
from statistics import median
from types import MappingProxyType

from harness.judging.statistics import quantile
from harness.model.protocols import Status
from harness.model.result import Comparison, Regression, Result, Sampled

RESAMPLES = 4_000
CONTROL = "control_p99_ms"
"""The measure of the machine itself: a NullHandler beside the application, called at the same times."""

CONTROL_FACTOR = 4
"""How much more than the control a stack may be held up by the same machine: its call waits for its turn more
than once (due, lock, sleep, sync), a call into a NullHandler once."""

_RISE = re.compile(r"\+\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(%?)\Z")
_MEASURED = frozenset({Status.PASS, Status.WARN, Status.FAIL})
_PER_MS = MappingProxyType({"ms": 1.0, "s": 1e-3})


@dataclass(frozen=True, slots=True)
class Rise:
    """How much a measure may rise: by a share of the baseline's median, or by an amount in its own unit."""

    bound: float
    is_share: bool

    def of(self, before: float, after: float) -> float:
        """Return the rise from one median to another, on the scale of the bound.

        Args:
            before: the baseline's median.
            after: the candidate's median, in the same unit.
        """
        if not self.is_share:
            return after - before
        if before == 0:
            return 0.0 if after == 0 else inf
        return after / before - 1

    def words(self, rise: float, unit: str) -> str:
        """Return a rise as people read it, e.g. `+12.5 %` or `+3 ms`.

        Args:
            rise: on the scale of the bound, as `of` returns it.
            unit: the measure's; a share shows % in its place.
        """
        return f"{100 * rise:+.3g} %" if self.is_share else f"{rise:+.4g} {unit}".rstrip()

    def __str__(self) -> str:
        return f"+{100 * self.bound:.15g}%" if self.is_share else f"+{self.bound:.15g}"


@dataclass(frozen=True, slots=True)
class RegressionRules:
    """By how much each measure may rise, how sure an answer must be, and how many runs a side may be made."""

    rises: Mapping[str, Rise] = field(default_factory=dict)
    confidence: float = 0.95
    max_repeats: int = 7


def judge_regression(
    samples: Sequence[Sampled],
    rules: RegressionRules,
    rng: Random,
    *,
    interleaved: bool,
    resamples: int = RESAMPLES,
) -> tuple[Comparison, ...]:
    """Compare each measure that the rules name, in each scenario that has it.

    Args:
        samples: of all measures; those that no rule names are left out.
        rules: what is asked for.
        rng: resamples; seeded by the caller.
        interleaved: whether both sides ran in turn on one machine. Where not, a rise in time that the control
            beside the application shows as well is the machine's, and not the candidate's.
        resamples: of each bootstrap.
    """
    asked = [sampled for sampled in samples if sampled.objective in rules.rises]
    controls = {each.scenario: each for each in samples if each.objective == CONTROL}
    return tuple(
        _beside_control(compare(sampled, rules, len(asked), rng, resamples), controls, rules, interleaved)
        for sampled in asked
    )


def judged_anew(found: Regression | None, rules: RegressionRules | None, rng: Random) -> Regression | None:
    """Return a comparison as these rules judge its samples, which may be other rules than it was made by.

    Args:
        found: the comparison; None where none was made.
        rules: which samples are judged by; None leaves it as it is.
        rng: what the intervals are resampled with.
    """
    if found is None or rules is None or not found.samples:
        return found
    comparisons = judge_regression(found.samples, rules, rng, interleaved=found.interleaved)
    # What a remark tells is no matter of limits.
    status = found.status if found.remark else regression_status(comparisons)
    return replace(found, status=status, confidence=rules.confidence, comparisons=comparisons)


def regression_status(comparisons: Sequence[Comparison]) -> Status:
    """Return the answer of all comparisons together: the worst; nothing compared is INCONCLUSIVE."""
    statuses = {comparison.status for comparison in comparisons}
    worst_first = (Status.FAIL, Status.INCONCLUSIVE, Status.PASS)
    return next((status for status in worst_first if status in statuses), Status.INCONCLUSIVE)


def said(comparison: Comparison, confidence: float) -> str:
    """Return a comparison as a sentence, with its numbers before what was allowed.

    Args:
        comparison: of one objective.
        confidence: of its interval, from 0 to 1.
    """
    rise = parse_rise(comparison.limit)
    head = f"{comparison.objective} in {comparison.scenario}"
    if comparison.baseline_median is None or comparison.candidate_median is None:
        return f"{head}: {comparison.summary}."
    unit = f" {comparison.unit}" if comparison.unit else ""
    medians = f"median {comparison.baseline_median:.4g} → {comparison.candidate_median:.4g}{unit}"
    if comparison.rise is None or comparison.low is None or comparison.high is None or rise is None:
        return f"{head}: {medians}; {comparison.summary}."
    low, found, high = (
        rise.words(value, comparison.unit) for value in (comparison.low, comparison.rise, comparison.high)
    )
    why = f": {comparison.summary}" if comparison.summary else ""
    return (
        f"{head}: {medians}, {found} ({100 * confidence:.4g} % interval {low} … {high}); "
        f"{comparison.limit} allowed{why}."
    )


def samples_of(
    baseline: Sequence[Result], candidate: Sequence[Result], alone: Sequence[Result] = ()
) -> tuple[Sampled, ...]:
    """Return what the runs of two versions measured, by scenario and objective, in the order of the runs.

    Args:
        baseline: runs of the baseline.
        candidate: runs of the version that is judged; of an ABBA the runs at the same place belong together.
        alone: runs of the baseline that were made first, with nothing beside them; they show the machine's
            noise.
    """
    units: dict[tuple[str, str], str] = {}
    for run in (*alone, *baseline, *candidate):
        units |= {key: unit for key, (_, unit) in measures_of(run).items()}
    sides = [[measures_of(run) for run in side] for side in (baseline, candidate, alone)]
    return tuple(
        Sampled(
            scenario,
            objective,
            unit,
            *(tuple(run.get((scenario, objective), (None, ""))[0] for run in side) for side in sides),
        )
        for (scenario, objective), unit in units.items()
    )


def measures_of(run: Result) -> dict[tuple[str, str], tuple[float | None, str]]:
    """Return a run's value and unit by scenario and objective; None where its verdict is none.

    The control's response is a measure of the machine: the median of its p99 in each second.
    """
    found: dict[tuple[str, str], tuple[float | None, str]] = {}
    for one in run.scenarios:
        for verdict in one.verdicts:
            if verdict.status is not Status.NOT_APPLICABLE:
                value = verdict.value if verdict.status in _MEASURED else None
                found[one.scenario.name, verdict.objective] = value, verdict.unit
        if control := [row.control_p99_ms for row in one.series if row.control_p99_ms is not None]:
            found[one.scenario.name, CONTROL] = round(median(control), 3), "ms"
    return found


def parse_rise(text: str) -> Rise | None:
    """Return what a gate file allows, `+10%` or `+5`; None where it is neither.

    Args:
        text: with or without spaces around it.
    """
    match = _RISE.match(text.strip())
    return None if match is None else Rise(float(match[1]) / (100 if match[2] else 1), bool(match[2]))


def looks(repeats_min: int, repeats_max: int) -> tuple[int, ...]:
    """Return after how many runs a side an answer is looked for: after each ABBA, and at the end.

    Args:
        repeats_min: runs a side before the first look.
        repeats_max: runs a side at the last one.
    """
    return tuple(dict.fromkeys((*range(repeats_min, repeats_max, 2), repeats_max)))


def repeats_needed(rules: RegressionRules, compared: int) -> int:
    """Return how many runs a side can decide at all; more than `max_repeats` where none can.

    With n runs a side of the same thing, all of one side lie above all of the other with probability
    1 / C(2n, n) (a permutation test); fewer runs than make that as small as the chance of error that is left
    to each look at each comparison can prove nothing, however far apart they lie.

    Args:
        rules: what is asked for.
        compared: how many measures of how many scenarios are compared, together.
    """
    for repeats in range(2, rules.max_repeats + 1):
        # Even, so that every round is a whole ABBA; an odd maximum ends with half of one.
        if repeats % 2 and repeats != rules.max_repeats:
            continue
        if 1 / comb(2 * repeats, repeats) <= _error(rules, compared, looks(repeats, rules.max_repeats)):
            return repeats
    return rules.max_repeats + 1


def order(repeats: int) -> str:
    """Return in which order the runs are made: `ABBA`, then `BAAB`, and so on, `repeats` of each letter.

    Whatever drifts steadily while they run (heat, a neighbour, a cache) then weighs alike on both sides.
    """
    whole = "".join("ABBA" if place % 2 == 0 else "BAAB" for place in range((repeats + 1) // 2))
    return whole[: 2 * repeats]


def compare(
    sampled: Sampled, rules: RegressionRules, compared: int, rng: Random, resamples: int = RESAMPLES
) -> Comparison:
    """Compare one measure of one scenario.

    Args:
        sampled: both sides' values in the order of their runs; None where a run gave none.
        rules: the limits; one of them is the measure's.
        compared: how many comparisons share the chance of error.
        rng: resamples; seeded by the caller.
        resamples: how often.

    Returns:
        PASS, FAIL, or INCONCLUSIVE where neither can be said (yet).
    """
    rise = rules.rises[sampled.objective]
    before, after = _values(sampled.baseline), _values(sampled.candidate)
    needed = repeats_needed(rules, compared)
    if why := _incomparable(sampled.objective, before, after, rise, needed, rules.max_repeats):
        return Comparison(
            scenario=sampled.scenario,
            objective=sampled.objective,
            unit=sampled.unit,
            status=Status.INCONCLUSIVE,
            limit=str(rise),
            baseline_median=median(before) if before else None,
            candidate_median=median(after) if after else None,
            summary=why,
        )
    error = _error(rules, compared, looks(needed, rules.max_repeats))
    rises = _resampled(before, after, rise, rng, resamples)
    low, high = quantile(rises, error / 2), quantile(rises, 1 - error / 2)
    noise = _noise([*_values(sampled.alone), *before], len(after), rise, rng, error, resamples)
    found = rise.of(median(before), median(after))
    status, why = _answer(rise, Interval(low, found, high), noise, _pairings(before, after, rise))
    return Comparison(
        scenario=sampled.scenario,
        objective=sampled.objective,
        unit=sampled.unit,
        status=status,
        limit=str(rise),
        baseline_median=median(before),
        candidate_median=median(after),
        summary=why,
        rise=found,
        low=low,
        high=high,
        noise=noise,
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """A rise, and what it may be at the confidence that is asked for."""

    low: float
    found: float
    high: float


def _pairings(before: Sequence[float], after: Sequence[float], rise: Rise) -> tuple[float, ...]:
    """Return the rise from each half of the baseline's runs to each half of the candidate's.

    In an ABBA the halves are the runs of the first and of the last places, so that what drifted between them
    shows as pairings that disagree.

    Args:
        before: what the baseline's runs measured, in their order; at least two.
        after: what the candidate's runs measured, likewise.
        rise: the bound, on whose scale the rise is told.
    """
    return tuple(
        rise.of(median(before[first::2]), median(after[second::2])) for first in (0, 1) for second in (0, 1)
    )


def _beside_control(
    comparison: Comparison, controls: Mapping[str, Sampled], rules: RegressionRules, interleaved: bool
) -> Comparison:
    """Return a comparison with a recorded baseline; a rise that the control explains is nobody's."""
    control = controls.get(comparison.scenario)
    before, after = comparison.baseline_median, comparison.candidate_median
    if (
        interleaved
        or control is None
        or comparison.status is not Status.FAIL
        or before is None
        or after is None
    ):
        return comparison
    factor = _PER_MS.get(comparison.unit)
    then, now = _values(control.baseline), _values(control.candidate)
    if factor is None or not then or not now:
        return comparison
    own = after - CONTROL_FACTOR * max(0.0, median(now) - median(then)) * factor
    rise = rules.rises[comparison.objective]
    if rise.of(before, own) > rise.bound:
        return comparison
    why = (
        f"the NullHandler control rose from {median(then):.3g} to {median(now):.3g} ms as well, so this is "
        "the machine's; compare both versions in turn on one machine"
    )
    return replace(comparison, status=Status.INCONCLUSIVE, summary=why)


def _answer(rise: Rise, interval: Interval, noise: float, pairs: Sequence[float]) -> tuple[Status, str]:
    """Return the answer and, where there is none yet, why."""
    bound = rise.bound
    if interval.low <= bound <= interval.high:
        return Status.INCONCLUSIVE, "the interval straddles the limit"
    is_worse = interval.low > bound
    if any((pair > bound) is not is_worse for pair in pairs):
        return Status.INCONCLUSIVE, "the four pairings of the runs do not agree"
    if not is_worse:
        return Status.PASS, ""
    if interval.found <= noise:
        return Status.INCONCLUSIVE, "the rise is within the noise of the baseline's own runs"
    return Status.FAIL, ""


def _incomparable(
    objective: str,
    before: Sequence[float],
    after: Sequence[float],
    rise: Rise,
    needed: int,
    repeats_max: int,
) -> str:
    """Say why these samples cannot be compared; empty where they can."""
    if needed > repeats_max:
        return f"{repeats_max} runs a side can never decide; raise max_repeats, or compare fewer measures"
    if min(len(before), len(after)) < needed:
        return (
            f"the baseline has {len(before)} runs with a value and the candidate {len(after)}; "
            f"{needed} a side are needed"
        )
    if rise.is_share and min(before) <= 0 and (max(before) > 0 or max(after) > 0):
        return f'no share of 0 can be taken; give an amount in the gate file, e.g. {objective}: "+1"'
    return ""


def _values(samples: Sequence[float | None]) -> list[float]:
    return [value for value in samples if value is not None and isfinite(value)]


def _error(rules: RegressionRules, compared: int, looked: Sequence[int]) -> float:
    """Return the chance of error that each look at each comparison may have (Bonferroni's bound)."""
    return (1 - rules.confidence) / (max(1, compared) * len(looked))


def _resampled(
    before: Sequence[float], after: Sequence[float], rise: Rise, rng: Random, resamples: int
) -> list[float]:
    """Return the rise between medians of samples drawn with replacement: the percentile bootstrap (Efron)."""
    return [
        rise.of(
            median(rng.choices(before, k=len(before))),
            median(rng.choices(after, k=len(after))),
        )
        for _ in range(resamples)
    ]


def _noise(
    before: Sequence[float], repeats: int, rise: Rise, rng: Random, error: float, resamples: int
) -> float:
    """Return the rise that the baseline shows against itself, at the same confidence: the A/A floor."""
    drawn = (
        rise.of(median(rng.choices(before, k=repeats)), median(rng.choices(before, k=repeats)))
        for _ in range(resamples)
    )
    return quantile(list(drawn), 1 - error)
