"""Examines the examiner: runs each known-bad stack and compares what was caught with what must be caught."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from harness.config.scenario import load_scenario
from harness.judging.gate_rules import GateRules
from harness.model.declarations import Scenario
from harness.model.errors import HarnessError, ScenarioError
from harness.model.protocols import Progress, Status
from harness.model.result import Result
from harness.runs.request import Request, make_plan
from harness.runs.suite import SuiteRun
from harness.selftest.stacks import Case


@dataclass(frozen=True, slots=True)
class Outcome:
    """One examination of one stack: what the gate said, what failed, and what is wrong with that."""

    case: str
    gate: str
    failed: tuple[str, ...]
    problem: str
    seconds: float

    @property
    def right(self) -> bool:
        """Return whether it came out as it must."""
        return not self.problem


def problem_of(case: Case, gate: Status, failed: Iterable[str]) -> str:
    """Say what is wrong with an outcome; empty where it is as it must be.

    A bad stack must be blocked, by its primary catch, with no failure beside it but named consequences. The
    honest twin must pass without any failure.
    """
    found = frozenset(failed)
    if not case.catch:
        if gate is Status.PASS:
            return ""
        return f"the honest twin got {gate.value}: {', '.join(sorted(found)) or 'nothing failed'}"
    if gate is Status.PASS:
        return "it passed the gate"
    if case.catch not in found:
        return f"{case.catch} did not fail"
    beyond = found - {case.catch} - case.consequences
    return f"failed besides: {', '.join(sorted(beyond))}" if beyond else ""


def examine(
    case: Case, out: Path, signals: Callable[[], int], watch: Callable[[Progress], None]
) -> tuple[Outcome, Result]:
    """Run one case on the embedded backend.

    Raises:
        HarnessError: the run could not be made or was ended early.
    """
    request = Request(
        suite="selftest",
        scenarios=(_scenario(case),),
        stack=case.stack(),
        backend="embedded",
        seed=1,
        input_path=None,
        out=out,
        command="logquake gate selftest",
        gate=GateRules(),
        max_minutes=None,
        today=datetime.now(UTC).date(),
    )
    result, ended_by = SuiteRun(make_plan(request), request, signals, watch).run()
    if ended_by is not None:
        raise ended_by
    failed = tuple(
        sorted(
            verdict.objective
            for scenario in result.scenarios
            for verdict in scenario.verdicts
            if verdict.status is Status.FAIL
        )
    )
    gate = result.gate.status
    return Outcome(case.name, gate.value, failed, problem_of(case, gate, failed), result.seconds), result


def _scenario(case: Case) -> Scenario:
    scenario = load_scenario(scenario_path(case.scenario))
    return scenario if case.load is None else replace(scenario, load=case.load)


def scenario_path(name: str) -> Path:
    """Return where a scenario of the self-test lies."""
    return Path(str(importlib.resources.files("harness.selftest"))) / "scenarios" / f"{name}.yaml"


class OutcomeFile:
    """Outcomes kept as JSON lines, so that a long proof can be continued where it was interrupted."""

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist."""
        self._path = path

    def read(self) -> list[Outcome]:
        """Return the outcomes so far.

        Raises:
            ScenarioError: a line is none of ours.
        """
        if not self._path.exists():
            return []
        return list(self._parse(self._path.read_text().splitlines()))

    def append(self, outcome: Outcome) -> None:
        """Keep one more outcome."""
        with self._path.open("ab") as file:
            file.write(orjson.dumps(asdict(outcome)) + b"\n")

    def _parse(self, lines: Sequence[str]) -> Iterator[Outcome]:
        for number, line in enumerate(lines, start=1):
            try:
                entry = orjson.loads(line)
                yield Outcome(**{**entry, "failed": tuple(entry["failed"])})
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise ScenarioError(
                    f"{self._path}:{number}: no outcome of a self-test ({error}); remove the line or the file"
                ) from error


def table(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> list[str]:
    """Return a Markdown table: each stack, its habit, what must catch it, and how often it did."""
    lines = [
        "| stack | what it does | must be caught by | caught | also failed | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for case in cases:
        mine = [outcome for outcome in outcomes if outcome.case == case.name]
        right = sum(outcome.right for outcome in mine)
        also = sorted({name for outcome in mine for name in outcome.failed} - {case.catch})
        longest = max((outcome.seconds for outcome in mine), default=0.0)
        must = case.catch or "nothing: it must pass"
        lines.append(
            f"| {case.name} | {case.habit} | {must} | {right} of {len(mine)} | "
            f"{', '.join(also) or 'nothing'} | {longest:.0f} |"
        )
    return lines


def select(cases: Sequence[Case], names: Sequence[str]) -> Sequence[Case]:
    """Return the named cases, all of them where none is named.

    Raises:
        ScenarioError: a name is unknown.
    """
    known = {case.name: case for case in cases}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ScenarioError(f'no known-bad stack "{unknown[0]}". Known: {", ".join(known)}.')
    return [known[name] for name in names] if names else cases


def failed_examination(case: Case, error: HarnessError) -> Outcome:
    """Return the outcome of a case whose run could not be made: never right."""
    return Outcome(case.name, Status.ERROR.value, (), str(error).splitlines()[0], 0.0)
