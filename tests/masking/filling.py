"""Fills a template: innocent matter drawn, secrets planted, and where each of them stands noted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from tests.masking import values
from tests.masking.fillers import FILLERS
from tests.masking.labelled import Line, Secret
from tests.masking.values import SECRETS

PIECE = re.compile(r"<([a-z_]+(?::[a-z]+)?)>|\{([A-Za-z_0-9]+)\}|([«»])")
# What may be masked together with a secret: the name it is assigned to, quotation marks, a header's scheme.
BEFORE = re.compile(
    r"""(?:[\w.\-]{0,60}["'\\]{0,3}\s{0,3}(?::=|=>|=|:|>)\s{0,3}["'\\(\[|]{0,4}\s{0,4}
    |-{1,2}[\w-]{1,40}\s["']?
    |(?:BY|PASSWORD)\s["']
    |["'(\[<]{1,3}
    )?(?:(?:basic|bearer|token)\s)?\Z""",
    re.IGNORECASE | re.VERBOSE,
)
AFTER = re.compile(r"""(?:\\[nr]|["'\\)\]>;,]){0,8}""")


def reach(text: str, start: int, end: int) -> tuple[int, int]:
    """How far a span that covers `text[start:end]` may go without taking innocent text."""
    before = BEFORE.search(text, max(0, start - 120), start)
    after = AFTER.match(text, end)
    return (before.start() if before else start), (after.end() if after else end)


def filled(template: str, rng: Random, own_words: Mapping[str, str], resembles: str | None = None) -> Line:
    """One line of a template.

    Args:
        template: As in `tests.masking.shapes`.
        rng: What to draw from.
        own_words: Words of this line before those of FILLERS: the name a secret goes by.
        resembles: For a near miss, the kind it resembles.

    Returns:
        The line, its secrets in order.
    """
    out, at, length = [], 0, 0
    planted: list[tuple[int, int, int, str]] = []
    marks: list[int] = []
    for found in PIECE.finditer(template):
        kind, word, mark = found.groups()
        piece = found.group()
        before = template[at : found.start()]
        length += len(before)
        if mark:
            marks.append(length)
            piece = ""
        elif kind in SECRETS:
            value = values.secret(kind, rng)
            piece = value.text
            planted.append((length, length + value.public, length + len(piece), kind.partition(":")[0]))
        elif word in own_words:
            piece = own_words[word]
        elif word in FILLERS:
            piece = FILLERS[word](rng)
        out += [before, piece]
        length += len(piece)
        at = found.end()
    text = "".join(out) + template[at:]
    return Line(text, tuple(labelled(text, planted, marks)), template, resembles)


def labelled(text: str, planted: list[tuple[int, int, int, str]], marks: list[int]) -> list[Secret]:
    """The secrets with their reaches: as their surroundings allow, or as far as `«…»` about them."""
    secrets = []
    for whole_start, start, end, kind in planted:
        low, high = reach(text, whole_start, end)
        for opened, closed in zip(marks[::2], marks[1::2], strict=True):
            if opened <= start and end <= closed:
                low, high = min(low, opened), max(high, closed)
        secrets.append(Secret(start, end, kind, low, high))
    return secrets
