"""A scenario's part of the HTML scorecard: what was tried and seen, what follows, how to try it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.model.declarations import Scenario
from harness.model.protocols import Status, Verdict
from harness.model.result import Band, Result, ScenarioResult, SecondOfRun
from harness.reporting.charts import (
    Chart,
    backlog_chart,
    flow_chart,
    response_chart,
    stored_per_second,
    time_axis,
)
from harness.reporting.escaping import markup
from harness.reporting.numbers import EN_DASH, milliseconds, number, seconds_span
from harness.reporting.scorecard_words import MARKS, attempt_line, measured, replay_command, status_word


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a scenario the page has room for; the lanes are response, flow, backlog, in order."""

    lanes: int = 3
    lanes_of_passed: int = 3
    table: bool = True
    items_max: int = 40
    characters_max: int = 600
    scenarios_max: int = 200


def scenario_section(result: Result, one: ScenarioResult, anchor: str, detail: Detail) -> str:
    """Return the scenario's article; `anchor` is its id in the page."""
    return "".join(
        (
            f'<article class="scenario" id="{anchor}">',
            f"<header><h3>{prose(one.scenario.title, detail)}</h3>{chip(one.status)}</header>",
            _purpose(one.scenario, detail),
            bullets(one.remarks, "remarks", detail),
            bullets([attempt_line(*attempt) for attempt in enumerate(one.attempts, 1)], "remarks", detail),
            _figure(result, one, anchor, detail),
            _faults(one.bands, detail),
            _account(one),
            '<div class="verdicts">',
            *(_verdict(verdict, detail) for verdict in one.verdicts),
            "" if one.verdicts else '<p class="empty">No objective was judged.</p>',
            "</div>",
            f'<p class="replay"><span>Replay</span><code>{markup(replay_command(result, one))}</code></p>',
            "</article>",
        )
    )


def chip(status: Status) -> str:
    """Return the status as a mark and a word in its colour."""
    return (
        f'<span class="chip {status.value.lower()}"><span aria-hidden="true">{MARKS[status]}</span> '
        f"{status_word(status)}</span>"
    )


def prose(text: str, detail: Detail) -> str:
    """Return running text as markup: its line breaks are a file's, not the reader's."""
    return markup(" ".join(text.split()), 2 * detail.characters_max)


def bullets(items: Sequence[str], style: str, detail: Detail) -> str:
    """Return a list of texts as markup, cut to what the page has room for; '' where there is none."""
    if not items:
        return ""
    shown = [f"<li>{markup(item, detail.characters_max)}</li>" for item in items[: detail.items_max]]
    if len(items) > len(shown):
        shown.append(f"<li>… and {len(items) - len(shown):,} more in result.json</li>")
    return f'<ul class="{style}">{"".join(shown)}</ul>'


def _purpose(scenario: Scenario, detail: Detail) -> str:
    parts = [f'<p class="hypothesis">{prose(scenario.hypothesis, detail)}</p>']
    if scenario.why:
        parts.append(f'<p class="why">{prose(scenario.why, detail)}</p>')
    if scenario.seen_in:
        places = ", ".join(markup(place, 120) for place in scenario.seen_in[: detail.items_max])
        parts.append(f'<p class="seen">Seen in the wild: {places}</p>')
    return "".join(parts)


def _account(one: ScenarioResult) -> str:
    """Return the records' account: how far they came."""
    tally = one.tally
    counts = (
        ("due", tally.due),
        ("sent", tally.sent),
        ("answered", tally.answered),
        ("refused", tally.refused),
        ("acknowledged", tally.acknowledged),
        ("copies found", one.found),
    )
    terms = "".join(f"<div><dt>{word}</dt><dd>{number(count)}</dd></div>" for word, count in counts)
    took = f"<div><dt>took</dt><dd>{milliseconds(one.seconds * 1000)}</dd></div>"
    return f'<dl class="account">{terms}{took}</dl>'


def _figure(result: Result, one: ScenarioResult, anchor: str, detail: Detail) -> str:
    lanes_max = detail.lanes_of_passed if one.status is Status.PASS else detail.lanes
    if not one.series:
        return '<p class="empty">No second of this scenario was recorded.</p>'
    if not lanes_max:
        return (
            '<p class="empty">Left out to keep this page small: the chart. result.json has its numbers.</p>'
        )
    axis = time_axis(one.series, one.bands)
    lanes = _charts(one, anchor, result.promises.response_p99_ms)[:lanes_max]
    return "".join(
        (
            f'<figure data-from="{axis.from_seconds:g}" data-to="{axis.to_seconds:g}">',
            '<div class="lanes">',
            *(_lane(title, draw(place == len(lanes))) for place, (title, draw) in enumerate(lanes, 1)),
            '<div class="cross" hidden></div></div>',
            "<figcaption>Seconds since sending began. A line breaks where nothing was measured."
            '<output class="readout"></output></figcaption>',
            "</figure>",
            _table(one.series) if detail.table else "",
        )
    )


