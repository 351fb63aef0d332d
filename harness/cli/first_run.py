"""The first runs of a project: does a line arrive at all, and does it survive the first fault."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import click

from harness.cli.exit_codes import gate_exit_code
from harness.cli.interruption import Interruption
from harness.cli.output import note
from harness.cli.progress import make_progress
from harness.cli.run import run
from harness.cli.selection import Selection, make_request
from harness.config.yaml_source import read_yaml
from harness.model.declarations import Part
from harness.model.errors import HarnessError, ScenarioError
from harness.model.protocols import Status
from harness.model.result import ScenarioResult
from harness.onboarding.scaffold import GATE, SCENARIO, command
from harness.reporting.latest import NAME as LATEST
from harness.reporting.latest import result_file
from harness.reporting.result_json import read_result
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun

_REPORTS = Path("reports")
_TRIAL = "trial"
_RATE_PER_SECOND = 20
# A key of the stack file, as remarks name it.
_KEY = re.compile(r"\b(?:intake|archive|dead_letters|counters|fields|promises)\.[a-z_]+")
_SENDING_SECONDS = 3.0
_WAITING_SECONDS = 8.0


def require_arrivals(name: str, stack: Path) -> None:
    """Send for a few seconds without a fault; a stack file that guesses wrong must not look like a bad stack.

    Args:
        name: the stack's.
        stack: its file.

    Raises:
        ScenarioError: no line arrived where the file says, with the lines of the file to look at.
        HarnessError: what ended the run.
    """
    note("\nTrial: a few seconds without a fault, to see that lines arrive where the stack file says.")
    plan = make_plan(request := _trial(name))
    with make_progress() as watch:
        result, ended_by = SuiteRun(plan, request, Interruption(), watch).run()
    if ended_by is not None:
        raise ended_by
    (scenario,) = result.scenarios
    if problem := wrong_guess(scenario, stack):
        raise ScenarioError(problem)


def _trial(name: str) -> Request:
    selection = Selection(
        scenarios=("no_fault",),
        suite=None,
        stack=name,
        backend="embedded",
        input_path=None,
        seed=1,
        gate_path=None,
    )
    request = make_request(selection, _REPORTS, None, repeats_max=0)
    calm = (
        replace(
            each,
            schedule=Part("steady", {"rate_per_second": _RATE_PER_SECOND}),
            sending_seconds=_SENDING_SECONDS,
            drain_seconds=_WAITING_SECONDS,
            liveness_seconds=_WAITING_SECONDS,
            recovery_seconds=_WAITING_SECONDS,
        )
        for each in request.scenarios
    )
    return replace(request, suite=_TRIAL, scenarios=tuple(calm))


def wrong_guess(scenario: ScenarioResult, stack: Path) -> str:
    """Say what in the stack file must be wrong, with its lines, as a run without a fault proves it; else "".

    Args:
        scenario: the result of a run without a fault.
        stack: the stack file.
    """
    lines = read_yaml(stack).line
    if scenario.status is Status.ERROR:
        named = _KEY.search(" ".join(scenario.remarks))
        at = lines(tuple(named[0].split("."))) if named else 1
        return "\n".join((f"{stack}:{at} the trial could not be judged:", *scenario.remarks))
    if scenario.tally.acknowledged == 0:
        return (
            f"{stack}:{lines(('intake',))} intake: of {scenario.tally.sent:,} records not one was accepted, "
            "without any fault. Correct how the handler is made there."
        )
    if scenario.found == 0:
        return (
            f"{stack}:{lines(('archive',))} archive: {scenario.tally.acknowledged:,} records were accepted "
            "and not one is there, without any fault. Correct the place that is read back, or, at "
            f"{stack}:{lines(('intake',))} intake, what the handler is given: "
            "it must send to the address `{to_store.url}`, or write below `{run.folder}`."
        )
    return ""


def run_first_check(name: str) -> int:
    """Run the first scenario as the written files say; return its exit code.

    Args:
        name: the stack's.
    """
    note(f"\n{command(name)}")
    context = click.get_current_context()
    code: int = context.invoke(run, scenarios=(SCENARIO,), stack=name, gate_path=Path(GATE))
    return code


def what_next(name: str, code: int) -> str:
    """Return what the first check says in a few lines, and what to do next.

    Args:
        name: the stack's.
        code: the exit code of the first check.
    """
    try:
        result = read_result(result_file(_REPORTS / LATEST))
    except HarnessError as error:
        return str(error)
    status = result.gate.status
    word = {0: "Green", 1: "Red"}.get(gate_exit_code(status), "Undecided")
    failed = [
        verdict for one in result.scenarios for verdict in one.verdicts if verdict.status is Status.FAIL
    ]
    lines = ["", f"{word} (exit code {code}).", *(f"  {each.objective}: {each.summary}" for each in failed)]
    if code == 1:
        lines += [
            f"Open {_REPORTS / LATEST / 'scorecard.html'}: it shows a record that was hurt, and when.",
            f"Then mend the handler and run the same again:   {command(name)}",
        ]
    else:
        lines += [f"Next, the default suite, some minutes:   logquake run --stack {name} --gate {GATE}"]
    lines += ["Commit the files that were written: the workflow runs the same check with every change."]
    return "\n".join(lines)
