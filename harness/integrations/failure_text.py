"""What is said of a scenario that did not pass: the verdicts, the counterexamples, where everything lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.model.protocols import Status, Verdict
from harness.model.result import ScenarioResult
from harness.reporting.escaping import LINE_CHARACTERS_MAX, clipped, lines_of
from harness.reporting.numbers import seconds_span
from harness.reporting.scorecard_words import WORST_FIRST, attempt_line, kept_words, measured, status_word

COUNTEREXAMPLE_LINES_MAX = 12


def headline(result: ScenarioResult, status: Status) -> str:
    """Return what is worst about a scenario, in one line.

    Args:
        result: what came out.
        status: the scenario's; the first verdict that has it is told.
    """
    worst = [verdict for verdict in result.verdicts if verdict.status is status]
    if status in {Status.ERROR, Status.NOT_RUN} and result.remarks:
        said = result.remarks[0].partition("\n")[0]
    elif worst:
        said = f"{worst[0].objective}: {worst[0].summary}"
    else:
        said = "nothing was judged"
    return clipped(f"{status_word(status)}: {said}")


def failure_text(result: ScenarioResult, status: Status, folder: Path, replay: str) -> str:
    """Return all that a person needs to follow a scenario that did not pass.

    Args:
        result: of the scenario.
        status: what it counts as, by the gate's waivers.
        folder: of the run, below which history and kept files lie.
        replay: the command that runs it again.
    """
    return "\n".join(_lines(result, status, folder, replay))


def _lines(result: ScenarioResult, status: Status, folder: Path, replay: str) -> Iterator[str]:
    scenario = result.scenario
    yield headline(result, status)  # first, since it is all that a summary shows
    yield clipped(f"  {scenario.name}: {' '.join(scenario.title.split())}")
    yield clipped(f"  hypothesis: {' '.join(scenario.hypothesis.split())}")
    for remark in result.remarks:
        yield from (f"  {line}" for line in lines_of(remark, LINE_CHARACTERS_MAX))
    seen: set[tuple[Status, str]] = set()
    for verdict in _worst_first(result):
        # One cause that keeps every check from its verdict is told once.
        is_news = (verdict.status, verdict.summary) not in seen
        seen.add((verdict.status, verdict.summary))
        if is_news or verdict.counterexample:
            yield from verdict_lines(verdict)
    for band in result.bands:
        landed = "landed" if band.landed else "not proved to have landed"
        span = seconds_span(band.from_seconds, band.to_seconds)
        yield clipped(f"  fault: {band.fault} on {band.target}, {span}, {landed}: {band.proof}")
    for place, attempt in enumerate(result.attempts, 1):
        yield clipped(f"  {attempt_line(place, attempt)}")
    if result.history:
        yield f"  history: {_near(folder / result.history)}"
    if result.kept is not None:
        yield f"  kept: {_near(folder / result.kept.folder)} ({kept_words(result.kept)})"
    yield f"  replay: {replay}"


def _worst_first(result: ScenarioResult) -> list[Verdict]:
    told = [verdict for verdict in result.verdicts if verdict.status is not Status.PASS]
    return sorted(told, key=lambda verdict: WORST_FIRST.index(verdict.status))


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Yield what a verdict says, its evidence and its counterexample, after an empty line."""
    yield ""
    yield clipped(f"  {status_word(verdict.status)} {verdict.objective}: {verdict.summary}")
    if value := measured(verdict):
        yield clipped(f"    measured: {value}")
    for veto in verdict.vetoes:
        yield clipped(f"    veto: {veto}")
    for item in verdict.evidence:
        yield f"    {clipped(item)}"
    for line in verdict.counterexample[:COUNTEREXAMPLE_LINES_MAX]:
        yield f"    > {clipped(line)}"
    if (more := len(verdict.counterexample) - COUNTEREXAMPLE_LINES_MAX) > 0:
        yield f"    > … {more:,} more lines in result.json"


def _near(path: Path) -> str:
    """Return a path as seen from the current folder where it lies below it."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near
