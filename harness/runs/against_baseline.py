"""A finished run beside its recorded baseline: the first of its key is recorded, the others are compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from harness.judging.regression import samples_of
from harness.model.errors import TimeIsUpError
from harness.model.protocols import Status
from harness.model.result import Regression, Result
from harness.runs.baseline_key import baseline_key
from harness.runs.baselines import VERSION, Baseline, Baselines
from harness.runs.comparing import Asked, RunOnce, compare_with_recorded
from harness.runs.plan import SuitePlan

_ABOUT = ("kernel", "project commit", "logquake")
_GOOD = (Status.PASS, Status.WARN)


def against_baseline(
    first: Result, plan: SuitePlan, again: RunOnce, baselines: Baselines, asked: Asked
) -> Regression:
    """Compare a run with the baseline of its key, or record it as one where there is none.

    Args:
        first: the run, judged by absolute rules alone.
        plan: what was run.
        again: runs the same once more.
        baselines: where baselines are kept.
        asked: limits, confidence, bounds.

    Returns:
        What was found. Nothing is compared with a run that did not pass, nor where the baseline was recorded
        only now; its status says how bad that is.

    Raises:
        ScenarioError: the baseline's file is damaged.
        UnavailableError: a baseline cannot be written.
    """
    if first.gate.status not in _GOOD:
        why = "Not compared with a baseline: the run did not pass by absolute rules."
        return _nothing_compared(Status.INCONCLUSIVE, why)
    key = baseline_key(plan)
    baseline = baselines.find(first.suite, first.stack, key)
    if baseline is not None:
        return compare_with_recorded(first, again, baseline, asked)
    mismatches = baselines.mismatches(first.suite, first.stack, key)
    try:
        recorded = record([first], plan, again, asked.rules.max_repeats, asked.tell)
    except TimeIsUpError as error:
        return _nothing_compared(Status.WARN, f"No baseline was recorded, and nothing compared: {error}.")
    if isinstance(recorded, Result):
        said = f"Run {recorded.run_id}, a repeat of this one, did not pass: {recorded.gate.reasons[0]}"
        return _nothing_compared(recorded.gate.status, f"No baseline was recorded. {said}")
    path = baselines.keep(recorded)
    said = f"recorded as the baseline {path.name}; nothing was compared"
    if mismatches:
        return _nothing_compared(
            Status.WARN, f"Another baseline is not this run's: {'; '.join(mismatches)}. {said.capitalize()}."
        )
    return _nothing_compared(Status.PASS, f"The first run of its kind: {said}.")


def compare_runs_with(
    baseline: Baseline | None, plan: SuitePlan, stack: str, again: RunOnce, baselines: Baselines, asked: Asked
) -> Regression:
    """Run a plan and compare it with a recorded baseline; with another key, or none, nothing is run.

    Args:
        baseline: the one that was named; None for the one of the plan's key.
        plan: what to run.
        stack: its name.
        again: runs it once.
        baselines: where baselines are kept.
        asked: limits, confidence, bounds.

    Returns:
        What was found; INCONCLUSIVE, with the remedy, where nothing was run.
    """
    key = baseline_key(plan)
    if baseline is None:
        baseline = baselines.find(plan.suite, stack, key)
    if baseline is None:
        mismatches = baselines.mismatches(plan.suite, stack, key)
        why = (
            f"The baseline is not this run's: {'; '.join(mismatches)}"
            if mismatches
            else "There is no baseline"
        )
        remedy = "`logquake baseline record` records one; `--baseline STACK` runs both in turn"
        return _nothing_compared(Status.INCONCLUSIVE, f"{why}. {remedy}.")
    if differences := key.differences(baseline.key):
        return _nothing_compared(
            Status.INCONCLUSIVE, f"The baseline is not this run's: {'; '.join(differences)}. Record it anew."
        )
    return compare_with_recorded(again(), again, baseline, asked)


def record(
    made: list[Result], plan: SuitePlan, again: RunOnce, repeats: int, tell: Callable[[str], None]
) -> Baseline | Result:
    """Run until there are enough samples for a baseline.

    Args:
        made: runs that were made already.
        plan: what is run.
        again: runs it once more.
        repeats: how many runs a baseline holds.
        tell: takes each step, in a sentence.

    Returns:
        The baseline; or the first run that did not pass, since a broken version is no measure of others.
    """
    for number in range(repeats + 1):
        if made and made[-1].gate.status not in _GOOD:
            return made[-1]
        if number >= repeats or len(made) >= repeats:
            break
        made.append(again())
        tell(f"run {len(made)} of {repeats} of the baseline: {made[-1].gate.status.value}")
    last = made[-1]
    return Baseline(
        version=VERSION,
        key=baseline_key(plan),
        suite=last.suite,
        stack=last.stack,
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        run_ids=tuple(run.run_id for run in made),
        about={name: last.surroundings[name] for name in _ABOUT if name in last.surroundings},
        samples=samples_of(made, ()),
    )


def _nothing_compared(status: Status, why: str) -> Regression:
    return Regression(status, "", interleaved=False, remark=why)
