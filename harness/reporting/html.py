"""The scorecard: one HTML file that works offline, on a phone, in the dark, on paper and without scripts."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import ClassVar

from harness.judging.points import hundredths, interval, points
from harness.model.result import Result, ScenarioResult, Score
from harness.reporting.escaping import markup
from harness.reporting.numbers import EN_DASH, milliseconds
from harness.reporting.scorecard_scenario import (
    Detail,
    broken,
    bullets,
    chip,
    counterexample,
    prose,
    scenario_section,
)
from harness.reporting.scorecard_words import (
    MARKS,
    WORST_FIRST,
    PointsGroup,
    PointsRow,
    count_by_status,
    facts_of_run,
    points_groups,
    status_word,
    sum_problem,
    veto_case,
    whole_replay_command,
)
from harness.reporting.seismogram import seismogram

BYTES_MAX = 300_000
# Tried in turn until the page fits: first what result.json has anyway, last what a person came for.
DETAILS = (
    Detail(),
    Detail(table=False, items_max=20),
    Detail(table=False, lanes_of_passed=1, items_max=12, characters_max=240),
    Detail(table=False, lanes_of_passed=0, items_max=12, characters_max=240),
    Detail(table=False, lanes=0, lanes_of_passed=0, items_max=6, characters_max=160, scenarios_max=40),
    Detail(table=False, lanes=0, lanes_of_passed=0, items_max=3, characters_max=90, scenarios_max=12),
)


class Scorecard:
    """The scorecard for people, as one HTML file of at most 300 kB."""

    file_name: ClassVar[str] = "scorecard.html"

    def text(self, result: Result) -> str:
        """Return the page."""
        return page(result)


def page(result: Result) -> str:
    """Return the page with as much detail as fits into `BYTES_MAX`."""
    text = ""
    for detail in DETAILS:
        text = _page(result, detail)
        if len(text.encode()) <= BYTES_MAX:
            break
    return text


def _page(result: Result, detail: Detail) -> str:
    style, script = _data("scorecard.css"), _data("scorecard.js")
    # The page holds text that a broken stack produced: only this script may run, nothing may be fetched.
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    decision = result.gate.status
    title = f"{status_word(decision)} · {result.stack} · {result.suite} · logquake"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{markup(title, 120)}</title><style>{style}</style></head>",
            f'<body class="{decision.value.lower()}">',
            _masthead(result),
            seismogram(result),
            "<main>",
            _decision(result, detail),
            _vetoes(result, detail),
            _score(result, detail),
            _scenarios(result, detail),
            _surroundings(result, detail),
            f"</main><script>{script}</script></body></html>\n",
        )
    )


def _data(name: str) -> str:
    return files("harness.reporting").joinpath(name).read_text(encoding="utf-8").strip()


def _masthead(result: Result) -> str:
    facts = (
        ("stack", result.stack),
        ("suite", result.suite),
        ("backend", result.backend),
        ("input", result.input or "generated lines"),
        ("when", result.started_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")),
        ("took", milliseconds(result.seconds * 1000)),
    )
    terms = "".join(
        f"<div><dt>{word}</dt><dd>{markup(fact, 120) or EN_DASH}</dd></div>" for word, fact in facts
    )
    brand = '<p class="brand">logquake <span>scorecard</span></p>'
    return f'<header class="masthead">{brand}<dl>{terms}</dl></header>'


def _decision(result: Result, detail: Detail) -> str:
    status = result.gate.status
    tally = count_by_status([one.status for one in result.scenarios])
    return (
        f'<section class="decision {status.value.lower()}">'
        f'<h1><span class="mark" aria-hidden="true">{MARKS[status]}</span>'
        f"{status_word(status)}</h1><div>{bullets(result.gate.reasons, 'reasons', detail)}"
        f'<p class="tally">{len(result.scenarios)} scenarios: {tally or "none"}</p></div></section>'
    )


def _vetoes(result: Result, detail: Detail) -> str:
    vetoes = result.score.vetoes
    if not vetoes:
        return ""
    parts = ['<section class="vetoes"><h2>Vetoed</h2>']
    for veto in vetoes[: detail.items_max]:
        parts.append(f'<h3 class="veto-name">{markup(veto, detail.characters_max)}</h3>')
        if (case := veto_case(result, veto)) is not None:
            scenario, verdict = case
            parts.append(
                f"<p>{markup(verdict.summary, detail.characters_max)} "
                f'<span class="where">{markup(scenario.scenario.name, 120)}, '
                f"{broken(verdict.objective)}</span></p>"
                f"{counterexample(verdict.counterexample, detail)}"
            )
    return "".join((*parts, "</section>"))


def _score(result: Result, detail: Detail) -> str:
    score = result.score
    groups = points_groups(score)
    low, high = hundredths(score.low), hundredths(score.high)
    if score.vetoes:
        number_shown = (
            '<p class="points-big withheld">withheld</p><p class="scale">No number stands beside a veto.</p>'
        )
    else:
        number_shown = f'<p class="points-big">{interval(low, high)}</p>'
        number_shown += f'<p class="scale">of 100 points</p>{_bar(low, high)}'
    problem = sum_problem(score)
    return "".join(
        (
            '<section class="score"><h2>Score</h2>',
            _not_examined(result, detail),
            '<div class="score-grid"><div>',
            number_shown,
            f'<p class="coverage">{_coverage(score)}</p>',
            "</div><div>",
            f'<p class="defect">{problem}</p>' if problem else "",
            _points_table(groups, score, detail),
            "</div></div></section>",
        )
    )


def _not_examined(result: Result, detail: Detail) -> str:
    dimensions, unplanned = result.score.not_examined, result.unplanned
    if not dimensions and not unplanned:
        return ""
    names = ", ".join(f"<b>{markup(name, 80)}</b>" for name in dimensions)
    said = f"<strong>Not examined:</strong> {names}. The other weights are scaled to 100." if names else ""
    heading = "" if names else "<strong>Not examined:</strong>"
    return f'<div class="not-examined"><p>{said}{heading}</p>{bullets(unplanned, "unplanned", detail)}</div>'


def _coverage(score: Score) -> str:
    share = f"{hundredths(score.coverage * 100) / 100:g} % of the planned weight was decided."
    if hundredths(score.high) > hundredths(score.low):
        return f"{share} What is undecided counts as nothing at the low end and in full at the high end."
    return share


def _bar(low: int, high: int) -> str:
    return (
        '<svg class="bar" width="100%" height="26" role="img" '
        f'aria-label="score from {points(low)} to {points(high)} of 100">'
        '<rect class="bar-all" width="100%" height="12" rx="2"/>'
        f'<rect class="bar-open" width="{high / 100:g}%" height="12" rx="2"/>'
        f'<rect class="bar-sure" width="{low / 100:g}%" height="12" rx="2"/>'
        '<text class="tick" y="25">0</text><text class="tick" x="50%" y="25" text-anchor="middle">50</text>'
        '<text class="tick" x="100%" y="25" text-anchor="end">100</text></svg>'
    )


def _points_table(groups: tuple[PointsGroup, ...], score: Score, detail: Detail) -> str:
    withheld = bool(score.vetoes)
    rows = []
    for group in groups:
        rows.append(_points_row(group.dimension, "dimension", withheld))
        rows += [_points_row(row, "objective", withheld) for row in group.objectives[: detail.items_max]]
    weight = points(sum(group.dimension.weight for group in groups))
    caption = (
        "Weights; points are withheld with the score"
        if withheld
        else "Points; those of the dimensions sum to the score"
    )
    total = "withheld" if withheld else interval(hundredths(score.low), hundredths(score.high))
    return (
        f'<table class="points"><caption>{caption}</caption>'
        f"<thead><tr>{_heads('dimension, objective', 'verdict', 'weight', 'points')}"
        f'<tbody>{"".join(rows)}<tfoot><tr><th scope="row">sum<td><td>{weight}<td>{total}</table>'
    )


def _heads(*words: str) -> str:
    return "".join(f'<th scope="col">{word}' for word in words)


def _points_row(row: PointsRow, style: str, withheld: bool) -> str:
    verdict = chip(row.status) if row.status else ""
    earned = EN_DASH if withheld else interval(row.low, row.high)
    cells = f"<td>{verdict}<td>{points(row.weight)}<td>{earned}"
    return f'<tr class="{style}"><th scope="row">{broken(row.word)}{cells}'


def _scenarios(result: Result, detail: Detail) -> str:
    worst_first = sorted(
        enumerate(result.scenarios, 1), key=lambda numbered: WORST_FIRST.index(numbered[1].status)
    )
    shown = sorted(worst_first[: detail.scenarios_max], key=lambda numbered: numbered[0])
    left_out = len(result.scenarios) - len(shown)
    heads = _heads("scenario", "status", "objectives")
    rows = "".join(_index_row(place, one, detail) for place, one in shown)
    note = f"<p>{left_out:,} more are in result.json; the worst are shown.</p>" if left_out else ""
    return "".join(
        (
            "<section><h2>Scenarios</h2>",
            f'<table class="index"><thead><tr>{heads}<tbody>{rows}</table>{note}</section>',
            *(scenario_section(result, one, f"s{place}", detail) for place, one in shown),
        )
    )


def _index_row(place: int, one: ScenarioResult, detail: Detail) -> str:
    marks = count_by_status([verdict.status for verdict in one.verdicts]) or "none judged"
    return (
        f'<tr><th scope="row"><a href="#s{place}">{prose(one.scenario.title, detail)}</a>'
        f'<span class="name">{markup(one.scenario.name, 80)}</span><td>{chip(one.status)}<td>{marks}'
    )


def _surroundings(result: Result, detail: Detail) -> str:
    facts = facts_of_run(result)
    terms = "".join(
        f"<div><dt>{markup(word, 60)}</dt><dd>{markup(fact, detail.characters_max)}</dd></div>"
        for word, fact in facts[:60]
    )
    command = markup(whole_replay_command(result))
    return (
        f'<section class="surroundings"><h2>Run and surroundings</h2><dl>{terms}</dl>'
        f'<p class="replay"><span>Whole run</span><code>{command}</code></p>'
        "</section>"
    )
