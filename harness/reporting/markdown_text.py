"""Text from anywhere inside Markdown: shown as it is, on its line or in its block, and obeyed by nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.model.protocols import Status
from harness.reporting.escaping import clipped, unmentioned
from harness.reporting.scorecard_words import MARKS, status_word

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def mark(status: Status) -> str:
    """Return a status with its mark, e.g. `✓ PASS`."""
    return f"{escaped(MARKS[status])} {status_word(status)}"


def words(text: str, characters_max: int) -> str:
    """Return text that Markdown shows as it is, on one line.

    Args:
        text: from anywhere; its line breaks become spaces.
        characters_max: before escaping.
    """
    return escaped(clipped(" ".join(text.split()), characters_max))


def escaped(text: str) -> str:
    """Return text with a backslash before each character that Markdown obeys, and no mention of anybody."""
    return unmentioned(_SPECIAL.sub(r"\\\1", text))


def code(text: str) -> str:
    """Return inline code; its fence is longer than any run of backticks inside (CommonMark 6.1).

    Args:
        text: from anywhere; it is clipped to one line of usual length.
    """
    shown = clipped(text)
    fence = "`" * (1 + _longest_run(shown))
    return f"{fence} {shown} {fence}"


def block(lines: Sequence[str], characters_max: int, lines_max: int) -> Iterator[str]:
    """Yield lines as a fenced code block; its fence is longer than any inside (CommonMark 4.5).

    An indented block would not do: after a list it is a part of the list.

    Args:
        lines: without their line breaks; none at all yield nothing.
        characters_max: of each line.
        lines_max: how many lines are shown; the others are left out without a word.
    """
    if not lines:
        return
    shown = [clipped(line, characters_max) for line in lines[:lines_max]]
    fence = "`" * max(3, 1 + _longest_run("\n".join(shown)))
    yield f"\n{fence}"
    yield from shown
    yield f"{fence}\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
