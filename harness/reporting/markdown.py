"""The scorecard as Markdown, for a GitHub step summary, a pull request or a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from harness.judging.points import EN_DASH, interval, points
from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import lines_of, markup
from harness.reporting.fitting import fitting
from harness.reporting.markdown_text import block, code, escaped, mark, words
from harness.reporting.numbers import milliseconds, number, seconds_span
from harness.reporting.regression_words import HEADS as REGRESSION_HEADS
from harness.reporting.regression_words import regression_head, regression_rows
from harness.reporting.scorecard_words import (
    MARKS,
    WORST_FIRST,
    PointsRow,
    attempt_line,
    cost_facts,
    count_by_status,
    decided_share,
    facts_of_run,
    generator_facts,
    incident_lines,
    kept_words,
    measured,
    points_groups,
    record_counts,
    replay_command,
    score_words,
    status_word,
    sum_problem,
    veto_case,
    whole_replay_command,
)

# GitHub drops a step summary of more than 1 MiB whole.
BYTES_MAX = 900_000


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of a result the text has room for."""

    characters_max: int
    items_max: int
    scenarios_max: int


_ROOMS = (_Room(600, 40, 400), _Room(300, 12, 200), _Room(160, 6, 60), _Room(90, 3, 12))


class MarkdownReport:
    """The scorecard as Markdown."""

    file_name: ClassVar[str] = "scorecard.md"

    def text(self, result: Result) -> str:
        """Return the scorecard with as much detail as fits into `BYTES_MAX`."""
        return fitting(_ROOMS, lambda room: "\n".join(_lines(result, room)) + "\n", BYTES_MAX)


def _lines(result: Result, room: _Room) -> Iterator[str]:
    where = f"{result.stack} · {result.suite} · {result.backend} · seed {result.seed}"
    yield f"# {mark(result.gate.status)}: {_words(where, room)}"
    yield ""
    for reason in result.gate.reasons[: room.items_max]:
        yield f"* {_words(reason, room)}"
    yield from _vetoes(result, room)
    yield from _score(result, room)
    yield from _regression(result, room)
    yield from _index(result, room)
    worst_first = sorted(
        range(len(result.scenarios)), key=lambda place: WORST_FIRST.index(result.scenarios[place].status)
    )
    for place in sorted(worst_first[: room.scenarios_max]):
        yield from _scenario(result, result.scenarios[place], room)
    if (more := len(result.scenarios) - room.scenarios_max) > 0:
        yield f"\n{more:,} more scenarios are in result.json."
    yield from _surroundings(result, room)


def _vetoes(result: Result, room: _Room) -> Iterator[str]:
    for veto in result.score.vetoes[: room.items_max]:
        yield f"\n## Vetoed: {_words(veto, room)}\n"
        if (case := veto_case(result, veto)) is not None:
            scenario, verdict = case
            said = f"{scenario.scenario.name}, {verdict.objective}: {verdict.summary}"
            yield _words(said, room)
            yield from _block(verdict.counterexample, room)


def _score(result: Result, room: _Room) -> Iterator[str]:
    score = result.score
    withheld = bool(score.vetoes)
    total = score_words(score)
    yield f"\n## Score: {total}{'' if withheld else ' of 100'}\n"
    yield f"{decided_share(score)}."
    if problem := sum_problem(score):
        yield f"\n**{problem}**"
    if not_examined := (*score.not_examined, *result.unplanned):
        yield "\n**Not examined:** " + "; ".join(_words(name, room) for name in not_examined)
    yield "\n| dimension, objective | verdict | weight | points |\n| --- | --- | ---: | ---: |"
    for group in points_groups(score):
        yield _points_row(group.dimension, f"**{_words(group.dimension.word, room)}**", withheld)
        for row in group.objectives[: room.items_max]:
            yield _points_row(row, _words(row.word, room), withheld)
    weight = points(sum(group.dimension.weight for group in points_groups(score)))
    yield f"| **sum** | | {weight} | **{total}** |"


def _regression(result: Result, room: _Room) -> Iterator[str]:
    """Yield what the comparison with a baseline said: relative, and so apart from the score."""
    if result.regression is None:
        return
    yield "\n## Beside the baseline\n"
    yield f"{_words(regression_head(result.regression), room)}"
    if rows := regression_rows(result.regression):
        yield f"\n| {' | '.join(REGRESSION_HEADS)} |\n| {' | '.join('---' for _ in REGRESSION_HEADS)} |"
        for row in rows[: room.items_max]:
            yield f"| {mark(row.status)} | {' | '.join(_words(cell, room) for cell in row.cells)} |"


