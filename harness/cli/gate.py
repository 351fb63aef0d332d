"""`logquake gate`: decide by rules whether a finished run passes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from harness.cli.run import gate_exit_code
from harness.exemptions import applicable, excuse
from harness.files.gate import load_gate
from harness.gate import GateRules, decide
from harness.reporting.result_json import read_result
from harness.score import score


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--rules", type=click.Path(path_type=Path), default=None, metavar="FILE", help="A gate file.")
def gate(result: Path, rules: Path | None) -> int:
    """Decide by rules whether a finished run passes.

    RESULT is a run's `result.json`, or the folder it lies in. Without rules, a score of at least 98 and no
    veto are asked for.
    """
    read = read_result(result / "result.json" if result.is_dir() else result)
    asked = GateRules() if rules is None else load_gate(rules)
    today = date.today()
    scenarios = [excuse(scenario, asked.not_applicable, today) for scenario in read.scenarios]
    verdicts = [verdict for scenario in scenarios for verdict in scenario.verdicts]
    was_planned = {
        row.objective: dimension.dimension
        for dimension in read.score.dimensions
        for row in dimension.objectives
    }
    planned, _ = applicable(was_planned, asked.not_applicable, today)
    decision = decide(score(planned, verdicts), verdicts, asked, today, read.broke)
    click.echo(f"{decision.status.value}: run {read.run_id}, suite {read.suite}, stack {read.stack}")
    for reason in decision.reasons:
        click.echo(f"  {reason}")
    return gate_exit_code(decision.status)
