"""When a scenario is run again: only while its evidence does not suffice, and a bounded number of times.

A scenario that failed is never repeated, or a pass would only be a matter of patience.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from harness.model.protocols import Status
from harness.model.result import ScenarioResult, as_attempt


def runs_again(result: ScenarioResult, undecidable: Collection[str] = ()) -> bool:
    """Tell whether another attempt may say more than this result.

    Args:
        result: of the attempt before.
        undecidable: objectives that no attempt can decide, as the plan knew before the first.
    """
    if result.status is not Status.INCONCLUSIVE:
        return False
    open_ones = {each.objective for each in result.verdicts if each.status is Status.INCONCLUSIVE}
    return not open_ones or not open_ones <= set(undecidable)


def merged(before: ScenarioResult, again: ScenarioResult, *, ended_early: bool) -> ScenarioResult:
    """Return what a scenario's result is after another attempt; earlier attempts are kept beside it.

    Args:
        before: what the attempts so far said.
        again: what the latest says.
        ended_early: whether the run ended before it did; a complete attempt says more than such a one.
    """
    return before if ended_early else replace(again, attempts=(*before.attempts, as_attempt(before)))
