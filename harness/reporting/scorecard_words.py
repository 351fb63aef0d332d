"""What every form of the scorecard says, however drawn: marks, points, counterexamples, commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judging.points import EN_DASH, apportioned, hundredths, interval
from harness.model.protocols import Status, Verdict
from harness.model.result import (
    Attempt,
    DimensionScore,
    KeptFiles,
    MomentKind,
    Result,
    ScenarioResult,
    Score,
)
from harness.reporting.numbers import milliseconds, number, quantity

# A mark beside each word, so that no reading depends on colour; plain ones for ASCII terminals.
MARKS = {
    Status.PASS: "✓",
    Status.WARN: "!",
    Status.FAIL: "✕",
    Status.INCONCLUSIVE: "?",
    Status.ERROR: "!!",
    Status.NOT_RUN: EN_DASH,
    Status.NOT_APPLICABLE: "·",
}
_MOMENT_WORDS = {
    MomentKind.INJECTED: "{what} injected",
    MomentKind.FOUND: "the stack finds {what}: finding {finding}",
    MomentKind.ACTED: "the stack acts on finding {finding}",
    MomentKind.HEALED: "{what} healed",
    MomentKind.RECOVERED: "recovered: the backlog is gone",
}
WORST_FIRST = (
    Status.FAIL,
    Status.ERROR,
    Status.INCONCLUSIVE,
    Status.NOT_RUN,
    Status.WARN,
    Status.PASS,
    Status.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class PointsRow:
    """One printed row of the points: numbers in hundredths. `status` is None in a dimension's own row."""

    word: str
    status: Status | None
    weight: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class PointsGroup:
    """A dimension's row and those of its objectives, which sum to it."""

    dimension: PointsRow
    objectives: tuple[PointsRow, ...]


def status_word(status: Status) -> str:
    """Return the status as people write it, e.g. `NOT RUN`."""
    return status.value.replace("_", " ")


def score_words(score: Score) -> str:
    """Return the score's interval in points, or `withheld` where a veto stands."""
    return "withheld" if score.vetoes else interval(hundredths(score.low), hundredths(score.high))


def points_groups(score: Score) -> tuple[PointsGroup, ...]:
    """Return the points as printed: each column sums to the printed score, objectives to their dimension."""
    dimensions = score.dimensions
    columns = _columns(
        [(one.weight, one.low, one.high) for one in dimensions],
        weight=hundredths(sum(one.weight for one in dimensions)),
        low=hundredths(score.low),
        high=hundredths(score.high),
    )
    return tuple(
        _points_group(one, PointsRow(one.dimension, None, *row))
        for one, row in zip(dimensions, columns, strict=True)
    )


def sum_problem(score: Score) -> str:
    """Return a sentence where the dimensions' points do not sum to the score, which is a defect; else ''."""
    low, high = (sum(getattr(one, end) for one in score.dimensions) for end in ("low", "high"))
    if abs(low - score.low) < 0.005 and abs(high - score.high) < 0.005:
        return ""
    return (
        f"The dimensions' points add up to {low:.2f} to {high:.2f}, "
        f"but the score is {score.low:.2f} to {score.high:.2f}. "
        "This is a defect of logquake; please report it with the result.json."
    )


def decided_share(score: Score) -> str:
    """Return how much of the planned weight was decided."""
    return f"{hundredths(score.coverage * 100) / 100:g} % of the planned weight was decided"


def record_counts(one: ScenarioResult) -> tuple[tuple[str, int], ...]:
    """Return how far the records came, as (word, count); refusals only where there were any.

    Args:
        one: result of a scenario.
    """
    tally = one.tally
    refused = (("refused", tally.refused),) if tally.refused else ()
    return (
        ("due", tally.due),
        ("sent", tally.sent),
        ("answered", tally.answered),
        *refused,
        ("acknowledged", tally.acknowledged),
        ("copies found", one.found),
    )


def cost_facts(one: ScenarioResult) -> tuple[tuple[str, str], ...]:
    """Return what the scenario took of the harness itself, as (name, value); nothing where none was measured.

    Args:
        one: result of a scenario.
    """
    if one.cost is None:
        return ()
    return (
        ("read back in", milliseconds(one.cost.read_back_seconds * 1000)),
        ("judged in", milliseconds(one.cost.judging_seconds * 1000)),
        ("memory at most", quantity(one.cost.memory_mib, "MiB")),
    )


def generator_facts(one: ScenarioResult) -> tuple[tuple[str, str], ...]:
    """Return what the load's own tool says, and how near its limit it was, as (name, value).

    Args:
        one: result of a scenario; nothing is said of one whose load needs no tool.
    """
    if (tool := one.generator) is None:
        return ()
    counts = tuple(
        (
            f"{tool.tool}'s own figures, {' '.join(filter(None, (each.method, each.name)))}",
            f"{number(each.requests)} requests, {number(each.failures)} failed, "
            f"p50 {milliseconds(each.p50_ms)}, p95 {milliseconds(each.p95_ms)}",
        )
        for each in tool.requests
    )
    busiest = f"at most {tool.cores_peak:.2f} of a core in each of {number(tool.processes)} workers"
    if tool.processes == 1:
        busiest = f"at most {tool.cores_peak:.2f} of a core"
    carried = tool.records_per_core_second
    late = f", {number(tool.late)} records sent more than {tool.late_ms:g} ms late" if tool.late else ""
    limit = "" if carried is None else f", {number(round(carried))} records/s a core"
    return (*counts, ("load generator", f"{busiest}{limit}{late}"))


