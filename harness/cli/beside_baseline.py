"""A run's comparison with its recorded baseline, where the gate file asks for one (`regression:`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.cli.output import note
from harness.judging.gate import decide
from harness.judging.regression import RegressionRules
from harness.model.errors import HarnessError, ScenarioError
from harness.model.protocols import Status
from harness.model.registry import unknown
from harness.model.result import Regression, Result
from harness.runs.against_baseline import against_baseline
from harness.runs.baselines import Baselines
from harness.runs.comparing import Asked, RunOnce
from harness.runs.plan import SuitePlan
from harness.runs.request import Request

Command = TypeVar("Command", bound=Callable[..., Any])

BASELINES_FOLDER = "baselines"
REPEATS_FOLDER = "repeats"


def baselines_option(command: Command) -> Command:
    """Give a command the option that says where baselines are kept."""
    return click.option(
        "--baselines",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        metavar="DIR",
        help="Folder of recorded baselines.  [default: baselines, in the folder of --out]",
    )(command)


def require_judged(rules: RegressionRules, source: str, plan: SuitePlan) -> None:
    """Refuse rules that name what this plan does not judge, before all the runs are made.

    Raises:
        ScenarioError: a check is unknown, or nothing here judges it.
    """
    for objective in rules.rises:
        if objective not in plan.planned:
            why = unknown("check", objective, plan.planned)
            raise ScenarioError(f"{source}: regression.{objective}: not judged here: {why}")


def by_absolute_rules(request: Request) -> Request:
    """Return a request whose gate compares nothing: what is relative is judged when all runs are made."""
    return replace(request, gate=replace(request.gate, regression=None))


def beside_baseline(
    result: Result,
    ended_by: HarnessError | None,
    plan: SuitePlan,
    request: Request,
    again: RunOnce,
    baselines: Baselines,
) -> tuple[Result, HarnessError | None]:
    """Compare a run with its baseline, or record it as one; decide anew.

    Args:
        result: of the run, judged by absolute rules.
        ended_by: what ended the run early; then nothing is compared.
        plan: what was run.
        request: with the gate's rules.
        again: runs the same once more.
        baselines: where baselines are kept.

    Returns:
        The result with the comparison and the whole decision, and what ended either early.
    """
    rules = request.gate.regression
    if rules is None:
        return result, ended_by
    try:
        if ended_by is not None:
            raise ended_by
        regression = against_baseline(result, plan, again, baselines, Asked(rules, request.seed, note))
    except HarnessError as error:
        ended_by = error
        why = f"Nothing was compared with a baseline: {error}."
        regression = Regression(Status.INCONCLUSIVE, "", interleaved=False, remark=why)
    verdicts = [verdict for one in result.scenarios for verdict in one.verdicts]
    gate = decide(result.score, verdicts, request.gate, request.today, result.broke, regression)
    return replace(result, regression=regression, gate=gate), ended_by
