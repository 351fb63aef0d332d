"""`logquake plan`: what a run would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.beside_baseline import require_judged
from harness.cli.known_checks import require_known
from harness.cli.selection import Selection, make_request, note_own_stacks, selection_options
from harness.judging.score import WEIGHTS
from harness.model.declarations import Part
from harness.model.nanoseconds import SECOND_NS
from harness.runs.plan import ScenarioPlan
from harness.runs.request import make_plan


@click.command()
@selection_options
def plan(**selected: Any) -> None:
    """Show what a run would do, without doing it.

    The same arguments and the same seed give the same plan hash and the same schedule.
    """
    request = make_request(Selection(**selected), Path("reports"), None)
    made = make_plan(request)
    note_own_stacks()
    require_known(request.gate, made)
    if request.gate.regression is not None:
        require_judged(request.gate.regression, request.gate.source, made)
    click.echo(
        f"suite {made.suite} · stack {made.stack.name} · backend {made.backend} · seed {made.seed}\n"
        f"suite hash {made.suite_hash()} · plan hash {made.plan_hash()}"
    )
    click.echo("\n".join(request.origins))
    for planned in made.scenarios:
        click.echo("\n" + "\n".join(_lines(planned)))
    checks = ", ".join(f"{word} ({dimension})" for word, dimension in made.planned.items())
    click.echo(f"\nchecks: {checks or 'none'}")
    unexamined = [name for name in WEIGHTS if name not in made.planned.values()]
    if left_out := (*unexamined, *made.unplanned):
        click.echo(f"not examined: {'; '.join(left_out)}")


def _lines(planned: ScenarioPlan) -> list[str]:
    scenario = planned.scenario
    first = planned.offsets_ns[0] / SECOND_NS if planned.offsets_ns else 0.0
    return [
        f"{scenario.name}: {scenario.title}",
        f"  runs {'alone' if scenario.exclusive else 'beside other scenarios that are not exclusive'}",
        f"  {len(planned.offsets_ns):,} records over {scenario.sending_seconds:g} s by "
        f"{scenario.producers} producers, the first due at {first:.6f} s",
        *(
            f"  at {step.at_seconds:g} s for {step.for_seconds:g} s: {step.fault} on {step.target}"
            for step in scenario.steps
        ),
        *(f"  {check.kind}: {_arguments(check)}" for check in scenario.checks if check.arguments),
        *(f"  {label}: {count:,} records due" for label, count in planned.samples()),
        *(f"  warning: {warning}" for warning in planned.warnings()),
    ]


def _arguments(check: Part) -> str:
    return ", ".join(f"{name} {value}" for name, value in check.arguments.items())