def _charts(
    one: ScenarioResult, anchor: str, limit_ms: float
) -> tuple[tuple[str, Callable[[bool], Chart]], ...]:
    """Return each lane's title and how to draw it; the lowest lane carries the seconds."""
    series, bands = one.series, one.bands
    return (
        (
            "Response time of the log call",
            lambda lowest: response_chart(f"{anchor}-r", series, bands, limit_ms, time_labels=lowest),
        ),
        ("Records a second", lambda lowest: flow_chart(f"{anchor}-f", series, bands, time_labels=lowest)),
        ("Backlog, records", lambda lowest: backlog_chart(f"{anchor}-b", series, bands, time_labels=lowest)),
    )


def _lane(title: str, chart: Chart) -> str:
    words = "".join(f"<li>{_swatch(style)}{markup(word)}</li>" for style, word in chart.legend)
    return f'<div class="lane-head"><h4>{title}</h4><ul class="legend">{words}</ul></div>{chart.svg}'


def _swatch(style: str) -> str:
    shape = (
        '<rect class="silent" y="3" width="22" height="5"/>'
        if style == "silent"
        else f'<path class="line {style}" d="M1 5.5H21"/>'
    )
    return f'<svg class="swatch" width="22" height="11" aria-hidden="true">{shape}</svg>'


def _table(series: Sequence[SecondOfRun]) -> str:
    heads = (
        "second",
        "due",
        "answered",
        "acknowledged",
        "newly stored",
        "backlog",
        "p50",
        "p99",
        "control p99",
    )
    rows = (
        f"<tr><th>{row.second}"
        + _cells((row.due, row.answered, row.acknowledged, stored, row.backlog), number)
        + _cells((row.response_p50_ms, row.response_p99_ms, row.control_p99_ms), milliseconds)
        for row, stored in zip(series, stored_per_second(series), strict=True)
    )
    head = "".join(f'<th scope="col">{word}' for word in heads)
    return (
        "<details><summary>The numbers behind the chart</summary>"
        f'<div class="scroll"><table class="numbers"><thead><tr>{head}<tbody>{"".join(rows)}</table></div>'
        "</details>"
    )


def _cells(values: Sequence[float | None], word: Callable[[float], str]) -> str:
    return "".join(f"<td>{EN_DASH if value is None else word(value)}" for value in values)


def _faults(bands: Sequence[Band], detail: Detail) -> str:
    if not bands:
        return ""
    rows = "".join(
        f'<li class="{"landed" if band.landed else "unproved"}"><b>{markup(band.fault, 80)}</b> on '
        f"<b>{markup(band.target, 80)}</b>, {seconds_span(band.from_seconds, band.to_seconds)}: "
        f"<strong>{'landed' if band.landed else 'not proved to have landed'}</strong>"
        f'<span class="proof">{markup(band.proof, detail.characters_max)}</span></li>'
        for band in bands[: detail.items_max]
    )
    return f'<div class="faults"><h4>What the faults did</h4><ol>{rows}</ol></div>'


def _verdict(verdict: Verdict, detail: Detail) -> str:
    veto = (
        f'<span class="veto">veto: {markup(", ".join(verdict.vetoes), 120)}</span>' if verdict.vetoes else ""
    )
    return "".join(
        (
            f'<section class="verdict {verdict.status.value.lower()}">',
            f"<div>{chip(verdict.status)}</div>",
            f'<div class="judged"><p class="objective">{broken(verdict.objective)}{veto}</p>',
            f'<p class="summary">{markup(verdict.summary, detail.characters_max)}</p>',
            bullets(verdict.evidence, "evidence", detail),
            counterexample(verdict.counterexample, detail),
            f'</div><p class="measured">{markup(measured(verdict), 80)}</p></section>',
        )
    )


def counterexample(lines: Sequence[str], detail: Detail) -> str:
    """Return the lines of a counterexample as they are, one a line; '' where there is none."""
    if not lines:
        return ""
    shown = "\n".join(markup(line, detail.characters_max) for line in lines[: detail.items_max])
    return f'<p class="counter-head">Counterexample</p><pre class="counterexample">{shown}</pre>'


def broken(name: str) -> str:
    """Return a dotted name as markup that may break where its words do."""
    return markup(name, 120).replace(".", ".<wbr>").replace("_", "_<wbr>")
