"""Numbers that tell every record of a comparison from every other."""

from __future__ import annotations

import re

CALLS_MAX = 1_000_000
NOBODYS = 0
ORDER_JSON = re.compile(rb'"order": ?(\d+)')


def first_number(caller: int) -> int:
    """Return the first number of a caller, 1 or more; it may make a million calls."""
    return caller * CALLS_MAX


def caller_of(number: int) -> int:
    """Return whose number it is."""
    return number // CALLS_MAX


def distinct_lines(content: bytes) -> int:
    """Return how many records are in a file of whole JSON lines, each counted once."""
    lines = content[: content.rfind(b"\n") + 1]
    return len(set(ORDER_JSON.findall(lines)))
