"""One result of several, each of which ran a part of the same plan: the workers of a test run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from harness.judging.gate import decide
from harness.judging.gate_rules import GateRules
from harness.judging.score import score
from harness.model.protocols import Status
from harness.model.result import Attempt, KeptFiles, Result, ScenarioResult


@dataclass(frozen=True, slots=True)
class Part:
    """The result of one that ran a part of the plan, and its folder as seen from that of the whole."""

    folder: str
    result: Result


def merged_result(parts: Sequence[Part], gate: GateRules, today: date, run_id: str, suite: str) -> Result:
    """Return the result of the whole plan: each scenario as the part that ran it found it.

    Args:
        parts: at least one; all of the same plan, so that each has a place for every scenario.
        gate: the team's rules.
        today: the day that decides which exemptions still stand.
        run_id: of the whole.
        suite: what the whole is called.

    Raises:
        ValueError: the parts are not of one plan.
    """
    results = [part.result for part in parts]
    if len({result.plan_hash for result in results}) != 1:
        raise ValueError("the parts of a result are not of one plan")
    scenarios = tuple(_one(parts, place) for place in range(len(results[0].scenarios)))
    verdicts = [verdict for scenario in scenarios for verdict in scenario.verdicts]
    planned = {
        row.objective: dimension.dimension
        for dimension in results[0].score.dimensions
        for row in dimension.objectives
    }
    scored = score(planned, verdicts)
    broke = tuple(dict.fromkeys(what for result in results for what in result.broke))
    return replace(
        results[0],
        run_id=run_id,
        suite=suite,
        started_at=min(result.started_at for result in results),
        seconds=max(result.seconds for result in results),
        scenarios=scenarios,
        score=scored,
        gate=decide(scored, verdicts, gate, today, broke),
        broke=broke,
    )


def _one(parts: Sequence[Part], place: int) -> ScenarioResult:
    """Return a scenario's result of the part that ran it; where none did, as the first tells it."""
    ran = [part for part in parts if part.result.scenarios[place].status is not Status.NOT_RUN]
    part = (ran or parts)[0]
    result = part.result.scenarios[place]
    return replace(
        result,
        history=_below(part.folder, result.history),
        kept=_kept(part.folder, result.kept),
        attempts=tuple(_attempt(part.folder, attempt) for attempt in result.attempts),
    )


def _attempt(folder: str, attempt: Attempt) -> Attempt:
    return replace(attempt, history=_below(folder, attempt.history), kept=_kept(folder, attempt.kept))


def _kept(folder: str, kept: KeptFiles | None) -> KeptFiles | None:
    return None if kept is None else replace(kept, folder=_below(folder, kept.folder))


def _below(folder: str, path: str) -> str:
    return f"{folder}/{path}" if path else ""