def _points_row(row: PointsRow, word: str, withheld: bool) -> str:
    verdict = mark(row.status) if row.status else ""
    earned = EN_DASH if withheld else interval(row.low, row.high)
    return f"| {word} | {verdict} | {points(row.weight)} | {earned} |"


def _index(result: Result, room: _Room) -> Iterator[str]:
    yield "\n## Scenarios\n\n| scenario | status | objectives | took |\n| --- | --- | --- | ---: |"
    for one in result.scenarios[: room.scenarios_max]:
        marks = count_by_status([verdict.status for verdict in one.verdicts]) or "none judged"
        title = f"{_words(one.scenario.name, room)}: {_words(one.scenario.title, room)}"
        yield f"| {title} | {mark(one.status)} | {marks} | {milliseconds(one.seconds * 1000)} |"


def _scenario(result: Result, one: ScenarioResult, room: _Room) -> Iterator[str]:
    opened = "" if one.status is Status.PASS else " open"
    head = f"{MARKS[one.status]} {status_word(one.status)}: {markup(one.scenario.name)}"
    yield f"\n<details{opened}><summary>{head}</summary>\n"
    yield _words(one.scenario.hypothesis, room) + "\n"
    yield from _course(one, room)
    yield from _account(one, room)
    if one.verdicts:
        yield "\n| verdict | objective | measured | what was seen |\n| --- | --- | --- | --- |"
    for verdict in one.verdicts:
        cells = (verdict.objective, measured(verdict), verdict.summary)
        yield f"| {mark(verdict.status)} | {' | '.join(_words(cell, room) for cell in cells)} |"
    for verdict in one.verdicts:
        if verdict.status is not Status.PASS:
            yield from _explained(verdict, room)
    yield f"\nReplay: {code(replay_command(result, one))}\n\n</details>"


def _account(one: ScenarioResult, room: _Room) -> Iterator[str]:
    yield "* Records: " + ", ".join(f"{number(count)} {word}" for word, count in record_counts(one))
    if cost := cost_facts(one):
        yield "* Harness: " + ", ".join(f"{word} {value}" for word, value in cost)
    for word, value in generator_facts(one):
        yield f"* {_words(f'{word}: {value}', room)}"


def _course(one: ScenarioResult, room: _Room) -> Iterator[str]:
    for remark in one.remarks[: room.items_max]:
        said, *quoted = lines_of(remark, room.characters_max)
        yield f"* **{escaped(said)}**"
        yield from _block(quoted, room)
    if one.kept is not None:
        yield f"* Kept: [{_words(one.kept.folder, room)}]({quote(one.kept.folder)}/): {kept_words(one.kept)}"
        yield from (f"* Not kept: {_words(each, room)}" for each in one.kept.left_out[: room.items_max])
    for place, attempt in enumerate(one.attempts, 1):
        yield f"* {_words(attempt_line(place, attempt), room)}"
    for band in one.bands[: room.items_max]:
        landed = "landed" if band.landed else "**not proved to have landed**"
        what = _words(f"{band.fault} on {band.target}", room)
        span = seconds_span(band.from_seconds, band.to_seconds)
        yield f"* {what}, {span}, {landed}: {_words(band.proof, room)}"
    if lines := incident_lines(one):
        yield "* Timeline:"
        yield from (f"    * {_words(line, room)}" for line in lines[: 2 * room.items_max])


def _explained(verdict: Verdict, room: _Room) -> Iterator[str]:
    if not verdict.evidence and not verdict.counterexample:
        return
    yield f"\n**{_words(verdict.objective, room)}**\n"
    for item in verdict.evidence[: room.items_max]:
        yield f"* {_words(item, room)}"
    yield from _block(verdict.counterexample, room)


def _surroundings(result: Result, room: _Room) -> Iterator[str]:
    yield "\n<details><summary>Run and surroundings</summary>\n\n| | |\n| --- | --- |"
    for word, fact in facts_of_run(result):
        yield f"| {_words(word, room)} | {_words(fact, room)} |"
    yield f"\nWhole run: {code(whole_replay_command(result))}\n\n</details>"


def _words(text: str, room: _Room) -> str:
    return words(text, room.characters_max)


def _block(lines: Sequence[str], room: _Room) -> Iterator[str]:
    return block(lines, room.characters_max, room.items_max)
