"""When `--fail-fast` stops a run: at the first scenario that fails the gate by itself."""

from __future__ import annotations

from datetime import date

from harness.judging.gate import GateRules
from harness.judging.waivers import excuse, is_waived, standing
from harness.model.errors import FailedFastError
from harness.model.protocols import Status
from harness.model.result import ScenarioResult


def blocked_by(result: ScenarioResult, gate: GateRules, today: date) -> FailedFastError | None:
    """Return what stops the run after this scenario; None where nothing in it fails the gate by itself.

    Args:
        result: of the scenario.
        gate: the team's rules; a failure that they waive, or take out of the plan, stops nothing.
        today: the day that decides which exemptions still stand.
    """
    waivers = standing(gate.waivers, today)
    failed = [
        verdict
        for verdict in excuse(result, gate.not_applicable, today).verdicts
        if verdict.status is Status.FAIL and not is_waived(verdict, waivers)
    ]
    if not failed:
        return None
    first = min(failed, key=lambda verdict: not verdict.vetoes)
    return FailedFastError(
        f'--fail-fast: scenario "{result.scenario.name}" failed: {first.objective}: {first.summary}'
    )
