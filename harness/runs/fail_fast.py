"""When `--fail-fast` stops a run: at the first scenario that fails the gate, whatever the others say.

That is a FAIL, a limit of the gate file or a value that `--require` asks for. What rests on all scenarios
(the score, its coverage, a comparison with a baseline) is judged at the end.
"""

from __future__ import annotations

from datetime import date

from harness.judging.gate_findings import unforgivable
from harness.judging.gate_rules import GateRules
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
    counted = [
        verdict
        for verdict in excuse(result, gate.not_applicable, today).verdicts
        if not is_waived(verdict, waivers)
    ]
    failed = [verdict for verdict in counted if verdict.status is Status.FAIL]
    if failed:
        first = min(failed, key=lambda verdict: not verdict.vetoes)
        why = f"failed: {first.objective}: {first.summary}"
    elif reason := unforgivable(counted, gate, waivers):
        why = f"fails the gate: {reason}"
    else:
        return None
    return FailedFastError(f'--fail-fast: scenario "{result.scenario.name}" {why}')
