"""The scorecard as text: for the person who just ran it, and as `scorecard.txt` for mail and build logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, ClassVar

from harness.judging.points import hundredths, interval, points
from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import ASCII_FOR, LINE_CHARACTERS_MAX, clipped, lines_of
from harness.reporting.numbers import seconds_span
from harness.reporting.regression_words import HEADS as REGRESSION_HEADS
from harness.reporting.regression_words import regression_head, regression_rows
from harness.reporting.scorecard_words import (
    MARKS,
    attempt_line,
    count_by_status,
    decided_share,
    generator_facts,
    incident_lines,
    kept_words,
    measured,
    points_groups,
    replay_command,
    status_word,
    sum_problem,
    veto_case,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

COLUMNS = 100
LINES = 25
COLUMNS_MIN = 40
LINES_OF_COUNTEREXAMPLE_MAX = 12
LEFT_OUT_MAX = 6
CHARACTERS_MAX = 300
COLOURS = {
    Status.PASS: "green",
    Status.WARN: "yellow",
    Status.FAIL: "bold red",
    Status.INCONCLUSIVE: "yellow",
    Status.ERROR: "bold red",
    Status.NOT_RUN: "dim",
    Status.NOT_APPLICABLE: "dim",
}


class TerminalReport:
    """The scorecard as text."""

    file_name: ClassVar[str] = "scorecard.txt"

    def text(self, result: Result) -> str:
        """Return the scorecard in ASCII, at most 100 columns wide."""
        from rich.console import Console

        text = StringIO()
        # Width and height, or rich would look for what it lacks in the environment.
        console = Console(file=text, width=COLUMNS, height=LINES, force_terminal=False, color_system=None)
        self.draw(result, console)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"

    def draw(self, result: Result, console: Console) -> None:
        """Draw the scorecard on a console: in colour on a terminal, in plain ASCII anywhere else."""
        drawing = _Drawing(result, plain=not console.is_terminal or not console.encoding.startswith("utf"))
        # COLUMNS=0 would draw nothing at all; a terminal that is narrower folds the lines itself.
        console.width = max(COLUMNS_MIN, min(COLUMNS, console.width))
        for part in drawing.parts():
            # Never a bare string: rich would obey markup in it, and a stack's words are not ours.
            console.print(part, highlight=False)


class _Drawing:
    """One drawing: the result and whether only ASCII may be used."""

    def __init__(self, result: Result, *, plain: bool) -> None:
        self._result = result
        self._plain = plain

    def parts(self) -> Iterator[RenderableType]:
        yield from self._decision()
        yield from self._vetoes()
        yield from self._score()
        yield from self._regression()
        yield from self._scenarios()

    def _decision(self) -> Iterator[RenderableType]:
        result = self._result
        head = self._status(result.gate.status)
        where = f"  {result.stack} · {result.suite} · {result.backend} · seed {result.seed} · {result.run_id}"
        head.append(self._safe(where), style="bold")
        yield head
        for reason in result.gate.reasons:
            yield self._text(reason, indent=2)

    def _vetoes(self) -> Iterator[RenderableType]:
        for veto in self._result.score.vetoes:
            yield self._text("")
            yield self._text(f"VETO  {veto}", style="bold red")
            if (case := veto_case(self._result, veto)) is not None:
                scenario, verdict = case
                yield self._text(
                    f"{scenario.scenario.name}, {verdict.objective}: {verdict.summary}", indent=2
                )
                yield from self._counterexample(verdict.counterexample, indent=2)

    def _score(self) -> Iterator[RenderableType]:
        score = self._result.score
        yield self._text("")
        if score.not_examined:
            yield self._text(f"Not examined: {', '.join(score.not_examined)}")
        for left_out in self._result.unplanned:
            yield self._text(f"Not examined: {left_out}")
        if problem := sum_problem(score):
            yield self._text(problem, style="bold red")
        if score.vetoes:
            yield self._text("Score withheld: a veto stands.", style="bold")
        else:
            shown = interval(hundredths(score.low), hundredths(score.high))
            yield self._text(f"Score {shown} of 100  ({decided_share(score)})", style="bold")
        yield self._points()

    def _points(self) -> RenderableType:
        score = self._result.score
        withheld = bool(score.vetoes)
        groups = points_groups(score)
        table = self._table("dimension", "points", "of", "objectives", right=("points", "of"))
        for group in groups:
            row = group.dimension
            earned = "-" if withheld else interval(row.low, row.high)
            statuses = [objective.status for objective in group.objectives if objective.status]
            cells = (row.word, earned, points(row.weight), count_by_status(statuses))
            table.add_row(*map(self._words, cells))
        total = "withheld" if withheld else interval(hundredths(score.low), hundredths(score.high))
        weight = points(sum(group.dimension.weight for group in groups))
        table.add_row(*map(self._words, ("sum", total, weight, "")), style="bold")
        return _indented(table, 2)

    def _regression(self) -> Iterator[RenderableType]:
        regression = self._result.regression
        if regression is None:
            return
        yield self._text("")
        yield self._text(regression_head(regression), style="bold")
        rows = regression_rows(regression)
        if not rows:
            return
        table = self._table(*REGRESSION_HEADS)
        for row in rows:
            table.add_row(self._status(row.status), *map(self._words, row.cells))
        yield _indented(table, 2)
        for row in rows:
            if row.why:
                yield self._text(f"{row.cells[0]}: {row.why}", indent=2)

    def _scenarios(self) -> Iterator[RenderableType]:
        for one in self._result.scenarios:
            yield self._text("")
            head = self._status(one.status)
            head.append(self._safe(f"  {one.scenario.name}"), style="bold")
            head.append(self._safe(f"  {' '.join(one.scenario.title.split())}"))
            yield head
            yield from self._scenario(one)

    def _scenario(self, one: ScenarioResult) -> Iterator[RenderableType]:
        yield from self._course(one)
        if one.verdicts:
            table = self._table("verdict", "objective", "measured")
            for verdict in one.verdicts:
                cells = (self._words(verdict.objective), self._words(measured(verdict)))
                table.add_row(self._status(verdict.status), *cells)
            yield _indented(table, 2)
        for alike in _alike(verdict for verdict in one.verdicts if verdict.status is not Status.PASS):
            yield from self._explained(alike)
        if one.status is not Status.PASS:
            yield self._text(f"replay: {replay_command(self._result, one)}", indent=2)

    def _course(self, one: ScenarioResult) -> Iterator[RenderableType]:
        for remark in one.remarks:
            yield from self._remark(remark)
        if one.kept is not None:
            yield self._text(f"kept: {one.kept.folder} ({kept_words(one.kept)})", indent=2)
            for left_out in one.kept.left_out[:LEFT_OUT_MAX]:
                yield self._text(f"not kept: {left_out}", indent=4, style="dim")
            if (more := len(one.kept.left_out) - LEFT_OUT_MAX) > 0:
                yield self._text(f"not kept: {more:,} more in result.json", indent=4, style="dim")
        for word, value in generator_facts(one):
            yield self._text(f"{word}: {value}", indent=2, style="dim")
        for place, attempt in enumerate(one.attempts, 1):
            yield self._text(attempt_line(place, attempt), indent=2, style="yellow")
        yield from self._incident(one)

    def _incident(self, one: ScenarioResult) -> Iterator[RenderableType]:
        for band in one.bands:
            landed = "landed" if band.landed else "not proved to have landed"
            span = seconds_span(band.from_seconds, band.to_seconds)
            yield self._text(
                f"{band.fault} on {band.target}, {span}, {landed}: {band.proof}", indent=2, style="dim"
            )
        for place, line in enumerate(incident_lines(one)):
            yield self._text(f"{'timeline:' if not place else '':9} {line}", indent=2, style="dim")

    def _remark(self, remark: str) -> Iterator[RenderableType]:
        """Draw a remark; what it quotes in further lines, such as the end of a log, stands below it."""
        said, *quoted = lines_of(remark)
        yield self._text(said, indent=2, style="yellow", characters_max=LINE_CHARACTERS_MAX)
        for line in quoted:
            yield self._text(f"| {line}", indent=4, style="dim", characters_max=LINE_CHARACTERS_MAX + 2)

    def _explained(self, alike: Sequence[Verdict]) -> Iterator[RenderableType]:
        verdict = alike[0]
        said = f"{', '.join(each.objective for each in alike)}: {verdict.summary}"
        room = CHARACTERS_MAX * min(4, len(alike))
        yield self._text(f"{status_word(verdict.status)} {said}", indent=2, characters_max=room)
        for item in verdict.evidence:
            yield self._text(item, indent=4, style="dim")
        yield from self._counterexample(verdict.counterexample, indent=4)

    def _counterexample(self, lines: Sequence[str], *, indent: int) -> Iterator[RenderableType]:
        for line in lines[:LINES_OF_COUNTEREXAMPLE_MAX]:
            # Escaped, never spelled otherwise: the difference may be the very character.
            shown = clipped(line, CHARACTERS_MAX)
            yield self._text(f"| {_ascii(shown) if self._plain else shown}", indent=indent)
        if (more := len(lines) - LINES_OF_COUNTEREXAMPLE_MAX) > 0:
            yield self._text(f"| {more:,} more lines in result.json", indent=indent)

    def _table(self, *heads: str, right: Sequence[str] = ()) -> Table:
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for head in heads:
            table.add_column(head, justify="right" if head in right else "left", overflow="fold")
        return table

    def _status(self, status: Status) -> Text:
        return self._words(f"{MARKS[status]} {status_word(status)}", style=COLOURS[status])

    def _text(
        self, words: str, *, indent: int = 0, style: str = "", characters_max: int = CHARACTERS_MAX
    ) -> RenderableType:
        """Return a paragraph whose further lines keep its indent."""
        return _indented(self._words(words, style=style, characters_max=characters_max), indent)

    def _words(self, words: str, *, style: str = "", characters_max: int = CHARACTERS_MAX) -> Text:
        from rich.text import Text

        return Text(self._safe(words, characters_max), style=style, overflow="fold")

    def _safe(self, words: str, characters_max: int = CHARACTERS_MAX) -> str:
        shown = clipped(words, characters_max)
        return _ascii(shown.translate(ASCII_FOR)) if self._plain else shown


def _alike(verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    """Return the verdicts, those that say the same and show nothing of their own together."""
    groups: dict[object, list[Verdict]] = {}
    for verdict in verdicts:
        own = verdict.objective if verdict.evidence or verdict.counterexample else ""
        groups.setdefault((verdict.status, verdict.summary, own), []).append(verdict)
    return list(groups.values())


def _indented(part: RenderableType, indent: int) -> RenderableType:
    from rich.padding import Padding

    return Padding(part, (0, 0, 0, indent), expand=False)


def _ascii(words: str) -> str:
    return words.encode("ascii", "backslashreplace").decode("ascii")
