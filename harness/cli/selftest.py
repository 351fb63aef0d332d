"""`logquake gate selftest`: known-bad stacks run for real, and each must be blocked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from harness.cli.interruption import Interruption
from harness.cli.output import note
from harness.cli.progress import make_progress
from harness.model.errors import HarnessError, InterruptedRunError
from harness.model.protocols import Progress
from harness.selftest.cases import CASES
from harness.selftest.examination import Outcome, OutcomeFile, examine, failed_examination, select, table
from harness.selftest.stacks import Case

EXIT_MISSED = 1


@click.command(name="selftest")
@click.argument("names", nargs=-1, metavar="[STACK]...")
@click.option(
    "--times",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    help="How many times to run each stack.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Keep outcomes in this file and continue where it ends.",
)
def selftest(names: tuple[str, ...], times: int, resume: Path | None) -> int:
    """Run known-bad stacks and check that each one is blocked.

    Each has one defect and one check that must catch it; the honest stack must pass. The exit code is 1 if
    one of them came out otherwise.
    """
    cases = select(CASES, names)
    kept = None if resume is None else OutcomeFile(resume)
    outcomes = [] if kept is None else kept.read()
    interruption = Interruption()
    with TemporaryDirectory(prefix="selftest-") as folder, make_progress() as watch:
        for case in _still_to_run(cases, outcomes, times):
            outcome = _examine(case, Path(folder), interruption, watch)
            outcomes.append(outcome)
            if kept is not None:
                kept.append(outcome)
            verdict = "right" if outcome.right else f"WRONG: {outcome.problem}"
            note(f"{case.name}: {outcome.gate}, {verdict} ({outcome.seconds:.0f} s)")
    click.echo("\n".join(table(cases, outcomes)))
    wrong = [outcome for outcome in outcomes if not outcome.right]
    return EXIT_MISSED if wrong else 0


def _still_to_run(cases: Sequence[Case], outcomes: Sequence[Outcome], times: int) -> list[Case]:
    """Return what is left to run, round by round, so that an interrupted proof is even."""
    done = {case.name: sum(outcome.case == case.name for outcome in outcomes) for case in cases}
    return [case for number in range(times) for case in cases if done[case.name] <= number]


def _examine(
    case: Case, folder: Path, interruption: Interruption, watch: Callable[[Progress], None]
) -> Outcome:
    try:
        return examine(case, folder, interruption, watch)[0]
    except InterruptedRunError:
        raise
    except HarnessError as error:
        return failed_examination(case, error)
