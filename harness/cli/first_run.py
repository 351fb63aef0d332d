"""The first runs of a project: does a line arrive at all, and does it survive the first fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.exit_codes import gate_exit_code
from harness.cli.interruption import Interruption
from harness.cli.output import note
from harness.cli.progress import make_progress
from harness.cli.run import let_latest_lead_to, note_in_trend
from harness.cli.selection import Selection, make_request
from harness.config.yaml_source import read_yaml
from harness.model.declarations import Part, Scenario
from harness.model.errors import ScenarioError, UnavailableError
from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.onboarding.drafts.draft import FirstFault
from harness.onboarding.scaffold import GATE, SCENARIO, Requirement, command
from harness.reporting.every_report import write_every_report
from harness.reporting.latest import NAME as LATEST
from harness.runs.last_lines import BEGINNING
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun

_REPORTS = Path("reports")
_TRIAL = "trial"
_RATE_PER_SECOND = 20
_SENDING_SECONDS = 2.0
_WAITING_SECONDS = 5.0
# A key of the stack file, as remarks name it.
_KEY = re.compile(r"\b(?:intake|archive|dead_letters|counters|fields|promises)\.[a-z_]+")


def require_arrivals(name: str, stack: Path) -> None:
    """Send for a moment without a fault; a stack file that guesses wrong must not look like a bad stack.

    Args:
        name: the stack's.
        stack: its file.

    Raises:
        ScenarioError: no line arrived where the file says, with the lines of the file to look at.
        HarnessError: what ended the run.
    """
    note("\nTrial without a fault: do lines arrive where the stack file says?")
    request = _request("no_fault", name, None)
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
    result = _run(replace(request, suite=_TRIAL, scenarios=tuple(calm), repeats_max=0), _REPORTS / _TRIAL)
    (scenario,) = result.scenarios
    if scenario.status is Status.ERROR and not _KEY.search(" ".join(scenario.remarks)):
        # Nothing that the file says: the machine, or a part of the harness.
        raise UnavailableError("\n".join(("the trial could not be judged; run it again:", *scenario.remarks)))
    if problem := wrong_guess(scenario, stack):
        quoted = [remark for remark in scenario.remarks if remark.startswith(BEGINNING)]
        again = "Then say `logquake init` again: it keeps your files, and tries anew."
        raise ScenarioError("\n".join((problem, *quoted, again)))


def wrong_guess(scenario: ScenarioResult, stack: Path) -> str:
    """Say what in the stack file must be wrong, with its lines, as a run without a fault proves it; else "".

    Args:
        scenario: the result of a run without a fault.
        stack: the stack file.
    """
    line = read_yaml(stack).line
    intake, archive = (f"{stack}:{line((key,))} {key}" for key in ("intake", "archive"))
    if scenario.status is Status.ERROR:
        named = _KEY.search(" ".join(scenario.remarks))
        at = line(tuple(named[0].split("."))) if named else 1
        return "\n".join((f"{stack}:{at} the trial could not be judged:", *scenario.remarks))
    if scenario.tally.acknowledged == 0:
        return (
            f"{intake}: of {scenario.tally.sent:,} records not one was accepted, without any fault. Correct "
            "how the handler is made there."
        )
    if scenario.found == 0:
        return (
            f"{archive}: {scenario.tally.acknowledged:,} records were accepted and not one is there, without "
            f"any fault. Correct the place that is read back, or, at {intake}, what the handler is given: it "
            "must send to the address `{to_store.url}`, or write below `{run.folder}`."
        )
    return ""


def run_first_check(name: str) -> Result:
    """Run the first scenario as the written files say, and write its reports.

    Args:
        name: the stack's.

    Raises:
        HarnessError: what ended the run.
    """
    note(f"\nFirst check: {command(name)}")
    return _run(_request(SCENARIO, name, Path(GATE)), _REPORTS)


def _request(scenario: str, stack: str, gate: Path | None) -> Request:
    selection = Selection(
        scenarios=(scenario,),
        suite=None,
        stack=stack,
        backend="embedded",
        input_path=None,
        seed=1,
        gate_path=gate,
    )
    return make_request(selection, _REPORTS, None)


def _run(request: Request, out: Path) -> Result:
    interruption = Interruption()
    with make_progress() as watch:
        suite_run = SuiteRun(make_plan(request), request, interruption, watch)
        result, ended_by = suite_run.run()
    try:
        write_every_report(result, suite_run.folder)
    except OSError as error:
        raise UnavailableError(f"{suite_run.folder}: cannot be written: {error.strerror}") from error
    if request.suite != _TRIAL:
        let_latest_lead_to(suite_run.folder, out)
        note_in_trend(result, out)
    if ended_by is not None:
        # No scorecard is printed here, and what ended the run may refer to it.
        note("\n".join(remark for scenario in result.scenarios for remark in scenario.remarks))
    interruption.raise_what_ended(ended_by)
    return result


def first_check_told(name: str, fault: FirstFault, requirement: Requirement, result: Result) -> str:
    """Return what the first check found, and what to do next.

    Args:
        name: the stack's.
        fault: what the first scenario does.
        requirement: what builds install logquake from.
        result: of the first check.
    """
    code = gate_exit_code(result.gate.status)
    lines = ["", f"{_WORDS.get(code, 'UNDECIDED')}: logquake would end a build with exit code {code}."]
    for scenario in result.scenarios:
        lines.append(f"{scenario.scenario.title}:")
        lines += [f"  {remark}" for remark in scenario.remarks]
        for verdict in scenario.verdicts:
            lines += _verdict_lines(verdict, scenario.remarks)
        if code == 0:
            lines.append(_tried(scenario.scenario))
    lines += [f"All of it: {_REPORTS / LATEST / 'scorecard.html'}", "", "Next", *_next(name, fault, code)]
    lines += _kept_told(requirement)
    return "\n".join(lines)


_WORDS = {0: "GREEN", 1: "RED"}


def _verdict_lines(verdict: Verdict, remarks: Sequence[str]) -> Iterator[str]:
    """Yield a verdict; a remark that stands above it and that it repeats is not said again."""
    said = verdict.summary
    for remark in remarks:
        repeated = f"{remark.partition(chr(10))[0]} ("
        if said.startswith(repeated):
            said = f"not decided, see above ({said.removeprefix(repeated)}"
    yield f"  {verdict.status.value:<12}  {verdict.objective}: {said}"
    if verdict.status is Status.FAIL:
        yield from (f"                | {line}" for line in verdict.counterexample)


def _tried(scenario: Scenario) -> str:
    """Say how little a green first check has tried."""
    steps = (f"{step.fault} on {step.target} ({step.for_seconds:g} s)" for step in scenario.steps)
    faults = " and ".join(steps) or "no fault at all"
    return f"Only this was tried: {faults}. Of other faults nothing is known yet."


# What is tried next, and all that a stack file of this kind can be tried with.
_NEXT_FAULT: Mapping[FirstFault, tuple[str, str]] = {
    FirstFault.STORE: ("Lose the store's answers, so that records are sent twice", "answer_cut"),
    FirstFault.APPLICATION: ("Log in bursts", "spike"),
}
_ALL: Mapping[FirstFault, tuple[str, str]] = {
    FirstFault.STORE: ("All scenarios of the default suite (minutes)", ""),
    FirstFault.APPLICATION: (
        "The scenarios that need no store (minutes)",
        "no_fault application_killed spike ",
    ),
}


def _next(name: str, fault: FirstFault, code: int) -> Iterator[str]:
    options = f"--stack {name} --gate {GATE}"
    if code == 0:
        what, scenario = _NEXT_FAULT[fault]
        yield f"  {what}:   logquake run {scenario} {options}"
    elif code == 1:
        yield f"  Mend the handler, and run the same again:   {command(name)}"
    else:
        yield f"  Run it again when this machine does less:   {command(name)}"
    what, scenarios = _ALL[fault]
    yield f"  {what}:   logquake run {scenarios}{options}"


def _kept_told(requirement: Requirement) -> Iterator[str]:
    """Say how the check comes into the builds."""
    if requirement.command and not Path(requirement.text).exists():
        yield "  Builds cannot install logquake from where it is here; put its wheel beside your files:"
        yield f"    {requirement.command}"
    yield "  Commit the files that were written: builds then run the first check with every change."
    if not _are_reports_ignored(Path(".gitignore")):
        yield f"  Add {_REPORTS}/ to .gitignore: every run writes there."


def _are_reports_ignored(path: Path) -> bool:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(line.strip().strip("/") == str(_REPORTS) for line in lines)