def measured(verdict: Verdict) -> str:
    """Return the verdict's value beside its limit, with enough digits to tell the two apart."""
    if verdict.value is None:
        return ""
    value = quantity(verdict.value, verdict.unit)
    if verdict.limit is None:
        return value
    limit = quantity(verdict.limit, verdict.unit)
    if value == limit and verdict.value != verdict.limit:
        value = f"{verdict.value!r} {verdict.unit}".rstrip()
    return f"{value} (limit {limit})"


def veto_case(result: Result, veto: str) -> tuple[ScenarioResult, Verdict] | None:
    """Return the standing veto's smallest case: the one with the shortest counterexample."""
    cases = [
        (scenario, verdict)
        for scenario in result.scenarios
        for verdict in scenario.verdicts
        if veto in verdict.vetoes
    ]
    return min(cases, key=lambda case: _length(case[1].counterexample), default=None)


def replay_command(result: Result, scenario: ScenarioResult) -> str:
    """Return the command that runs this scenario alone, on the same schedule."""
    return _replay(result, _called(scenario))


def whole_replay_command(result: Result) -> str:
    """Return the command that runs all of it again, on the same schedule, whatever its suite lists by now."""
    return _replay(result, *map(_called, result.scenarios))


def _replay(result: Result, *words: str) -> str:
    return f"{result.command} {shlex.join(words)} --seed {result.seed}"


def _called(scenario: ScenarioResult) -> str:
    return scenario.scenario.source or scenario.scenario.name


def count_by_status(statuses: Sequence[Status]) -> str:
    """Return e.g. `1 fail, 3 pass`, worst first.

    Args:
        statuses: in any order; those that never occur are left out.
    """
    counts = [(status, sum(one is status for one in statuses)) for status in WORST_FIRST]
    return ", ".join(f"{count} {status_word(status).lower()}" for status, count in counts if count)


def facts_of_run(result: Result) -> tuple[tuple[str, str], ...]:
    """Return what identifies a run and what it was measured on, as (name, value)."""
    promises = result.promises
    return (
        ("run", result.run_id),
        *(
            (("made", "by hand on the live page; gates nothing, is no baseline"),)
            if result.interactive
            else ()
        ),
        ("started", result.started_at),
        ("seed", str(result.seed)),
        ("suite hash", result.suite_hash),
        ("plan hash", result.plan_hash),
        ("scenarios", number(len(result.scenarios))),
        (
            "promised",
            f"durability {promises.durability.name.lower()}; at most {promises.copies_max} "
            f"{'copy' if promises.copies_max == 1 else 'copies'}; "
            f"p99 of the log call at most {milliseconds(promises.response_p99_ms)}",
        ),
        *result.surroundings.items(),
    )


def kept_words(kept: KeptFiles) -> str:
    """Return what is kept of a scenario's files, in the words after the folder's name."""
    files = f"{kept.files:,} {'file' if kept.files == 1 else 'files'}, {kept.size_bytes:,} bytes"
    return files if kept.files else "nothing could be kept"


def incident_lines(one: ScenarioResult) -> list[str]:
    """Return the moments of a scenario's incident, each in one line; none where there was none."""
    return [
        f"{each.at_seconds:.1f} s  {_MOMENT_WORDS[each.kind].format(what=each.what, finding=each.finding)}"
        for each in one.incident
    ]


def attempt_line(place: int, attempt: Attempt) -> str:
    """Return an earlier attempt in one line: what it said and where its history is.

    Args:
        place: which attempt it was, from 1.
        attempt: which did not stand.
    """
    why = "; ".join(attempt.reasons) or "no reason given"
    took = milliseconds(attempt.seconds * 1000)
    where = attempt.history if attempt.kept is None else f"{attempt.history}, {attempt.kept.folder}"
    return f"attempt {place}: {status_word(attempt.status)} after {took}: {why} ({where})"


def _points_group(dimension: DimensionScore, row: PointsRow) -> PointsGroup:
    parts = [(one.weight, one.low, one.high) for one in dimension.objectives]
    columns = _columns(parts, weight=row.weight, low=row.low, high=row.high)
    return PointsGroup(
        row,
        tuple(
            PointsRow(one.objective, one.status, *shown)
            for one, shown in zip(dimension.objectives, columns, strict=True)
        ),
    )


def _columns(
    parts: Sequence[tuple[float, float, float]], *, weight: int, low: int, high: int
) -> list[tuple[int, int, int]]:
    """Return (weight, low, high) of each part in hundredths, each column summing to its total.

    Apportioned are what was earned, what is open above it and what was lost above that: so a decided part
    shows one number and a passed one its full weight, whatever the rounding of its neighbours.
    """
    earned = apportioned([part[1] for part in parts], low)
    open_above = apportioned([part[2] - part[1] for part in parts], high - low)
    lost = apportioned([part[0] - part[2] for part in parts], weight - high)
    return [
        (one + gap + rest, one, one + gap) for one, gap, rest in zip(earned, open_above, lost, strict=True)
    ]


def _length(counterexample: Sequence[str]) -> float:
    return sum(len(line) + 1 for line in counterexample) or float("inf")
