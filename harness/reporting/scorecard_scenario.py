"""A scenario's part of the HTML scorecard: what was tried and seen, what follows, how to try it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.judging.points import EN_DASH
from harness.model.protocols import Status
from harness.model.result import Result, ScenarioResult, SecondOfRun
from harness.reporting.charts import (
    Chart,
    backlog_chart,
    flow_chart,
    incident_marks,
    response_chart,
    stored_per_second,
    time_axis,
)
from harness.reporting.numbers import milliseconds, number
from harness.reporting.page_templates import drawn
from harness.reporting.scorecard_words import (
    attempt_line,
    cost_facts,
    generator_facts,
    incident_lines,
    record_counts,
    replay_command,
)


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a scenario the page has room for; the lanes are response, flow, backlog, in order."""

    lanes: int = 3
    lanes_of_passed: int = 3
    table: bool = True
    items_max: int = 40
    characters_max: int = 600
    scenarios_max: int = 200


def scenario_section(result: Result, one: ScenarioResult, anchor: str, detail: Detail) -> Markup:
    """Return the scenario's article; `anchor` is its id in the page.

    Args:
        result: of the whole run.
        one: the scenario's own.
        anchor: begins the ids of its charts too.
        detail: how much of it the page has room for.
    """
    lanes_max = detail.lanes_of_passed if one.status is Status.PASS else detail.lanes
    counts = ((word, number(count)) for word, count in record_counts(one))
    return drawn(
        "scenario.html",
        one=one,
        scenario=one.scenario,
        anchor=anchor,
        detail=detail,
        attempts=[attempt_line(*attempt) for attempt in enumerate(one.attempts, 1)],
        axis=time_axis(one.series, one.bands),
        lanes=_lanes(one, anchor, result.promises.response_p99_ms, lanes_max),
        incident=incident_lines(one),
        table=list(_table(one.series)) if detail.table else [],
        account=[*counts, ("took", milliseconds(one.seconds * 1000)), *_cost(one)],
        replay=replay_command(result, one),
    )


def _cost(one: ScenarioResult) -> Iterator[tuple[str, str]]:
    for word, value in cost_facts(one):
        yield f"harness: {word}", value
    yield from generator_facts(one)


def _lanes(one: ScenarioResult, anchor: str, limit_ms: float, lanes_max: int) -> list[tuple[str, Chart]]:
    """Return the first lanes with their titles; the lowest carries the seconds."""
    series, bands = one.series, one.bands
    lanes: Sequence[tuple[str, Callable[[bool], Chart]]] = (
        (
            "Response time of the log call",
            lambda lowest: response_chart(f"{anchor}-r", series, bands, limit_ms, time_labels=lowest),
        ),
        ("Records per second", lambda lowest: flow_chart(f"{anchor}-f", series, bands, time_labels=lowest)),
        (
            "Backlog, records",
            lambda lowest: backlog_chart(
                f"{anchor}-b", series, bands, incident_marks(one.incident), time_labels=lowest
            ),
        ),
    )[:lanes_max]
    return [(title, draw(place == len(lanes))) for place, (title, draw) in enumerate(lanes, 1)]


def _table(series: Sequence[SecondOfRun]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each second, in the order of the template's heads."""
    for row, stored in zip(series, stored_per_second(series), strict=True):
        counts = (row.due, row.answered, row.acknowledged, stored, row.backlog)
        times_ms = (row.response_p50_ms, row.response_p99_ms, row.control_p99_ms)
        yield (
            str(row.second),
            *(_cell(count, number) for count in counts),
            *(_cell(time_ms, milliseconds) for time_ms in times_ms),
        )


def _cell(value: float | None, word: Callable[[float], str]) -> str:
    return EN_DASH if value is None else word(value)
