"""`logquake baseline`: record what a version measures, and compare another one with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from harness.cli.beside_baseline import BASELINES_FOLDER, baselines_option, require_judged
from harness.cli.exit_codes import gate_exit_code
from harness.cli.finite_range import FiniteRange
from harness.cli.interruption import Interruption
from harness.cli.output import note, say
from harness.cli.progress import make_progress
from harness.cli.selection import Selection, make_request, scenario_options, selection_options
from harness.config.gate import REPEATS_MAX
from harness.judging.regression import RegressionRules, Rise
from harness.model.errors import UsageError
from harness.model.result import Regression, Result
from harness.reporting.comparison import comparison_text, write_comparison
from harness.runs.against_baseline import compare_runs_with, record
from harness.runs.baselines import Baselines, read_baseline
from harness.runs.comparing import Asked, Sides, compare_in_turn
from harness.runs.request import Request, make_plan
from harness.runs.rerun import Rerun

_RULES = RegressionRules({"response_p99_ms": Rise(0.10, is_share=True)})
"""What is compared where no gate file says."""

_out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    show_default=True,
    help="Folder for results; each run makes one of its own in it.",
)
_max_minutes_option = click.option(
    "--max-minutes",
    type=FiniteRange(min=0, min_open=True),
    default=None,
    metavar="N",
    help="Stop cleanly after this many minutes.",
)


@click.group()
def baseline() -> None:
    """Record what a version of a stack measures, and compare another version with it.

    A baseline belongs to a suite, a major version of logquake and a class of machine; with any other, nothing
    is compared, and what differs is said.
    """


@baseline.command(name="record")
@selection_options
@_out_option
@_max_minutes_option
@baselines_option
@click.option(
    "--repeats",
    type=click.IntRange(2, REPEATS_MAX),
    default=_RULES.max_repeats,
    show_default=True,
    help="How many runs the baseline holds.",
)
def record_baseline(
    out: Path, max_minutes: float | None, baselines: Path | None, repeats: int, **selected: Any
) -> int:
    """Run the version as it is now several times, and keep what it measures.

    A run that does not pass its gate by absolute rules is no baseline: it is told, and nothing is kept.
    """
    request = make_request(Selection(**selected), out, max_minutes)
    plan = make_plan(request)
    _announce((request,))
    interruption = Interruption()
    folder = out / "baseline-runs" / _stamp()
    with make_progress() as watch:
        again = Rerun(plan, replace(request, out=folder), interruption, watch, _deadline(max_minutes))
        recorded = record([], plan, again, repeats, note)
    if isinstance(recorded, Result):
        say(f"{recorded.gate.status.value}: run {recorded.run_id} is no baseline, and nothing was recorded")
        say("\n".join(f"  {reason}" for reason in recorded.gate.reasons))
        return gate_exit_code(recorded.gate.status)
    path = Baselines(baselines or out / BASELINES_FOLDER).keep(recorded)
    say(f"baseline: {path}")
    runs = f"{len(recorded.run_ids)} runs of {recorded.stack}"
    say(f"  {runs}, suite {recorded.suite}, suite hash {recorded.key.suite_hash}")
    say(f"  {recorded.key.machine.words}; logquake {recorded.key.logquake}")
    return 0


@baseline.command(name="compare")
@scenario_options
@click.option(
    "--candidate",
    default="reference",
    show_default=True,
    metavar="NAME|FILE",
    help="The stack that may have got worse.",
)
@click.option(
    "--baseline",
    "beside",
    default=None,
    metavar="NAME|FILE",
    help="The stack to compare it with, run in turn with it; or a recorded baseline (.json).  "
    "[default: the recorded one]",
)
@_out_option
@_max_minutes_option
@baselines_option
def compare(
    candidate: str,
    beside: str | None,
    out: Path,
    max_minutes: float | None,
    baselines: Path | None,
    **selected: Any,
) -> int:
    """Compare a version of a stack with another one.

    With two stacks, both are run in turn on this machine (A B B A), which is the stronger way: whatever the
    machine does, it does to both. Beside a recorded baseline only the candidate is run. Limits, confidence
    and the most runs a side come from `regression` in the gate file; without one, the p99 of the log call's
    response may rise by 10 %.
    """
    request = make_request(Selection(**selected, stack=candidate), out, max_minutes)
    rules = _rules(request)
    asked = Asked(rules, request.seed, note)
    folder = out / "comparisons" / _stamp()
    interruption = Interruption()
    deadline = _deadline(max_minutes)
    plan = make_plan(request)
    require_judged(rules, request.gate.source or "without --gate", plan)
    with make_progress() as watch:
        run = Rerun(plan, replace(request, out=folder / "candidate"), interruption, watch, deadline)
        if beside is None or beside.endswith(".json"):
            _announce((request,))
            named = None if beside is None else read_baseline(Path(beside))
            kept = Baselines(baselines or out / BASELINES_FOLDER)
            found = compare_runs_with(named, plan, request.stack.name, run, kept, asked)
        else:
            other = make_request(Selection(**selected, stack=beside), out, max_minutes)
            _announce((other, request))
            old = Rerun(
                make_plan(other), replace(other, out=folder / "baseline"), interruption, watch, deadline
            )
            found = compare_in_turn(Sides(old, run), f"stack {other.stack.name} ({beside})", asked)
    return _told(found, f"stack {request.stack.name} ({candidate})", request, folder)


def _told(found: Regression, title: str, request: Request, folder: Path) -> int:
    """Print and keep a comparison; return its exit code."""
    say(comparison_text(found, title))
    if found.comparisons:
        for path in write_comparison(found, title, folder):
            say(f"comparison: {path}")
    return gate_exit_code(request.gate.counted(found.status))


def _rules(request: Request) -> RegressionRules:
    gate = request.gate
    if gate.regression is not None:
        return gate.regression
    if gate.source:
        raise UsageError(
            f'{gate.source}: no "regression". Add one, e.g. regression: {{response_p99_ms: "+10%"}}.'
        )
    return _RULES


def _announce(requests: Sequence[Request]) -> None:
    for origin in dict.fromkeys(origin for request in requests for origin in request.origins):
        note(origin)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _deadline(max_minutes: float | None) -> float | None:
    return None if max_minutes is None else time.monotonic() + 60 * max_minutes
