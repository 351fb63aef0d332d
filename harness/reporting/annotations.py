"""The verdicts that a build should show beside its files: the worst ten, the gate's decision first.

GitHub shows ten errors of a step; what is beyond is in the step's summary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import clipped
from harness.reporting.scorecard_words import WORST_FIRST, measured, score_words, status_word
from harness.reporting.workflow_commands import command

ANNOTATIONS_MAX = 10
_CHARACTERS_MAX = 300
_LINES_MAX = 8
_LEVELS = {Status.FAIL: "error", Status.ERROR: "error"}
_GREEN = (Status.PASS, Status.WARN)
_SILENT = (Status.PASS, Status.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file that is in the repository: its path from the repository's root, the line from 1."""

    file: str
    line: int


Locate = Callable[[ScenarioResult, str], Place | None]
"""Tells where a file of the user's has an objective of a scenario; None where no such file is known."""


def worst_annotations(result: Result, locate: Locate) -> tuple[str, ...]:
    """Return one workflow command for the gate and each of the worst verdicts, at most `ANNOTATIONS_MAX`.

    Args:
        result: of the whole run.
        locate: finds the place, in a file of the build, that a scenario's verdict on an objective belongs to;
            it returns None where there is none.
    """
    found = [
        (one, verdict)
        for one in result.scenarios
        for verdict in one.verdicts
        if verdict.status not in _SILENT
    ]
    found.sort(key=lambda each: (not each[1].vetoes, WORST_FIRST.index(each[1].status)))
    told = [*_gate(result), *(_verdict(one, verdict, locate) for one, verdict in found[:ANNOTATIONS_MAX])]
    return tuple(told[:ANNOTATIONS_MAX])


def _gate(result: Result) -> Iterator[str]:
    status = result.gate.status
    if status not in _GREEN:
        title = f"logquake: {status_word(status)}, score {score_words(result.score)}"
        yield command(_level(status), _message(*result.gate.reasons), title=title)


def _verdict(one: ScenarioResult, verdict: Verdict, locate: Locate) -> str:
    place = locate(one, verdict.objective)
    where = {} if place is None else {"file": place.file, "line": str(place.line)}
    title = f"{status_word(verdict.status)}: {one.scenario.name}, {verdict.objective}"
    message = _message(verdict.summary, measured(verdict), *verdict.counterexample)
    return command(_level(verdict.status), message, **where, title=clipped(title, _CHARACTERS_MAX))


def _level(status: Status) -> str:
    return _LEVELS.get(status, "warning")


def _message(*lines: str) -> str:
    return "\n".join(clipped(line, _CHARACTERS_MAX) for line in lines[:_LINES_MAX] if line)
