"""The score: an interval over a denominator that the plan fixes, in points that sum exactly.

A dimension's weight is shared equally by its planned objectives; an objective's verdict is the worst over the
scenarios that planned it. A dimension that only a plug-in check names weighs as little as the least of ours.
`low` counts what is unresolved as zero, `high` as full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.judging.verdict import worst
from harness.model.protocols import Status, Verdict
from harness.model.result import DimensionScore, ObjectiveScore, Score

WEIGHTS: Mapping[str, float] = {
    "delivery": 25,
    "caller protection": 20,
    "integrity": 15,
    "recovery": 15,
    "degradation": 10,
    "confidentiality": 10,
    "self-observability": 5,
}

WEIGHT_OF_OTHERS = min(WEIGHTS.values())
"""What a dimension weighs that is not among ours: a plug-in check may name any."""

_RESOLVED: Mapping[Status, float] = {Status.PASS: 1.0, Status.WARN: 0.5, Status.FAIL: 0.0}


def score(planned: Mapping[str, str], verdicts: Iterable[Verdict]) -> Score:
    """Score a run.

    Args:
        planned: objective → dimension, of everything the plan holds, whether it ran or not.
        verdicts: of all scenarios.
    """
    by_objective: dict[str, list[Verdict]] = {objective: [] for objective in planned}
    vetoes: set[str] = set()
    for verdict in verdicts:
        # A veto stands even where a policy took the objective out of the plan.
        vetoes.update(verdict.vetoes)
        if verdict.objective in by_objective:
            by_objective[verdict.objective].append(verdict)
    named = dict.fromkeys((*WEIGHTS, *planned.values()))
    weights = {name: WEIGHTS.get(name, WEIGHT_OF_OTHERS) for name in named if name in planned.values()}
    whole = sum(weights.values())
    dimensions = tuple(
        _dimension(
            name,
            100 * weight / whole,
            {objective: by_objective[objective] for objective in planned if planned[objective] == name},
        )
        for name, weight in weights.items()
    )
    resolved = sum(
        row.weight for dimension in dimensions for row in dimension.objectives if row.status in _RESOLVED
    )
    return Score(
        low=round(sum(dimension.low for dimension in dimensions), 6),
        high=round(sum(dimension.high for dimension in dimensions), 6),
        coverage=resolved / 100 if dimensions else 0.0,
        dimensions=dimensions,
        not_examined=tuple(name for name in WEIGHTS if name not in weights),
        vetoes=tuple(sorted(vetoes)),
    )


def earned(verdicts: Sequence[Verdict], weight: float) -> tuple[float, float]:
    """Return the points (low, high) of one objective's verdicts.

    What is unresolved may still turn out no better than the worst resolved verdict.

    Args:
        verdicts: of one objective, from all scenarios that planned it.
        weight: the points that it can earn.
    """
    resolved = [_RESOLVED[verdict.status] for verdict in verdicts if verdict.status in _RESOLVED]
    high = min(resolved, default=1.0)
    low = high if len(resolved) == len(verdicts) and verdicts else 0.0
    return low * weight, high * weight


def _dimension(name: str, weight: float, objectives: Mapping[str, Sequence[Verdict]]) -> DimensionScore:
    share = weight / len(objectives)
    rows = tuple(
        ObjectiveScore(
            objective, worst([verdict.status for verdict in verdicts]), share, *earned(verdicts, share)
        )
        for objective, verdicts in objectives.items()
    )
    return DimensionScore(name, weight, sum(row.low for row in rows), sum(row.high for row in rows), rows)
