"""`logquake gate`: decide by rules whether a finished run passes, and see whether that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random

import click

from harness.cli.exit_codes import gate_exit_code
from harness.cli.lazy_group import LazyGroup
from harness.cli.output import UnheardError, note, say, silence
from harness.judging.gate import INTERACTIVE, decide
from harness.judging.gate_rules import GateRules, with_required
from harness.judging.regression import judged_anew
from harness.judging.requirements import parse_requirement, require_known
from harness.judging.score import score
from harness.judging.waivers import applicable, excuse
from harness.model.errors import UsageError
from harness.reporting.latest import result_file
from harness.reporting.result_json import read_result

_JUDGE = "RESULT"


class _ResultOrWord(LazyGroup):
    """Takes a first argument that is none of its commands for the result to judge."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(
            ctx, args if args and args[0] in self.list_commands(ctx) else [_JUDGE, *args]
        )


_LAZY = {
    "selftest": (
        "harness.cli.selftest:selftest",
        "Run known-bad stacks and check that each one is blocked.",
    )
}


@click.group(cls=_ResultOrWord, lazy=_LAZY, context_settings={"ignore_unknown_options": True})
def gate() -> None:
    """Decide by rules whether a finished run passes.

    `logquake gate RESULT` judges a run's `result.json`, or the folder it lies in; `logquake gate selftest`
    runs known-bad stacks and checks that each one is blocked.
    """


@gate.command(name=_JUDGE)
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "--gate",
    "gate_path",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Rules for passing.  [default: score of at least 98, no veto, no FAIL]",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="REQUIREMENT",
    help="A requirement beside the rules, e.g. 'score>=98' or 'response_p99_ms<50ms'. May be repeated.",
)
def judge_result(result: Path, gate_path: Path | None, required: Sequence[str]) -> int:
    """Decide by rules whether a finished run passes.

    RESULT is a run's `result.json`, or the folder it lies in.
    """
    read = read_result(result_file(result))
    if read.interactive:
        raise UsageError(
            f"{result}: {INTERACTIVE} Judge a run of `logquake run` or `logquake load --headless`."
        )
    rules = GateRules() if gate_path is None else _load(gate_path)
    asked = with_required(rules, [parse_requirement(text) for text in required])
    today = date.today()
    scenarios = [excuse(scenario, asked.not_applicable, today) for scenario in read.scenarios]
    verdicts = [verdict for scenario in scenarios for verdict in scenario.verdicts]
    was_planned = {
        row.objective: dimension.dimension
        for dimension in read.score.dimensions
        for row in dimension.objectives
    }
    units = dict.fromkeys(was_planned, "") | {verdict.objective: verdict.unit for verdict in verdicts}
    require_known(asked.required, units)
    planned, _ = applicable(was_planned, asked.not_applicable, today)
    rng = Random(f"{read.seed}:regression")  # noqa: S311 - reproducible resampling, not a secret
    regression = judged_anew(read.regression, asked.regression, rng)
    decision = decide(score(planned, verdicts), verdicts, asked, today, read.broke, regression)
    head = f"{decision.status.value}: run {read.run_id}, suite {read.suite}, stack {read.stack}"
    try:
        say("\n".join((head, *(f"  {reason}" for reason in decision.reasons))))
    except UnheardError as error:
        # The exit code holds the decision.
        silence()
        note(f"logquake: {error.sentence}; the gate's decision is {decision.status.value}")
    return gate_exit_code(decision.status)


def _load(path: Path) -> GateRules:
    # What validates files takes longer to import than judging takes; only a gate file needs it.
    from harness.config.gate import load_gate

    return load_gate(path)
