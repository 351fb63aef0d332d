"""What differs between two results, as text for a terminal, as Markdown, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from math import isfinite
from types import MappingProxyType
from typing import Any

from harness.judging.differences import Differences, Direction, ObjectiveDifference
from harness.judging.points import hundredths, interval
from harness.reporting.escaping import clipped
from harness.reporting.markdown_text import words
from harness.reporting.numbers import quantity
from harness.reporting.scorecard_words import status_word

ITEMS_MAX = 40
_CHARACTERS_MAX = 200
_SIGNS = {Direction.WORSE: "worse", Direction.BETTER: "better", Direction.SAME: "same"}


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading and its lines."""

    title: str
    lines: Sequence[str]


def as_text(made: Differences) -> str:
    """Return the differences as plain text, the plan's first.

    Args:
        made: what `differences` returned.
    """
    lines = [clipped(_head(made))]
    for section in _sections(made):
        lines += ["", f"{section.title}:", *(f"  {clipped(line)}" for line in section.lines)]
    return "\n".join((*lines, "", _conclusion(made))) + "\n"


def as_markdown(made: Differences) -> str:
    """Return the differences as Markdown; whatever a stack wrote stays text.

    Args:
        made: what `differences` returned.
    """
    lines = [f"### {words(_head(made), _CHARACTERS_MAX)}", "", f"**{_conclusion(made)}**"]
    for section in _sections(made):
        lines += ["", f"**{section.title}**", ""]
        lines += [f"* {words(line, _CHARACTERS_MAX * 2)}" for line in section.lines]
    return "\n".join(lines) + "\n"


def as_json(made: Differences) -> str:
    """Return all of the differences as JSON; a number that JSON cannot write is a text.

    Args:
        made: what `differences` returned.
    """
    document = {**asdict(made), "is_worse": made.is_worse, "is_incomplete": made.is_incomplete}
    return json.dumps(_plain(document), indent=1, allow_nan=False) + "\n"


FORMS: Mapping[str, Callable[[Differences], str]] = MappingProxyType(
    {"terminal": as_text, "markdown": as_markdown, "json": as_json}
)


def _head(made: Differences) -> str:
    return f"From run {made.before} to run {made.after}"


def _conclusion(made: Differences) -> str:
    if made.is_worse:
        return "Something is worse."
    if made.is_incomplete:
        return (
            "Nothing that both runs judged is worse, but the later run does not judge all of the earlier one."
        )
    return "Nothing is worse."


def _sections(made: Differences) -> Iterator[_Section]:
    verdicts = [each for each in made.objectives if each.has_another_verdict]
    values = [each for each in made.objectives if not each.has_another_verdict]
    sections = (
        _Section(
            "The runs are not of one plan; what both have is compared",
            [f"{each.word}: {each.before} → {each.after}" for each in made.plan],
        ),
        _Section("Only in the earlier run", made.gone),
        _Section("Only in the later run", made.new),
        _Section("Decision and score", list(_totals(made))),
        _Section(
            "Scenarios",
            [f"{name}: {status_word(old)} → {status_word(new)}" for name, old, new in made.scenarios],
        ),
        _Section("Verdicts", [_verdict(each) for each in verdicts]),
        _Section("Measures", [_value(each) for each in values]),
    )
    for section in sections:
        if section.lines:
            yield _shortened(section)


def _shortened(section: _Section) -> _Section:
    more = len(section.lines) - ITEMS_MAX
    if more <= 0:
        return section
    return _Section(
        section.title, [*section.lines[:ITEMS_MAX], f"… and {more:,} more (--format json has all)"]
    )


def _totals(made: Differences) -> Iterator[str]:
    old, new = made.decision
    if old is not new:
        yield f"decision: {status_word(old)} → {status_word(new)} ({_SIGNS[made.decision_direction]})"
    yield from (f"new veto: {veto}" for veto in made.vetoes)
    if made.score_direction is not Direction.SAME:
        before, after = map(_points, made.score)
        yield f"score: {before} → {after} ({_SIGNS[made.score_direction]})"


def _points(score: tuple[float, float] | None) -> str:
    return "withheld" if score is None else interval(hundredths(score[0]), hundredths(score[1]))


def _verdict(each: ObjectiveDifference) -> str:
    what = f"{each.scenario}, {each.objective}: {status_word(each.before)} → {status_word(each.after)}"
    values = "" if each.value_before == each.value_after else f", {_from_to(each)}"
    return f"{what} ({_SIGNS[each.direction]}){values}: {each.summary}"


def _value(each: ObjectiveDifference) -> str:
    return f"{each.scenario}, {each.objective}: {_from_to(each)}"


def _from_to(each: ObjectiveDifference) -> str:
    before, after = (
        "no value" if value is None else quantity(value, each.unit)
        for value in (each.value_before, each.value_after)
    )
    return f"{before} → {after}"


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not isfinite(value):
        return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(value, "NaN")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
