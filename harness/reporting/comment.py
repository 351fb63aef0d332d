"""A comment for a pull request: the decision first, what did not pass below it, the rest folded away.

Its first line is a marker that nobody sees: whoever posts it looks for the marker and changes that comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.judging.points import EN_DASH, interval, points
from harness.model.protocols import Status, Verdict
from harness.model.result import Result, ScenarioResult
from harness.reporting.escaping import markup
from harness.reporting.fitting import fitting
from harness.reporting.markdown_text import block, code, mark, words
from harness.reporting.scorecard_words import (
    WORST_FIRST,
    count_by_status,
    decided_share,
    measured,
    points_groups,
    replay_command,
    score_words,
)

# GitHub refuses a comment of more than 65,536 characters; in bytes, the limit holds however they are counted.
BYTES_MAX = 65_000
_DIMENSIONS_MAX = 20
_GOOD = (Status.PASS, Status.WARN, Status.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class _Room:
    characters_max: int
    items_max: int


_ROOMS = (_Room(300, 10), _Room(160, 5), _Room(90, 2), _Room(30, 1))


class CommentReport:
    """A short comment for a pull request."""

    file_name: ClassVar[str] = "comment.md"

    def text(self, result: Result) -> str:
        """Return the comment with as much detail as fits into `BYTES_MAX`."""
        return fitting(_ROOMS, lambda room: "\n".join(_lines(result, room)) + "\n", BYTES_MAX)


def marker(result: Result) -> str:
    """Return the first line of the comment: the same for each run of a suite on a stack and a backend."""
    names = (
        re.sub(r"[^A-Za-z0-9_.]", "_", name)[:64] for name in (result.suite, result.stack, result.backend)
    )
    return f"<!-- logquake {' '.join(names)} -->"


def _lines(result: Result, room: _Room) -> Iterator[str]:
    yield marker(result)
    yield f"### logquake: {mark(result.gate.status)}, score {score_words(result.score)}"
    yield ""
    where = f"{result.stack} · {result.suite} · {result.backend} · seed {result.seed}"
    marks = count_by_status([one.status for one in result.scenarios]) or "none"
    yield f"{words(where, room.characters_max)}. Scenarios: {marks}. {decided_share(result.score)}.\n"
    for reason in result.gate.reasons[: room.items_max]:
        yield f"* {words(reason, room.characters_max)}"
    if (more := len(result.gate.reasons) - room.items_max) > 0:
        yield f"* … and {more:,} more reasons in the scorecard"
    yield from _not_passed(result, room)
    yield from _points(result, room)


def _not_passed(result: Result, room: _Room) -> Iterator[str]:
    found = [
        (one, verdict) for one in result.scenarios for verdict in one.verdicts if verdict.status not in _GOOD
    ]
    if not found:
        return
    found.sort(key=lambda each: (not each[1].vetoes, WORST_FIRST.index(each[1].status)))
    yield "\n| verdict | scenario | objective | measured | what was seen |\n| --- | --- | --- | --- | --- |"
    for one, verdict in found[: room.items_max]:
        cells = (one.scenario.name, verdict.objective, measured(verdict), verdict.summary)
        shown = " | ".join(words(cell, room.characters_max) for cell in cells)
        yield f"| {mark(verdict.status)} | {shown} |"
    if (more := len(found) - room.items_max) > 0:
        yield f"\n{more:,} more are in the scorecard."
    yield from _worst(result, *found[0], room)


def _worst(result: Result, one: ScenarioResult, verdict: Verdict, room: _Room) -> Iterator[str]:
    """Show the first of them in full: what was found, and the command that runs it again."""
    head = markup(f"{one.scenario.name}, {verdict.objective}")
    yield f"\n<details><summary>Counterexample and replay: {head}</summary>\n"
    for item in verdict.evidence[: room.items_max]:
        yield f"* {words(item, room.characters_max)}"
    yield from block(verdict.counterexample, room.characters_max, room.items_max)
    yield f"\nReplay: {code(replay_command(result, one))}\n\n</details>"


def _points(result: Result, room: _Room) -> Iterator[str]:
    yield "\n<details><summary>Points by dimension</summary>\n"
    yield "| dimension | weight | points |\n| --- | ---: | ---: |"
    for group in points_groups(result.score)[:_DIMENSIONS_MAX]:
        row = group.dimension
        earned = EN_DASH if result.score.vetoes else interval(row.low, row.high)
        yield f"| {words(row.word, room.characters_max)} | {points(row.weight)} | {earned} |"
    yield "\n</details>"
